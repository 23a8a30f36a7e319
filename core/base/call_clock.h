// Which call runs, since when, and how long it may: so that one that overruns can be named while it does.
#pragma once

#include <atomic>
#include <optional>

#include "base/time.h"

namespace weir::base {

// One caller at a time; any thread may look.
class CallClock {
 public:
  // Marks a call from here to the end of its scope. `clock` may be null: then nobody looks.
  class Running {
   public:
    Running(CallClock* clock, const char* call, Duration allowed) : clock_(clock) {
      if (clock_ == nullptr) return;
      clock_->since_.store(monotonic_ns(), std::memory_order_relaxed);
      clock_->allowed_.store(allowed.count(), std::memory_order_relaxed);
      clock_->call_.store(call, std::memory_order_release);
    }
    ~Running() {
      if (clock_ != nullptr) clock_->call_.store(nullptr, std::memory_order_release);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    CallClock* clock_;
  };

  struct Overrun {
    const char* call = "";
    Duration lasted{};
    int64_t began_ns = 0;  // monotonic; tells one call from the next
  };
  // The call that runs, when it has lasted longer than it may.
  std::optional<Overrun> overrun() const {
    const char* call = call_.load(std::memory_order_acquire);
    int64_t since = since_.load(std::memory_order_relaxed);
    Duration lasted(monotonic_ns() - since);
    if (call == nullptr || lasted.count() <= allowed_.load(std::memory_order_relaxed)) return std::nullopt;
    return Overrun{call, lasted, since};
  }

 private:
  std::atomic<const char*> call_{nullptr};  // a constant
  std::atomic<int64_t> since_{0}, allowed_{0};
};

// For calls that must return within a millisecond: long enough not to cry wolf on a loaded machine.
inline constexpr Duration kQuickCallLimit = std::chrono::seconds(1);

}  // namespace weir::base
