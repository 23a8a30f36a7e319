#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "floors/floors.h"

namespace weir::bench {

Floor run_append_loop(const std::string& folder, const std::vector<std::string>& blocks, uint32_t events_per_block,
                      uint32_t blocks_per_sync, Seconds duration) {
  using Clock = std::chrono::steady_clock;
  Floor floor;
  std::string path = folder + "/floor.bin";
  int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::vector<int64_t> latencies;
  double cpu_before = thread_cpu_seconds();
  Clock::time_point start = Clock::now();
  Clock::time_point now = start;
  size_t next = 0;
  std::string group;
  while (now - start < duration) {
    group.clear();
    for (uint32_t i = 0; i < blocks_per_sync; ++i) group += blocks[next++ % blocks.size()];
    ssize_t written = write(fd, group.data(), group.size());
    if (written != static_cast<ssize_t>(group.size()) || fdatasync(fd) != 0) {
      floor.problem = path + ": " + (written < 0 || errno != 0 ? std::strerror(errno) : "short write");
      break;
    }
    Clock::time_point after = Clock::now();
    latencies.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(after - now).count());
    now = after;
  }
  double cpu = thread_cpu_seconds() - cpu_before;
  if (fd >= 0) close(fd);
  unlink(path.c_str());
  auto events = static_cast<double>(latencies.size() * blocks_per_sync * events_per_block);
  floor.events_per_second = events / Seconds(now - start).count();
  floor.cpu_us_per_event = events > 0 ? cpu * 1e6 / events : 0;
  floor.latency = summarize(latencies);
  return floor;
}

}  // namespace weir::bench
