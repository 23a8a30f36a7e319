// Floors: what the parts of the gateway's work cost when nothing else is done. A gateway cannot be faster than
// they are, so they say how much of its time is its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "load/generator.h"

namespace weir::bench {

using Seconds = std::chrono::duration<double>;

struct Floor {
  double events_per_second = 0;
  double cpu_us_per_event = 0;  // of the work itself, see each function
  Latency latency;              // of one acknowledgement
  std::string problem;          // why there is no result
};

// A bare SQLite loop: `producers` threads with one block outstanding each, and a committer that takes all that are
// queued and inserts them, a row a block, in one transaction (WAL, synchronous=FULL, no compression, a checkpoint
// every 1000 pages). The CPU time is the committer's. The file is made in `folder` and removed again.
Floor run_sqlite_loop(const std::string& folder, const std::vector<std::string>& blocks, uint32_t events_per_block,
                      uint32_t producers, Seconds duration);

// write() of `blocks_per_sync` blocks to the end of a file and fdatasync(), again and again. The CPU time is the
// thread's.
Floor run_append_loop(const std::string& folder, const std::vector<std::string>& blocks, uint32_t events_per_block,
                      uint32_t blocks_per_sync, Seconds duration);

// JSON text to a block, with the parser that the HTTP source uses.
Floor run_parse_loop(const std::vector<std::string>& bodies, uint32_t events_per_body, Seconds duration);

}  // namespace weir::bench
