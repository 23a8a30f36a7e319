#include "delivery/breaker.h"

#include <algorithm>

#include "base/result.h"

namespace weir::delivery {

Breaker::Breaker(const Options& options, uint64_t seed, base::Monotonic now)
    : options_(options), backoff_(options.backoff, seed), closed_since_(now) {
  options_.failures_to_open = std::max(options_.failures_to_open, 1u);
}

bool Breaker::allows(base::Monotonic now) const {
  return state_ == State::kClosed || (state_ == State::kOpen && now >= probe_at_);
}

bool Breaker::submitted() {
  WEIR_CHECK(state_ != State::kHalfOpen);
  if (state_ == State::kClosed) return false;
  state_ = State::kHalfOpen;
  return true;
}

void Breaker::delivered(base::Monotonic now) {
  failures_ = 0;
  failed_probes_ = 0;
  if (state_ != State::kClosed) {
    state_ = State::kClosed;
    closed_since_ = now;
  }
  at_last_delivery_ = closed_time(now);
}

void Breaker::failed(base::Monotonic now, bool probe) {
  if (state_ == State::kClosed) {
    if (++failures_ < options_.failures_to_open) return;
    // Since the last delivery nothing shows that the sink was up: that time does not count as closed.
    closed_before_ = at_last_delivery_;
    ++times_opened_;
    open(now);
  } else if (probe) {
    open(now);
  }
}

void Breaker::open(base::Monotonic now) {
  state_ = State::kOpen;
  probe_at_ = now + backoff_.delay(++failed_probes_);
}

void Breaker::withdrawn(base::Monotonic now) {
  if (state_ != State::kHalfOpen) return;
  state_ = State::kOpen;
  probe_at_ = now;
}

std::optional<base::Monotonic> Breaker::probe_at() const {
  if (state_ != State::kOpen) return std::nullopt;
  return probe_at_;
}

base::Duration Breaker::closed_time(base::Monotonic now) const {
  return state_ == State::kClosed ? closed_before_ + (now - closed_since_) : closed_before_;
}

}  // namespace weir::delivery
