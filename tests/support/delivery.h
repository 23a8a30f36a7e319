// weir.delivery of the test host: collects what a sink completes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/wait.h"
#include "weir/plugin.h"

namespace weir::test {

struct SinkResult {
  uint32_t outcome = 0;  // WEIR_DELIVERED ...
  uint32_t retry_after_ms = 0;
  uint32_t code = 0;
  std::string reason;
};

// The results of one token: one an event, or one for all.
struct Completion {
  std::vector<SinkResult> results;
  const SinkResult& of(size_t event) const { return results.size() == 1 ? results[0] : results.at(event); }
};

// Any thread.
class Delivery {
 public:
  // The completion of a token, nothing when it did not come in time.
  std::optional<Completion> wait_for(uint64_t token, std::chrono::nanoseconds timeout = kPatience);
  // Tokens that were completed more than once, which a sink must not do.
  size_t repeated() const;

  void complete(uint64_t token, const weir_sink_result* results, uint32_t n);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Completion> completions_;
  size_t repeated_ = 0;
};

}  // namespace weir::test
