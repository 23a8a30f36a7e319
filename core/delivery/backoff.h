// How long to wait before the next attempt: exponential, with jitter.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace weir::delivery {

// Deterministic for a seed. One thread. Stateless but for the random numbers, so many devices share one.
class Backoff {
 public:
  struct Options {
    base::Duration initial = std::chrono::seconds(1);
    base::Duration max = std::chrono::minutes(1);
    double multiplier = 2.0;  // at least 1
    double jitter = 0.2;      // 0..1: the share of each delay that is random
  };

  // Options out of range are moved into it.
  Backoff(const Options& options, uint64_t seed);

  // The wait after the n-th refusal in a row (1 is the first): min(max, initial * multiplier^(n-1)),
  // shortened by a random part of up to `jitter` of it. Never longer than max, never shorter than kShortest.
  base::Duration delay(uint32_t n);

  static constexpr base::Duration kShortest = std::chrono::milliseconds(1);  // a full jitter must not spin

 private:
  Options options_;
  uint64_t state_;
};

}  // namespace weir::delivery
