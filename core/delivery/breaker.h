// The circuit breaker of one sink: when nothing gets through, stop trying for a while.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "delivery/backoff.h"

namespace weir::delivery {

//   closed     --N submissions in a row without a delivery-->  open
//   open       --the backoff is over, one probe is sent----->  half-open
//   half-open  --the probe failed--------------------------->  open
//   any        --anything was delivered--------------------->  closed
//
// It also keeps the clock that attempts are judged by: the time it spent closed. The run of failures that
// opened it is taken back from that time, because looking back it was part of the outage. So an outage ages
// nothing. No clock, no thread: the time comes in, and must not go backwards.
class Breaker {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };
  struct Options {
    uint32_t failures_to_open = 5;
    Backoff::Options backoff;  // between the probes
  };

  Breaker(const Options& options, uint64_t seed, base::Monotonic now);

  // True when a submission may be made now: closed, or open with the backoff over (that one is the probe).
  bool allows(base::Monotonic now) const;
  // A submission is made, allows() being true. Returns true when it is the probe.
  bool submitted();
  // At least one event of a submission was delivered.
  void delivered(base::Monotonic now);
  // Nothing of a submission was delivered. While open or half-open only the probe's failure counts; others
  // are old.
  void failed(base::Monotonic now, bool probe);
  // The probe came back without having been tried: the next submission is a probe again.
  void withdrawn(base::Monotonic now);

  State state() const { return state_; }
  // When the next probe may go; nothing while closed or half-open.
  std::optional<base::Monotonic> probe_at() const;
  // The time spent closed so far, without the failures that opened it: it steps back when it opens.
  base::Duration closed_time(base::Monotonic now) const;
  // closed_time() at the last delivery.
  base::Duration closed_time_at_last_delivery() const { return at_last_delivery_; }
  uint64_t times_opened() const { return times_opened_; }

 private:
  void open(base::Monotonic now);

  Options options_;
  Backoff backoff_;
  State state_ = State::kClosed;
  uint32_t failures_ = 0;       // in a row, while closed
  uint32_t failed_probes_ = 0;  // in a row
  uint64_t times_opened_ = 0;
  base::Monotonic closed_since_;
  base::Monotonic probe_at_{};
  base::Duration closed_before_{0};  // closed time up to closed_since_
  base::Duration at_last_delivery_{0};
};

}  // namespace weir::delivery
