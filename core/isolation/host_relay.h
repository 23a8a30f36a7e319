// What a child asks of its host, done with the services that the instance has in the gateway.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "isolation/link.h"
#include "weir/plugin.h"

namespace weir::isolation {

// For one child after the other. Called by a link's control thread.
class HostRelay {
 public:
  explicit HostRelay(weir_host* host);

  // A new child: it declares its metrics again. Before its link starts.
  void begin();
  // A request or a message. What waits for the disk waits here.
  void serve(Link& link, const Letter& letter);
  // Brings the values of its metrics over. Counters go on from where an earlier child's ended.
  void update_metrics(const Link& link);

 private:
  struct Metric {
    uint32_t kind = 0;
    weir_metric handle = 0;
    double seen = 0;
  };
  template <class Table>
  const Table* get(const char* id) const {
    return static_cast<const Table*>(weir_host_get(host_, id));
  }
  void listen(Link& link, const Letter& letter);
  void get_value(Link& link, const Letter& letter);

  weir_host* const host_;
  const weir_log_v1* const log_;
  const weir_metrics_v1* const metrics_table_;
  const weir_socket_v1* const socket_;
  const weir_keyvalue_v1* const values_;
  std::vector<Metric> metrics_;
  std::set<std::string> sockets_;  // asked for, by any of its children
};

}  // namespace weir::isolation
