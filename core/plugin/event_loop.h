// Timers and descriptor watches of one instance, on a thread of its own that starts when the first is wanted.
#pragma once

#include <memory>

#include "base/time.h"
#include "weir/timer.h"
#include "weir/watch.h"

namespace weir::plugin {

// Any thread. See weir/timer.h and weir/watch.h for what the calls promise.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();

  // Ends all timers and watches and the thread; false when a callback does not return within `patience`: then the thread
  // and what it uses stay in memory, on purpose. Nothing may be called any more.
  bool end(base::Duration patience);

  uint64_t start_timer(uint64_t delay_ms, uint64_t period_ms, weir_timer_callback callback, void* context);
  void cancel_timer(uint64_t timer);
  weir_status watch(int32_t fd, uint32_t events, weir_watch_callback callback, void* context);
  void clear_watch(int32_t fd);

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::plugin
