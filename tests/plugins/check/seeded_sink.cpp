// seeded.sink: takes batches on a thread of its own and says that they were delivered. See seeded.h.
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "seeded.h"

namespace weir::seeded {
namespace {

class SeededSink final : public Instance {
 public:
  SeededSink(weir_host* given, std::string_view text)
      : Instance(given, text),
        delivery_(static_cast<const weir_delivery_v1*>(weir_host_get(host, WEIR_DELIVERY))),
        watch_(static_cast<const weir_watch_v1*>(weir_host_get(host, WEIR_WATCH))) {}
  ~SeededSink() override { end(); }

  void prepare() override {
    if (!fault("closes-a-watched-descriptor") || watch_ == nullptr || ::pipe2(pipe_, O_CLOEXEC) != 0) return;
    watch_->set(host, pipe_[0], WEIR_WATCH_READ, [](void*, int32_t, uint32_t) {}, this);
    for (int fd : pipe_) ::close(fd);
  }
  void start() override {
    others_stopped_ = false;
    thread_ = std::thread([this] { run(); });
  }
  void stop() override {
    end();
    if (fault("stops-the-others")) others_stopped_ = true;
  }
  bool drain(int64_t deadline_ns) override {
    if (fault("drains-at-once")) return true;
    std::unique_lock lock(mutex_);
    const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(deadline_ns)};
    return changed_.wait_until(lock, until, [&] { return queue_.empty() && !busy_; });
  }

  weir_status submit(const weir_batch* batch, uint64_t token, weir_error* error) {
    if (others_stopped_) return fail(error, "the library is closed");
    if (fault("completes-what-it-refuses")) {
      complete(token, WEIR_DELIVERED, 1);
      return fail(error, "not now");
    }
    if (fault("crashes-on-an-empty-batch") && batch->count == 0) std::abort();
    if (fault("leaks-a-batch")) leak();
    std::lock_guard lock(mutex_);
    if (fault("loses-the-third") && queue_.size() >= 2) return WEIR_OK;
    if (fault("never-completes")) return WEIR_OK;
    queue_.push_back({batch, token});
    changed_.notify_all();
    return WEIR_OK;
  }

  void cancel(uint64_t token) {
    if (fault("cancel-does-nothing")) return;
    if (fault("cancel-blocks")) sleep_ms(30);
    std::unique_lock lock(mutex_);
    std::erase_if(queue_, [&](const Taken& taken) { return taken.token == token; });
    changed_.wait(lock, [&] { return !busy_ || current_ != token; });
  }

 private:
  struct Taken {
    const weir_batch* batch;
    uint64_t token;
  };

  void end() {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
      if (ending_) return;
      const Taken taken = queue_.front();
      queue_.pop_front();
      busy_ = true;
      current_ = taken.token;
      lock.unlock();
      if (fault("drains-at-once") || fault("cancel-does-nothing")) sleep_ms(2);
      deliver(taken.batch, taken.token);
      lock.lock();
      busy_ = false;
      changed_.notify_all();
    }
  }

  static uint32_t outcome(const weir_event_v1& event) {
    switch (event.value_type) {
      case WEIR_BYTES:
        if (fault("crashes-on-bytes")) std::abort();
        return WEIR_DELIVERED;
      case WEIR_F64:
      case WEIR_I64:
      case WEIR_BOOL:
      case WEIR_STRING:
        return WEIR_DELIVERED;
      default:
        if (fault("crashes-on-an-unknown-type")) std::abort();
        return WEIR_REJECT;
    }
  }

  void deliver(const weir_batch* batch, uint64_t token) {
    const auto* first = reinterpret_cast<const weir_event_v1*>(reinterpret_cast<const uint8_t*>(batch) + batch->header_size);
    std::vector<weir_sink_result> results;
    for (uint32_t i = 0; i < batch->count; ++i) {
      const weir_event_v1& event = fault("ignores-the-stride") ? first[i] : *weir_event_at(batch, i);
      if (fault("buffer-for-short-names") && event.device_id.size > 1000) std::abort();
      const uint32_t said = outcome(event);
      const bool silent = fault("rejects-without-a-reason") && batch->count == 50;
      const uint32_t shown = silent ? uint32_t{WEIR_REJECT} : fault("unknown-outcome") ? 9u : said;
      results.push_back({shown, 0, 1, 0, sdk::text(shown == WEIR_REJECT && !silent ? "unknown type" : "")});
    }
    if (fault("changes-the-batch") && batch->count > 0) const_cast<weir_event_v1*>(first)->flags ^= WEIR_REPLAY;
    if (fault("one-result-too-few") && results.size() > 2) results.pop_back();
    if (fault("completes-an-unknown-token")) complete(token + 1'000'000, WEIR_DELIVERED, 1);
    delivery_->complete(host, token, results.data(), static_cast<uint32_t>(results.size()));
    if (fault("completes-twice")) complete(token, WEIR_DELIVERED, 1);
    if (fault("reads-after-completing") && batch->magic == 0) write("strange");
  }

  void complete(uint64_t token, uint32_t said, uint32_t n) {
    const weir_sink_result result{said, 0, 0, 0, {nullptr, 0}};
    delivery_->complete(host, token, &result, n);
  }

  static inline bool others_stopped_ = false;  // of all instances, which is what is wrong
  const weir_delivery_v1* const delivery_;
  const weir_watch_v1* const watch_;
  int pipe_[2] = {-1, -1};
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Taken> queue_;
  uint64_t current_ = 0;
  bool busy_ = false, ending_ = false;
  std::thread thread_;
};

SeededSink& sink_of(void* self) { return static_cast<SeededSink&>(of(self)); }

constexpr weir_sink_v1 kSink = {
    [](void*, weir_sink_limits* limits) {
      *limits = {0, 0, 0, fault("wishes-for-too-much") ? 100'000u : 4u};
    },
    [](void* self, const weir_batch* batch, uint64_t token, int64_t, weir_error* error) {
      return sink_of(self).submit(batch, token, error);
    },
    [](void* self, uint64_t token) { sink_of(self).cancel(token); }};

constexpr const char* kRequired[] = {WEIR_DELIVERY, nullptr};
constexpr const char* kOptional[] = {WEIR_LOG, WEIR_METRICS, WEIR_WATCH, nullptr};

}  // namespace
}  // namespace weir::seeded

#ifndef SEEDED_VERSION
#define SEEDED_VERSION "1.0.0"
#endif
WEIR_PLUGIN_NOTE("seeded", SEEDED_VERSION, "\"seeded.sink\":\"sink\"")
SEEDED_PLUGIN(weir::seeded::SeededSink,
              weir::seeded::describe(WEIR_KIND_SINK, "seeded.sink", weir::seeded::kRequired, weir::seeded::kOptional, 0),
              WEIR_SINK, weir::seeded::kSink)
