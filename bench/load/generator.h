// The load generator: one thread, epoll, keep-alive connections.
//
// Closed loop (rate 0): every connection sends its next request as soon as the last is answered; it finds the
// highest rate. Its latencies say little about a gateway that stalls, because a stall also stops the questions.
// Open loop: requests are due at fixed times, whatever the gateway does; a latency runs from the time at which the
// request was due, so a stall shows in every request that was due during it (no coordinated omission).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "load/process_usage.h"

namespace weir::bench {

struct LoadOptions {
  uint16_t port = 8080;
  std::string path = "/v1/events";
  uint32_t connections = 16;
  uint32_t events_per_request = 100;
  double requests_per_second = 0;  // 0: closed loop
  std::chrono::duration<double> warm_up{1};
  std::chrono::duration<double> duration{5};
  std::chrono::duration<double> drain{5};  // an open loop may finish what was due for so long after its end
  uint64_t max_events = 0;  // stop when so many were acknowledged, warm-up included; 0: no limit
  pid_t gateway = 0;        // whose CPU and memory to watch; 0: nobody's
};

struct Latency {
  double p50_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
};

struct LoadResult {
  double seconds = 0;              // measured time, without warm-up
  uint64_t acknowledged_events = 0;  // answered with 202 in that time
  uint64_t total_acknowledged = 0;   // and with the warm-up
  uint64_t requests = 0;
  uint64_t busy = 0;     // 429 and 503
  uint64_t refused = 0;  // other answers
  uint64_t broken = 0;   // connections that broke
  uint64_t behind = 0;   // open loop: requests due and never sent
  uint64_t answer_bytes = 0;  // length of the last acknowledgement's body
  Latency latency;
  double gateway_cpu_seconds = 0;
  double generator_cpu_seconds = 0;
  ProcessUsage gateway;  // at the end; the peak is of the measured time
  std::string problem;   // why there is no result; empty when there is one

  double events_per_second() const { return seconds > 0 ? static_cast<double>(acknowledged_events) / seconds : 0; }
  // Microseconds of CPU for each acknowledged event.
  double gateway_us_per_event() const {
    return acknowledged_events == 0 ? 0 : gateway_cpu_seconds * 1e6 / static_cast<double>(acknowledged_events);
  }
  double generator_us_per_event() const {
    return acknowledged_events == 0 ? 0 : generator_cpu_seconds * 1e6 / static_cast<double>(acknowledged_events);
  }
};

// Runs the load to its end.
LoadResult run_load(const LoadOptions& options);

// The nearest-rank percentile of sorted nanoseconds, in milliseconds.
double percentile_ms(const std::vector<int64_t>& sorted_ns, double share);
// Sorts its argument.
Latency summarize(std::vector<int64_t>& latencies_ns);

}  // namespace weir::bench
