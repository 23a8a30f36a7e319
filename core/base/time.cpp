#include "base/time.h"

#include <cmath>
#include <cstdio>
#include <ctime>

namespace weir::base {

int64_t wall_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string rfc3339(int64_t unix_ns) {
  int64_t seconds = unix_ns / 1'000'000'000;
  int64_t fraction = unix_ns % 1'000'000'000;
  if (fraction < 0) {
    fraction += 1'000'000'000;
    --seconds;
  }
  time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[64];
  size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text, size);
  if (fraction != 0) {
    std::snprintf(text, sizeof text, ".%09lld", static_cast<long long>(fraction));
    std::string digits = text;
    while (digits.size() > 4 && digits.compare(digits.size() - 3, 3, "000") == 0) digits.resize(digits.size() - 3);
    out += digits;
  }
  return out + "Z";
}

bool plausible(int64_t unix_ns) {
  // 2026-01-01: no gateway of this version runs before it; a machine without a battery starts in 1970.
  constexpr int64_t kEarliestNs = 1'767'225'600'000'000'000;
  return unix_ns >= kEarliestNs;
}

std::string human_duration(Duration duration) {
  double seconds = std::chrono::duration<double>(duration).count();
  char text[64];
  if (seconds < 1e-3) {
    std::snprintf(text, sizeof text, "%.0fus", seconds * 1e6);
  } else if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.0fms", seconds * 1e3);
  } else if (seconds < 60) {
    std::snprintf(text, sizeof text, "%.1fs", seconds);
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%dm %ds", int(seconds / 60), int(std::fmod(seconds, 60)));
  } else if (seconds < 86400) {
    std::snprintf(text, sizeof text, "%dh %dm", int(seconds / 3600), int(std::fmod(seconds, 3600) / 60));
  } else {
    std::snprintf(text, sizeof text, "%dd %dh", int(seconds / 86400), int(std::fmod(seconds, 86400) / 3600));
  }
  return text;
}

}  // namespace weir::base
