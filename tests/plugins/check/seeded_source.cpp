// seeded.source: emits an event every few milliseconds, by a timer; no device is needed. See seeded.h.
#include <condition_variable>
#include <map>
#include <mutex>

#include "seeded.h"

namespace weir::seeded {
namespace {

using Clock = std::chrono::steady_clock;

class SeededSource final : public Instance {
 public:
  SeededSource(weir_host* given, std::string_view text)
      : Instance(given, text),
        ingress_(service<weir_ingress_v1>(WEIR_INGRESS)),
        timer_(service<weir_timer_v1>(WEIR_TIMER)),
        socket_(service<weir_socket_v1>(WEIR_SOCKET)) {}

  void prepare() override {
    if (!fault("listens-in-start")) listen();
  }
  void start() override {
    if (fault("listens-in-start")) listen();
    resume();
    timer_id_ = timer_->start(host, 1, kPeriodMs, [](void* self, uint64_t) { static_cast<SeededSource*>(self)->due(); }, this);
    if (fault("uses-up-the-timers")) {
      for (int i = 0; i < 1100; ++i) timer_->start(host, 3'600'000, 0, [](void*, uint64_t) {}, this);
    }
  }
  void pause() override {
    std::unique_lock lock(mutex_);
    paused_ = !fault("emits-while-paused");
    changed_.wait(lock, [&] { return !emitting_ || !paused_; });
  }
  void resume() override {
    std::lock_guard lock(mutex_);
    paused_ = fault("never-resumes") && started;
  }
  bool drain(int64_t deadline_ns) override {
    std::unique_lock lock(mutex_);
    paused_ = true;
    if (fault("drains-too-early")) return changed_.wait(lock, [&] { return !emitting_; }), true;
    const Clock::time_point until{std::chrono::nanoseconds(deadline_ns)};
    return changed_.wait_until(lock, until, [&] { return waiting_.empty() && !emitting_; });
  }
  void stop() override {
    timer_->cancel(host, timer_id_);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  ~SeededSource() override {
    if (fd_ >= 0) ::close(fd_);
  }

  void settled(const weir_settlement* settlements, uint32_t n) {
    if (fault("settled-blocks") && n == 0) sleep_ms(30);
    std::unique_lock<std::mutex> emitting(emit_mutex_, std::defer_lock);
    if (fault("holds-a-lock-over-emit")) emitting.lock();
    std::lock_guard lock(mutex_);
    for (uint32_t i = 0; i < n; ++i) {
      auto found = waiting_.find(settlements[i].token);
      if (found == waiting_.end()) {
        if (fault("asserts-known-tokens")) std::abort();
        continue;
      }
      if (fault("crashes-on-failed") && settlements[i].state == WEIR_FAILED) std::abort();
      if (--found->second == 0) waiting_.erase(found);
    }
    changed_.notify_all();
  }
  void credit(uint64_t events) {
    std::lock_guard lock(mutex_);
    has_credit_ = events > 0 || fault("ignores-credit");
  }

 private:
  static constexpr uint64_t kPeriodMs = 2;

  template <class Table>
  const Table* service(const char* id) const {
    return static_cast<const Table*>(weir_host_get(host, id));
  }

  void listen() {
    char message[64] = "";
    weir_error error{WEIR_OK, 0, message, sizeof message, 0, nullptr};
    const weir_listen spec{WEIR_SOCKET_UDP, 0, sdk::text("127.0.0.1:5683")};
    socket_->listen(host, &spec, &fd_, &error);
  }

  // The timer's callback.
  void due() {
    uint64_t token;
    {
      std::lock_guard lock(mutex_);
      if (paused_ || !has_credit_ || Clock::now() < not_before_) return;
      token = fault("reuses-a-token") ? 1 : ++next_token_;
      waiting_[token] += fault("reuses-a-token") ? 2 : 1;
      emitting_ = true;
    }
    {
      std::unique_lock<std::mutex> emitting(emit_mutex_, std::defer_lock);
      if (fault("holds-a-lock-over-emit")) emitting.lock();
      emit(token);
      if (fault("reuses-a-token")) emit(token);
    }
    std::lock_guard lock(mutex_);
    emitting_ = false;
    changed_.notify_all();
  }

  void emit(uint64_t token) {
    sdk::BatchBuilder builder;
    weir_event_v1& event = builder.add();
    event.device_id = builder.text(fault("emits-nameless-events") ? "" : "device-1");
    event.sensor_type = builder.text("counter");
    event.value_type = WEIR_I64;
    event.value.i64 = static_cast<int64_t>(token);
    event.flags = WEIR_NO_DEVICE_TIME;
    weir_emit_result result{};
    const uint32_t answer = ingress_->emit(host, builder.finish(), token, &result);
    if (answer == WEIR_ACCEPTED) return;
    std::lock_guard lock(mutex_);
    if (--waiting_[token] == 0) waiting_.erase(token);
    if (!fault("ignores-busy")) not_before_ = Clock::now() + std::chrono::milliseconds(result.retry_after_ms);
  }

  const weir_ingress_v1* const ingress_;
  const weir_timer_v1* const timer_;
  const weir_socket_v1* const socket_;
  int32_t fd_ = -1;
  uint64_t timer_id_ = 0;
  std::mutex emit_mutex_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<uint64_t, uint32_t> waiting_;  // emitted and not settled: how often
  uint64_t next_token_ = 0;
  bool paused_ = true, has_credit_ = true, emitting_ = false;
  Clock::time_point not_before_{};
};

SeededSource& source_of(void* self) { return static_cast<SeededSource&>(of(self)); }

constexpr weir_source_v1 kSource = {
    [](void* self, const weir_settlement* settlements, uint32_t n) { source_of(self).settled(settlements, n); },
    [](void* self, uint64_t events, uint64_t) { source_of(self).credit(events); }};

constexpr const char* kRequired[] = {WEIR_INGRESS, WEIR_TIMER, WEIR_SOCKET, nullptr};
constexpr const char* kOptional[] = {WEIR_LOG, WEIR_METRICS, nullptr};

}  // namespace
}  // namespace weir::seeded

WEIR_PLUGIN_NOTE("seeded", "1.0.0", "\"seeded.source\":\"source\"")
SEEDED_PLUGIN(weir::seeded::SeededSource,
              weir::seeded::describe(WEIR_KIND_SOURCE, "seeded.source", weir::seeded::kRequired, weir::seeded::kOptional, 0),
              WEIR_SOURCE, weir::seeded::kSource)
