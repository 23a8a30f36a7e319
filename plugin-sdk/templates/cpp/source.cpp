// @name@.source: emits a reading at regular intervals. Put your device in the place of read().
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <stop_token>
#include <thread>

#include "weir/plugin.hpp"

namespace {

namespace sdk = weir::sdk;
using std::chrono::milliseconds;

// A manifest's "config" is checked against this before an instance is made.
constexpr char kSchema[] = R"json({
  "type": "object", "additionalProperties": false, "required": ["device_id"],
  "properties": {
    "device_id": { "type": "string", "minLength": 1 },
    "interval_ms": { "type": "integer", "minimum": 1, "default": 1000 }
  }
})json";

// One instance. Threads: one of its own between start and stop; the life-cycle calls on the host's control thread;
// settled() and health() on others of the host. mutex_ guards what several of them touch.
class @class@ final : public sdk::Source {
 public:
  @class@(sdk::Host host, std::string_view config) : host_(host) {
    const auto tree = nlohmann::json::parse(config);
    device_id_ = tree.at("device_id").get<std::string>();
    interval_ = milliseconds(tree.value("interval_ms", 1000));
  }

  // Open what you need in prepare(int64_t deadline_ns): it may fail, and a predecessor may still be running.

  void start(int64_t) override {
    paused_ = false;
    worker_ = std::jthread([this](std::stop_token stop) { work(stop); });
  }
  void pause(int64_t) override { set_paused(true); }
  void resume(int64_t) override { set_paused(false); }

  // Takes nothing new; returns when everything that was emitted is settled.
  void drain(int64_t deadline_ns) override {
    set_paused(true);
    std::unique_lock lock(mutex_);
    const auto left = std::chrono::nanoseconds(deadline_ns - host_.monotonic_ns());
    if (!changed_.wait_for(lock, left, [this] { return !busy_ && unsettled_.empty(); })) {
      throw sdk::Failure(WEIR_E_TIMEOUT, "events are not settled yet");
    }
  }

  void stop(int64_t) override {
    if (!worker_.joinable()) return;
    worker_.request_stop();
    worker_.join();
  }

  // 0: the gateway is full, and there is no use in reading the device.
  void credit(uint64_t events, uint64_t) override {
    std::lock_guard lock(mutex_);
    full_ = events == 0;
    changed_.notify_all();
  }

  // DURABLE: the events are on disk, and the device may be told so. FAILED: it should send again.
  void settled(std::span<const weir_settlement> settlements) override {
    std::lock_guard lock(mutex_);
    for (const weir_settlement& settlement : settlements) unsettled_.erase(settlement.token);
    changed_.notify_all();
  }

 private:
  double read() { return ++reading_; }

  void set_paused(bool paused) {
    std::lock_guard lock(mutex_);
    paused_ = paused;
    changed_.notify_all();
  }

  void work(std::stop_token stop) {
    while (wait(stop)) {
      offer(stop);
      std::lock_guard lock(mutex_);
      busy_ = false;
      changed_.notify_all();
    }
  }

  // Waits for the next interval; false when the source is to stop.
  bool wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, interval_, [] { return false; });
    changed_.wait(lock, stop, [this] { return !paused_ && !full_; });
    busy_ = !stop.stop_requested();
    return busy_;
  }

  // One batch of one event, offered until the host takes it.
  void offer(std::stop_token stop) {
    builder_.clear();
    const weir_ref device_id = builder_.text(device_id_), sensor_type = builder_.text("reading");
    weir_event_v1& event = builder_.add();
    event.device_id = device_id;
    event.sensor_type = sensor_type;
    event.timestamp_ns = host_.wall_ns();
    event.value_type = WEIR_F64;
    event.value.f64 = read();
    const weir_batch* batch = builder_.finish();
    while (!stop.stop_requested()) {
      char message[128] = "";
      weir_emit_result result{};
      result.message = message;
      result.message_capacity = sizeof message;
      const uint64_t token = ++token_;
      {
        std::lock_guard lock(mutex_);
        unsettled_.insert(token);  // before emit: the settlement may come first
      }
      const uint32_t answer = host_.emit(batch, token, &result);
      if (answer == WEIR_ACCEPTED) return;
      std::unique_lock lock(mutex_);
      unsettled_.erase(token);
      if (answer == WEIR_INVALID) {
        host_.log(WEIR_LOG_ERROR, "the host refuses " + std::string(result.field) + ": " + message);
        return;
      }
      // BUSY: the same batch again, after the time that the host asks for.
      changed_.wait_for(lock, stop, milliseconds(std::max(result.retry_after_ms, 1u)), [] { return false; });
    }
  }

  sdk::Host host_;
  std::string device_id_;
  milliseconds interval_{};
  sdk::BatchBuilder builder_;  // the worker's
  uint64_t token_ = 0;         // the worker's
  double reading_ = 0;         // the worker's
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<uint64_t> unsettled_;  // tokens
  bool paused_ = false;
  bool full_ = false;
  bool busy_ = false;
  std::jthread worker_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::source<@class@>("@name@.source", "Emits a reading at regular intervals", kSchema, WEIR_CAP_NET),
};

}  // namespace

WEIR_PLUGIN(kComponents)
// Read without running any code of the library; it must say the same as kComponents: {name: kind}.
WEIR_PLUGIN_NOTE("@name@", PLUGIN_VERSION, "\"@name@.source\":\"source\"")
