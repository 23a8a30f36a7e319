// Time: the wall clock for people and events, the monotonic clock for everything that waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace weir::base {

using Duration = std::chrono::nanoseconds;
using Monotonic = std::chrono::steady_clock::time_point;

// Nanoseconds since the Unix epoch, by the gateway's clock, which can jump.
int64_t wall_ns();

inline Monotonic now() { return std::chrono::steady_clock::now(); }

// Nanoseconds of CLOCK_MONOTONIC: the unit of every deadline_ns of the ABI.
inline int64_t monotonic_ns(Monotonic at) {
  return std::chrono::duration_cast<Duration>(at.time_since_epoch()).count();
}
inline int64_t monotonic_ns() { return monotonic_ns(now()); }

// RFC 3339 in UTC with as many digits as are not zero (0, 3, 6 or 9): "2026-11-24T20:15:00.250Z".
std::string rfc3339(int64_t unix_ns);

// True when the clock has been set since the machine started: later than this build's year.
bool plausible(int64_t unix_ns);

// "1.2s", "350ms", "3h 12m": for people.
std::string human_duration(Duration duration);

}  // namespace weir::base
