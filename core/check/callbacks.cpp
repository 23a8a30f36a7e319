#include "check/callbacks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace weir::check {
namespace {

constexpr size_t kMaxTimers = 1024;  // weir/timer.h
// What is due this soon after stop() would have had the chance to run in the gateway.
constexpr base::Duration kAfterglow = std::chrono::milliseconds(50);

}  // namespace

Callbacks::Callbacks(Trial& trial) : trial_(trial) {
  if (::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) wake_[0] = wake_[1] = -1;
  thread_ = std::thread([this] { run(); });
}

Callbacks::~Callbacks() {
  end();
  for (int fd : wake_) ::close(fd);
}

void Callbacks::wake() {
  const char byte = 0;
  (void)!::write(wake_[1], &byte, 1);  // a full pipe wakes as well
}

uint64_t Callbacks::start_timer(uint64_t delay_ms, uint64_t period_ms, weir_timer_callback callback, void* context) {
  std::lock_guard lock(mutex_);
  if (timers_.size() >= kMaxTimers) {
    trial_.find("timers-and-watches", "it has 1,024 timers at one time: start() gives no more of them");
    return 0;
  }
  if (callback == nullptr) {
    trial_.find("timers-and-watches", "timer.start() was called without a callback");
    return 0;
  }
  uint64_t id = next_++;
  timers_[id] = {base::now() + std::chrono::milliseconds(delay_ms), std::chrono::milliseconds(period_ms), callback,
                 context};
  wake();
  return id;
}

void Callbacks::cancel_timer(uint64_t timer) {
  std::unique_lock lock(mutex_);
  timers_.erase(timer);
  wait_for_callback(lock);
}

weir_status Callbacks::watch(int32_t fd, uint32_t events, weir_watch_callback callback, void* context) {
  std::lock_guard lock(mutex_);
  if (::fcntl(fd, F_GETFD) < 0 || callback == nullptr) {
    trial_.find("timers-and-watches", "watch.set() was called for a descriptor that is not open, or without a callback");
    return WEIR_E_INVALID;
  }
  watches_[fd] = {events, callback, context};
  wake();
  return WEIR_OK;
}

void Callbacks::clear_watch(int32_t fd) {
  std::unique_lock lock(mutex_);
  if (watches_.contains(fd) && ::fcntl(fd, F_GETFD) < 0) {
    trial_.find("timers-and-watches", "a watched descriptor was closed before its watch was cleared");
  }
  watches_.erase(fd);
  wake();
  wait_for_callback(lock);
}

void Callbacks::wait_for_callback(std::unique_lock<std::mutex>& lock) {
  if (!on_thread()) idle_.wait(lock, [&] { return !calling_; });
}

void Callbacks::end() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
    for (const auto& [fd, watch] : watches_) {
      if (::fcntl(fd, F_GETFD) < 0) {
        trial_.find("timers-and-watches", "it stopped with a watch on a descriptor that it had closed: the number may "
                                          "be somebody else's by now");
      }
    }
    watches_.clear();
    const base::Monotonic last = base::now() + kAfterglow;
    std::erase_if(timers_, [&](const auto& entry) { return entry.second.due > last; });
    for (auto& [id, timer] : timers_) timer.period = base::Duration(0);
  }
  wake();
  thread_.join();
}

base::Duration Callbacks::until_next() const {
  base::Duration left = std::chrono::hours(1);
  for (const auto& [id, timer] : timers_) left = std::min<base::Duration>(left, timer.due - base::now());
  return std::max(left, base::Duration(0));
}

void Callbacks::run() {
  std::unique_lock lock(mutex_);
  while (!ending_ || !timers_.empty()) {
    run_ready(lock);
    run_due(lock);
  }
}

void Callbacks::run_due(std::unique_lock<std::mutex>& lock) {
  std::vector<uint64_t> due;
  for (const auto& [id, timer] : timers_) {
    if (timer.due <= base::now()) due.push_back(id);
  }
  for (uint64_t id : due) {
    auto found = timers_.find(id);
    if (found == timers_.end()) continue;  // cancelled by another callback
    Timer timer = found->second;
    if (timer.period.count() == 0) {
      timers_.erase(found);
    } else {
      found->second.due += timer.period;
    }
    call(lock, "a timer's callback", [&] { timer.callback(timer.context, id); });
  }
}

void Callbacks::run_ready(std::unique_lock<std::mutex>& lock) {
  std::vector<pollfd> fds = {{wake_[0], POLLIN, 0}};
  for (const auto& [fd, watch] : watches_) {
    short events = static_cast<short>(((watch.events & WEIR_WATCH_READ) != 0 ? POLLIN : 0) |
                                      ((watch.events & WEIR_WATCH_WRITE) != 0 ? POLLOUT : 0));
    fds.push_back({fd, events, 0});
  }
  auto left = std::chrono::ceil<std::chrono::milliseconds>(until_next()).count();
  lock.unlock();
  (void)::poll(fds.data(), fds.size(), static_cast<int>(left));
  char bytes[64];
  while (::read(wake_[0], bytes, sizeof bytes) > 0) {
  }
  lock.lock();
  for (size_t i = 1; i < fds.size(); ++i) {
    auto found = watches_.find(fds[i].fd);
    if (found == watches_.end() || fds[i].revents == 0) continue;
    if ((fds[i].revents & POLLNVAL) != 0) {
      trial_.find("timers-and-watches", "a watched descriptor was closed before its watch was cleared");
      watches_.erase(found);
      continue;
    }
    uint32_t events = ((fds[i].revents & (POLLIN | POLLHUP)) != 0 ? uint32_t{WEIR_WATCH_READ} : 0) |
                      ((fds[i].revents & POLLOUT) != 0 ? uint32_t{WEIR_WATCH_WRITE} : 0) |
                      ((fds[i].revents & POLLERR) != 0 ? uint32_t{WEIR_WATCH_ERROR} : 0);
    Watch watch = found->second;
    call(lock, "a watch's callback", [&] { watch.callback(watch.context, fds[i].fd, events); });
  }
}

void Callbacks::call(std::unique_lock<std::mutex>& lock, const char* what, const std::function<void()>& call) {
  calling_ = true;
  lock.unlock();
  {
    Doing doing(trial_.board(), what, trial_.job().call_limit);
    call();
  }
  lock.lock();
  calling_ = false;
  idle_.notify_all();
}

}  // namespace weir::check
