// Waiting for a condition that another thread or process brings about.
#pragma once

#include <chrono>
#include <thread>

namespace weir::test {

// How long a test waits for what must happen: long enough for a sanitizer build on a busy machine. A test
// that passes never waits this long.
inline constexpr std::chrono::seconds kPatience{30};

// Polls `predicate` until it is true or `timeout` has passed; returns its last answer. Use it only for what
// cannot notify: a file, another process. A condition variable is better.
template <class Predicate>
bool wait_until(Predicate&& predicate, std::chrono::nanoseconds timeout = kPatience,
                std::chrono::nanoseconds interval = std::chrono::milliseconds(1)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return static_cast<bool>(predicate());
    std::this_thread::sleep_for(interval);
  }
  return true;
}

}  // namespace weir::test
