// The host as one instance sees it: the services behind weir_host_get.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "delivery/consumer.h"
#include "ingress/door.h"
#include "journal/journal.h"
#include "plugin/event_loop.h"
#include "runtime/sockets.h"
#include "weir/plugin.h"

namespace weir::runtime {

// What the services of all instances stand on. Outlives them.
struct Services {
  journal::Journal* journal = nullptr;
  Sockets* sockets = nullptr;
  std::string gateway_id;
};

// Made for one instance, kept as long as its plugin may call: for ever when it hangs. Its door or consumer is attached
// before start and kept too, so that a late call finds it.
class InstanceHost : public weir_host {
 public:
  InstanceHost(Services services, std::string name, weir_kind kind);
  ~InstanceHost();

  void attach(std::shared_ptr<ingress::Door> door) { std::atomic_store(&door_, std::move(door)); }
  void attach(std::shared_ptr<delivery::Consumer> consumer) { std::atomic_store(&consumer_, std::move(consumer)); }
  // Ends timers and watches: called after the instance has stopped. False when one of them does not return: then the
  // plugin must not be destroyed.
  bool end_events(base::Duration patience);

  std::map<std::string, double> metrics() const;
  const std::string& name() const { return name_; }

 private:
  friend struct HostServices;
  static constexpr size_t kMaxMetrics = 256;
  struct Metric {
    std::string name;
    std::atomic<double> value{0};
  };

  void write_log(uint32_t level, std::string_view text);
  weir_metric declare(std::string_view name);
  Metric* metric(weir_metric handle);
  plugin::EventLoop& events();

  const Services services_;
  const std::string name_;
  const weir_kind kind_;
  std::shared_ptr<ingress::Door> door_;
  std::shared_ptr<delivery::Consumer> consumer_;

  std::mutex log_mutex_;
  base::Monotonic log_second_{};
  uint32_t log_lines_ = 0, log_left_out_ = 0;

  mutable std::mutex metrics_mutex_;
  std::array<std::unique_ptr<Metric>, kMaxMetrics> metrics_;
  std::atomic<uint32_t> metric_count_{0};

  std::mutex events_mutex_;
  std::unique_ptr<plugin::EventLoop> events_;

  std::mutex sockets_mutex_;
  std::vector<uint64_t> sockets_;  // uses of Services::sockets

  std::mutex values_mutex_;
  std::map<std::string, std::string> values_;
  uint64_t value_bytes_ = 0;
};

}  // namespace weir::runtime
