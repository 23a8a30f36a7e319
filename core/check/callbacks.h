// Timers and descriptor watches of one instance under check, on a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.h"
#include "check/trial.h"

namespace weir::check {

// Keeps the promises of weir/timer.h and weir/watch.h, and notes what breaks the plugin's side of them under the
// check `timers-and-watches`. Any thread; end() once, by the owner.
class Callbacks {
 public:
  explicit Callbacks(Trial& trial);
  ~Callbacks();
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  uint64_t start_timer(uint64_t delay_ms, uint64_t period_ms, weir_timer_callback callback, void* context);
  void cancel_timer(uint64_t timer);
  weir_status watch(int32_t fd, uint32_t events, weir_watch_callback callback, void* context);
  void clear_watch(int32_t fd);

  // After the instance has stopped: what is due soon is still run, as it can happen in the gateway, then the thread
  // ends.
  void end();
  // Whether the caller is in one of its callbacks.
  bool on_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  struct Timer {
    base::Monotonic due;
    base::Duration period;
    weir_timer_callback callback;
    void* context;
  };
  struct Watch {
    uint32_t events;
    weir_watch_callback callback;
    void* context;
  };

  void run();
  void wake();
  base::Duration until_next() const;
  void run_due(std::unique_lock<std::mutex>& lock);
  void run_ready(std::unique_lock<std::mutex>& lock);
  // Runs `call` without the lock; cancel_timer and clear_watch wait for it.
  void call(std::unique_lock<std::mutex>& lock, const char* what, const std::function<void()>& call);
  void wait_for_callback(std::unique_lock<std::mutex>& lock);

  Trial& trial_;
  int wake_[2] = {-1, -1};
  std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  std::map<uint64_t, Timer> timers_;
  std::map<int32_t, Watch> watches_;
  uint64_t next_ = 1;
  bool calling_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace weir::check
