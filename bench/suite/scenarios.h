// What the suite measures. Each function adds its figures to the report, or a note that says why it could not.
#pragma once

#include <cstdint>
#include <string>

#include "suite/gateway.h"
#include "suite/report.h"

namespace weir::bench {

struct SuiteOptions {
  Build build;
  std::string folder;        // scratch; on the disk that is to be measured
  int rounds = 5;            // each round measures everything once, so that a noisy minute hits all alike
  double seconds = 4;        // of each measurement in a round
  uint64_t backlog = 5'000'000;  // events pending in the backlog scenario; two fifths of it for the memory figure
};

// 100 events a request, 16 connections, strict, null sink; against a bare SQLite loop with 16 in flight and against
// the rate that the summed CPU cost of the floors allows. Then latencies in an open loop, and memory.
void measure_batches(const SuiteOptions& options, Report& report);

// One event a request, 32 connections; against a bare handler and against the fsync bound.
void measure_single_events(const SuiteOptions& options, Report& report);

// A sink that is down: memory, rate and start with many events pending.
void measure_backlog(const SuiteOptions& options, Report& report);

// The journal alone against the bare SQLite loop.
void measure_journal(const SuiteOptions& options, Report& report);

// What a transform that changes nothing costs an event.
void measure_transform(const SuiteOptions& options, Report& report);
// The same path with its parts in child processes and without: what isolation costs.
void measure_isolation(const SuiteOptions& options, Report& report);

}  // namespace weir::bench
