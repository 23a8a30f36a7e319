#include "support/delivery.h"

namespace weir::test {

std::optional<Completion> Delivery::wait_for(uint64_t token, std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, timeout, [&] { return completions_.contains(token); })) return std::nullopt;
  return completions_[token];
}

size_t Delivery::repeated() const {
  std::lock_guard lock(mutex_);
  return repeated_;
}

void Delivery::complete(uint64_t token, const weir_sink_result* results, uint32_t n) {
  Completion completion;
  for (uint32_t i = 0; i < n; ++i) {
    const weir_sink_result& result = results[i];
    completion.results.push_back({result.outcome, result.retry_after_ms, result.code,
                                  std::string(result.reason.data, result.reason.size)});
  }
  std::lock_guard lock(mutex_);
  if (!completions_.emplace(token, std::move(completion)).second) ++repeated_;
  changed_.notify_all();
}

}  // namespace weir::test
