#include "plugin/event_loop.h"

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/thread.h"

namespace weir::plugin {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kMaxTimers = 1024;
// For a loop that was not ended before.
constexpr base::Duration kLastPatience = std::chrono::seconds(5);

}  // namespace

struct EventLoop::Loop {
  struct Timer {
    asio::steady_timer timer;
    std::chrono::milliseconds period;
    weir_timer_callback callback;
    void* context;
  };
  struct Watch {
    asio::posix::stream_descriptor descriptor;  // a duplicate: closing it is ours, the original is the plugin's
    int32_t fd;
    uint32_t events;
    weir_watch_callback callback;
    void* context;
  };

  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::once_flag started;
  std::thread thread;
  std::atomic<uint64_t> next{1};
  std::map<uint64_t, std::shared_ptr<Timer>> timers;
  std::map<int32_t, std::shared_ptr<Watch>> watches;

  // Runs `call` on the loop's thread and waits for it, so that no callback runs beside or after it.
  template <class Call>
  void on_loop(Call&& call) {
    std::call_once(started, [this] {
      work.emplace(asio::make_work_guard(io));
      thread = base::start_thread("timers", [this] { io.run(); });
    });
    if (std::this_thread::get_id() == thread.get_id()) return call();
    std::promise<void> done;
    asio::post(io, [&] {
      call();
      done.set_value();
    });
    done.get_future().wait();
  }

  void arm(uint64_t id, const std::shared_ptr<Timer>& timer) {
    timer->timer.async_wait([this, id, timer](error_code failed) {
      if (failed || !timers.contains(id)) return;
      if (timer->period.count() == 0) {
        timers.erase(id);
      } else {
        timer->timer.expires_at(timer->timer.expiry() + timer->period);
        arm(id, timer);
      }
      timer->callback(timer->context, id);
    });
  }

  void arm(const std::shared_ptr<Watch>& watch, uint32_t event) {
    if ((watch->events & event) == 0) return;
    auto wait = event == WEIR_WATCH_READ ? asio::posix::descriptor_base::wait_read
                                         : asio::posix::descriptor_base::wait_write;
    watch->descriptor.async_wait(wait, [this, watch, event](error_code failed) {
      // It can be cleared, by the callback of the other event too, after this one was found ready.
      auto found = watches.find(watch->fd);
      if (failed == asio::error::operation_aborted || found == watches.end() || found->second != watch) return;
      watch->callback(watch->context, watch->fd, failed ? uint32_t{WEIR_WATCH_ERROR} : event);
      auto still = watches.find(watch->fd);
      if (!failed && still != watches.end() && still->second == watch) arm(watch, event);
    });
  }
};

EventLoop::EventLoop() : loop_(std::make_unique<Loop>()) {}

EventLoop::~EventLoop() {
  if (loop_) (void)end(kLastPatience);
}

bool EventLoop::end(base::Duration patience) {
  if (!loop_->thread.joinable()) return true;
  auto cleared = std::make_shared<std::promise<void>>();
  auto done = cleared->get_future();
  asio::post(loop_->io, [loop = loop_.get(), cleared] {
    loop->timers.clear();
    loop->watches.clear();
    cleared->set_value();
  });
  if (done.wait_for(patience) != std::future_status::ready) {
    (void)loop_.release();
    return false;
  }
  loop_->io.stop();
  loop_->thread.join();
  return true;
}

uint64_t EventLoop::start_timer(uint64_t delay_ms, uint64_t period_ms, weir_timer_callback callback, void* context) {
  uint64_t id = 0;
  loop_->on_loop([&] {
    if (loop_->timers.size() >= kMaxTimers) return;
    id = loop_->next++;
    auto timer = std::make_shared<Loop::Timer>(Loop::Timer{
        asio::steady_timer(loop_->io, std::chrono::milliseconds(delay_ms)), std::chrono::milliseconds(period_ms),
        callback, context});
    loop_->timers[id] = timer;
    loop_->arm(id, timer);
  });
  return id;
}

void EventLoop::cancel_timer(uint64_t timer) {
  loop_->on_loop([&] {
    auto found = loop_->timers.find(timer);
    if (found == loop_->timers.end()) return;
    // Or it would stay in memory until it is due.
    found->second->timer.cancel();
    loop_->timers.erase(found);
  });
}

weir_status EventLoop::watch(int32_t fd, uint32_t events, weir_watch_callback callback, void* context) {
  weir_status status = WEIR_OK;
  loop_->on_loop([&] {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    asio::posix::stream_descriptor descriptor(loop_->io);
    error_code failed;
    if (copy >= 0) descriptor.assign(copy, failed);
    if (copy < 0 || failed) {
      status = WEIR_E_INVALID;
      return;
    }
    auto watch = std::make_shared<Loop::Watch>(Loop::Watch{std::move(descriptor), fd, events, callback, context});
    if (auto old = loop_->watches.find(fd); old != loop_->watches.end()) {
      error_code ignored;
      old->second->descriptor.close(ignored);
    }
    loop_->watches[fd] = watch;
    loop_->arm(watch, WEIR_WATCH_READ);
    loop_->arm(watch, WEIR_WATCH_WRITE);
  });
  return status;
}

void EventLoop::clear_watch(int32_t fd) {
  loop_->on_loop([&] {
    auto found = loop_->watches.find(fd);
    if (found == loop_->watches.end()) return;
    error_code ignored;
    found->second->descriptor.close(ignored);
    loop_->watches.erase(found);
  });
}

}  // namespace weir::plugin
