// Arithmetic with event times: a device may claim any time, so sums stop at the ends of what there is.
#pragma once

#include <cstdint>

namespace weir::enrich {

constexpr int64_t plus(int64_t time_ns, int64_t span_ns) {
  int64_t sum = 0;
  return __builtin_add_overflow(time_ns, span_ns, &sum) ? (span_ns > 0 ? INT64_MAX : INT64_MIN) : sum;
}
constexpr int64_t minus(int64_t time_ns, int64_t span_ns) {
  int64_t difference = 0;
  return __builtin_sub_overflow(time_ns, span_ns, &difference) ? (span_ns > 0 ? INT64_MIN : INT64_MAX) : difference;
}

// The start of the window of this length that holds the time; windows begin at the Unix epoch.
constexpr int64_t window_of(int64_t time_ns, int64_t length_ns) {
  const int64_t into = time_ns % length_ns;
  return minus(time_ns, into < 0 ? into + length_ns : into);
}

}  // namespace weir::enrich
