#include "plugin/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "support/wait.h"

namespace weir::plugin {
namespace {

using test::wait_until;

void count(void* context, uint64_t) { ++*static_cast<std::atomic<int>*>(context); }

TEST(EventLoop, CallsATimerOnceOrAgainAndAgain) {
  std::atomic<int> once{0}, often{0};
  EventLoop loop;
  loop.start_timer(1, 0, &count, &once);
  uint64_t periodic = loop.start_timer(1, 1, &count, &often);
  EXPECT_TRUE(wait_until([&] { return once == 1 && often >= 3; }));
  loop.cancel_timer(periodic);
  int then = often;
  std::atomic<int> later{0};
  loop.start_timer(5, 0, &count, &later);
  EXPECT_TRUE(wait_until([&] { return later == 1; }));
  EXPECT_EQ(often, then) << "it ran after cancel had returned";
  EXPECT_EQ(once, 1);
}

TEST(EventLoop, TellsWhenADescriptorCanBeReadUntilItIsCleared) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  struct Seen {
    std::atomic<int> calls{0};
    std::atomic<uint32_t> events{0};
  } seen;
  EventLoop loop;
  auto callback = [](void* context, int32_t fd, uint32_t events) {
    auto& seen_here = *static_cast<Seen*>(context);
    char byte;
    if (read(fd, &byte, 1) == 1) ++seen_here.calls;
    seen_here.events = events;
  };
  ASSERT_EQ(loop.watch(ends[0], WEIR_WATCH_READ, callback, &seen), WEIR_OK);
  ASSERT_EQ(write(ends[1], "ab", 2), 2);
  EXPECT_TRUE(wait_until([&] { return seen.calls == 2; }));
  EXPECT_EQ(seen.events, uint32_t{WEIR_WATCH_READ});
  loop.clear_watch(ends[0]);
  ASSERT_EQ(write(ends[1], "c", 1), 1);
  std::atomic<int> later{0};
  loop.start_timer(5, 0, &count, &later);
  EXPECT_TRUE(wait_until([&] { return later == 1; }));
  EXPECT_EQ(seen.calls, 2);
  close(ends[0]);
  close(ends[1]);
}

TEST(EventLoop, ForgetsAWatchThatIsClearedWhileItsOtherEventIsReady) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  struct State {
    EventLoop loop;
    std::atomic<int> calls{0};
  } state;
  auto clear = [](void* context, int32_t fd, uint32_t) {
    auto& here = *static_cast<State*>(context);
    ++here.calls;
    here.loop.clear_watch(fd);
  };
  ASSERT_EQ(write(ends[1], "a", 1), 1);  // readable, and writable anyhow: both are found in one go
  for (int round = 1; round <= 20; ++round) {
    ASSERT_EQ(state.loop.watch(ends[0], WEIR_WATCH_READ | WEIR_WATCH_WRITE, clear, &state), WEIR_OK);
    ASSERT_TRUE(wait_until([&] { return state.calls >= round; }));
  }
  std::atomic<int> later{0};
  state.loop.start_timer(1, 0, &count, &later);
  EXPECT_TRUE(wait_until([&] { return later == 1; }));
  EXPECT_EQ(state.calls, 20) << "it was called after it had been cleared";
  close(ends[0]);
  close(ends[1]);
}

TEST(EventLoop, IsLeftBehindWhenACallbackHangs) {
  struct Hang {
    std::mutex mutex;
    std::condition_variable wake;
    bool entered = false, free = false;
  };
  static Hang hang;  // outlives the loop's thread, which nobody joins
  EventLoop loop;
  loop.start_timer(0, 0, [](void*, uint64_t) {
    std::unique_lock lock(hang.mutex);
    hang.entered = true;
    hang.wake.notify_all();
    hang.wake.wait(lock, [] { return hang.free; });
  }, nullptr);
  std::unique_lock lock(hang.mutex);
  ASSERT_TRUE(hang.wake.wait_for(lock, test::kPatience, [] { return hang.entered; }));
  EXPECT_FALSE(loop.end(std::chrono::milliseconds(10)));
  hang.free = true;
  hang.wake.notify_all();
}

TEST(EventLoop, RefusesADescriptorThatCannotBePolled) {
  EventLoop loop;
  EXPECT_EQ(loop.watch(-1, WEIR_WATCH_READ, [](void*, int32_t, uint32_t) {}, nullptr), WEIR_E_INVALID);
}

TEST(EventLoop, CanCancelATimerFromItsOwnCallback) {
  struct State {
    EventLoop loop;
    std::atomic<int> calls{0};
  } state;
  state.loop.start_timer(1, 1, [](void* context, uint64_t timer) {
    auto& here = *static_cast<State*>(context);
    ++here.calls;
    here.loop.cancel_timer(timer);
  }, &state);
  EXPECT_TRUE(wait_until([&] { return state.calls == 1; }));
}

}  // namespace
}  // namespace weir::plugin
