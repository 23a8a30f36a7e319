#include "plugin/control_thread.h"

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weir::plugin {
namespace {

struct Abandoned {
  std::thread thread;
  std::shared_ptr<const void> keep;
};

struct Graveyard {
  std::mutex mutex;
  std::vector<Abandoned> threads;
};

// Never destroyed: destroying a running std::thread ends the process, and joining it would wait for ever.
Graveyard& graveyard() {
  static auto* const all = new Graveyard;
  return *all;
}

}  // namespace

// Owned by both sides, so that an abandoned thread has its half for as long as it needs it.
struct ControlThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> job;
  bool busy = false;  // there is a job that has not ended
  bool end = false;
};

ControlThread::ControlThread()
    : state_(std::make_shared<State>()), thread_([state = state_] { serve(state); }) {}

ControlThread::~ControlThread() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(state_->mutex);
    state_->end = true;
  }
  state_->changed.notify_all();
  thread_.join();
}

void ControlThread::serve(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->changed.wait(lock, [&] { return state->end || state->job; });
    if (!state->job) return;
    std::function<void()> job = std::exchange(state->job, nullptr);
    lock.unlock();
    job();
    job = nullptr;  // what it owns goes before the caller learns that it has ended
    lock.lock();
    state->busy = false;
    state->changed.notify_all();
  }
}

bool ControlThread::run(std::function<void()> job, base::Monotonic until, std::shared_ptr<const void> keep) {
  WEIR_CHECK(thread_.joinable());
  std::unique_lock lock(state_->mutex);
  state_->job = std::move(job);
  state_->busy = true;
  state_->changed.notify_all();
  if (state_->changed.wait_until(lock, until, [&] { return !state_->busy; })) return true;
  state_->end = true;  // should the job end after all, its thread does too
  lock.unlock();
  std::lock_guard graves(graveyard().mutex);
  graveyard().threads.push_back({std::move(thread_), std::move(keep)});
  return false;
}

size_t abandoned_threads() {
  std::lock_guard lock(graveyard().mutex);
  return graveyard().threads.size();
}

}  // namespace weir::plugin
