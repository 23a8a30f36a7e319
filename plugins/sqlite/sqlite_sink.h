// sqlite.sink: writes events into a table of a SQLite file, each exactly once.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "event_database.h"
#include "weir/plugin.hpp"

namespace weir::sqlite {

// Works within submit(), on the host's thread for this sink: an embedded database has no answer to wait for,
// and there is nothing a thread of its own could do meanwhile.
//
// What is wrong with the file is never an event's fault: the batch is to be tried again until an operator has
// mended it. Only an event whose value the sink cannot store is rejected.
class SqliteSink final : public sdk::Sink {
 public:
  SqliteSink(sdk::Host host, std::string_view config);

  // WEIR_E_INVALID for a table that is not ours, WEIR_E_UNAVAILABLE for what may pass (no folder, no right,
  // no space).
  void prepare(int64_t deadline_ns) override;
  void stop(int64_t deadline_ns) override;
  sdk::Health health() override;

  weir_sink_limits limits() override;
  void submit(const weir_batch* batch, uint64_t token, int64_t deadline_ns) override;
  void cancel(uint64_t token) override;

 private:
  void complete(uint64_t token, uint32_t count, const weir_sink_result& outcome);
  void set_health(uint32_t state, std::string text);

  const sdk::Host host_;
  EventDatabase database_;
  const weir_metric rows_written_;
  const weir_metric rows_known_;
  std::vector<Refused> refused_;
  std::vector<weir_sink_result> results_;
  std::vector<std::string> rejections_;  // texts that results_ points at
  std::atomic<uint64_t> current_token_{0};
  std::mutex health_mutex_;
  sdk::Health health_;
};

}  // namespace weir::sqlite
