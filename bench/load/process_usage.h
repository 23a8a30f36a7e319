// What a process has used, read from the kernel while it runs.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace weir::bench {

struct ProcessUsage {
  double cpu_seconds = 0;  // user and system time of all its threads since it started
  uint64_t rss_bytes = 0;
  uint64_t peak_rss_bytes = 0;  // since it started or since reset_peak_rss
};

// Zeroes when there is no such process.
ProcessUsage process_usage(pid_t pid);

// Lets peak_rss_bytes begin anew (CLEAR_REFS_MM_HIWATER_RSS of proc(5)); needs the process's own user.
void reset_peak_rss(pid_t pid);

// CPU time of the calling thread.
double thread_cpu_seconds();

}  // namespace weir::bench
