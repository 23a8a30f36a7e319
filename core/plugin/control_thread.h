// A thread for calls that may never return.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/time.h"

namespace weir::plugin {

// Runs jobs one after the other on one thread. A job that does not end in time is abandoned: its thread is
// kept for the rest of the process, so that nothing ever waits for it, and this object runs nothing more. One
// caller at a time.
class ControlThread {
 public:
  ControlThread();
  // Joins the thread, unless it was abandoned.
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // True when the job ended by `until`. Otherwise the thread is abandoned, and `keep` with it for ever: what
  // the job uses must be owned by the job or by `keep`. The job must not throw. Not after a run that was
  // false.
  [[nodiscard]] bool run(std::function<void()> job, base::Monotonic until, std::shared_ptr<const void> keep);

 private:
  struct State;
  static void serve(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
};

// How many threads have been abandoned. Any thread.
size_t abandoned_threads();

}  // namespace weir::plugin
