#include "load/process_usage.h"

#include <ctime>
#include <fstream>
#include <string>

namespace weir::bench {

ProcessUsage process_usage(pid_t pid) {
  ProcessUsage usage;
  // The clock of a process has nanoseconds where /proc/PID/stat has hundredths of a second.
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0) {
    usage.cpu_seconds = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  uint64_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmRSS:" && status >> kilobytes) usage.rss_bytes = kilobytes * 1024;
    if (word == "VmHWM:" && status >> kilobytes) usage.peak_rss_bytes = kilobytes * 1024;
  }
  return usage;
}

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void reset_peak_rss(pid_t pid) { std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5\n"; }

}  // namespace weir::bench
