// modbus.source: polls a Modbus TCP device and emits one event a register. README.md says how it behaves.
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "device.h"
#include "modbus_config.h"
#include "weir/plugin.hpp"

namespace modbus_source {
namespace {

namespace sdk = weir::sdk;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFirstBackoff{250};

// Threads: the poller of its own between start and stop; the life-cycle calls on the control thread; settled() and
// health() on the host's. What several touch is guarded by mutex_.
class ModbusSource final : public sdk::Source {
 public:
  ModbusSource(sdk::Host host, std::string_view config)
      : host_(host),
        config_(read_config(config)),
        device_(config_),
        polls_(host.declare(WEIR_METRIC_COUNTER, "polls_total", "Times that the device was asked")),
        refused_(host.declare(WEIR_METRIC_COUNTER, "refused_total", "Registers that the device refused to read")) {}

  void start(int64_t) override {
    paused_ = false;
    poller_ = std::jthread([this](std::stop_token stop) { poll_until(stop); });
  }
  void pause(int64_t) override { set_paused(true); }
  void resume(int64_t) override { set_paused(false); }

  // Nothing new is read; returns when what was emitted is settled.
  void drain(int64_t deadline_ns) override {
    set_paused(true);
    std::unique_lock lock(mutex_);
    const auto left = std::chrono::nanoseconds(deadline_ns - host_.monotonic_ns());
    if (!changed_.wait_for(lock, left, [this] { return !busy_ && unsettled_.empty(); })) {
      throw sdk::Failure(WEIR_E_TIMEOUT, "events are not settled yet");
    }
  }

  // An answer that is waited for is waited for here too: timeout_ms at most, twice when it also connects.
  void stop(int64_t) override {
    if (!poller_.joinable()) return;
    poller_.request_stop();
    poller_.join();
    device_.close();
  }

  sdk::Health health() override {
    std::lock_guard lock(mutex_);
    return {trouble_.empty() ? uint32_t{WEIR_HEALTH_OK} : uint32_t{WEIR_HEALTH_DEGRADED}, trouble_};
  }

  // There is nobody to answer: the device was polled. FAILED is a reading that is lost, and the next is on its way. A token
  // that is not known is one that a predecessor emitted.
  void settled(std::span<const weir_settlement> settlements) override {
    std::lock_guard lock(mutex_);
    for (const weir_settlement& settlement : settlements) unsettled_.erase(settlement.token);
    changed_.notify_all();
  }

  // Without credit the device is not polled: what could be read would have to wait.
  void credit(uint64_t events, uint64_t) override {
    std::lock_guard lock(mutex_);
    credit_ = events != 0;
    changed_.notify_all();
  }

 private:
  void set_paused(bool paused) {
    std::lock_guard lock(mutex_);
    paused_ = paused;
    changed_.notify_all();
  }

  // Waits; true when it is over and polling goes on, false when the source stops.
  bool wait_until(std::stop_token stop, Clock::time_point at) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, at, [] { return false; });
    changed_.wait(lock, stop, [this] { return !paused_ && credit_; });
    busy_ = !stop.stop_requested();
    return busy_;
  }

  void poll_until(std::stop_token stop) {
    milliseconds backoff = kFirstBackoff;
    Clock::time_point next = Clock::now();
    while (wait_until(stop, next)) {
      // From begin to begin, so that slow answers do not stretch the period; polls that were missed are not made up for.
      next = std::max(next + config_.poll, Clock::now());
      try {
        read_all();
        backoff = kFirstBackoff;
        offer(stop);
      } catch (const Away& away) {
        note(away.what());
        next = Clock::now() + backoff;
        backoff = std::min(backoff * 2, config_.max_backoff);
      }
      std::lock_guard lock(mutex_);
      busy_ = false;
      changed_.notify_all();
    }
  }

  // Fills the builder with what the device gives. Throws Away.
  void read_all() {
    builder_.clear();
    std::string trouble;
    host_.add(polls_, 1);
    for (const Register& wanted : config_.registers) {
      try {
        const double value = device_.read(wanted);
        if (!std::isfinite(value)) throw Refused("register " + std::to_string(wanted.address) + " holds no number");
        add(wanted, value);
      } catch (const Refused& refused) {
        host_.add(refused_, 1);
        trouble = refused.what();
      }
    }
    note(trouble);
  }

  void add(const Register& wanted, double value) {
    const weir_ref device_id = builder_.text(config_.device_id);
    const weir_ref sensor_type = builder_.text(wanted.sensor_type), unit = builder_.text(wanted.unit);
    weir_event_v1& event = builder_.add();
    event.timestamp_ns = host_.wall_ns();  // when the answer came
    event.device_id = device_id;
    event.sensor_type = sensor_type;
    event.unit = unit;
    event.value_type = WEIR_F64;
    event.value.f64 = value;
  }

  // Offers the batch until the host takes it. BUSY is the disk's or a sink's pace; the batch is the only one there is.
  void offer(std::stop_token stop) {
    if (builder_.count() == 0) return;
    const weir_batch* batch = builder_.finish();
    while (!stop.stop_requested()) {
      char message[128] = "";
      weir_emit_result result{};
      result.message = message;
      result.message_capacity = sizeof message;
      {
        std::lock_guard lock(mutex_);
        unsettled_.insert(++token_);  // before emit: the settlement may come first
      }
      const uint32_t answer = host_.emit(batch, token_, &result);
      if (answer == WEIR_ACCEPTED) return;
      std::unique_lock lock(mutex_);
      unsettled_.erase(token_);
      if (answer == WEIR_INVALID) {  // the configuration's fault: a unit that is too long, for example
        trouble_ = "the host refuses " + std::string(result.field) + ": " + message;
        return;
      }
      changed_.wait_for(lock, stop, milliseconds(std::max(result.retry_after_ms, 1u)), [] { return false; });
    }
  }

  // What health() says. Logged when it changes, so that a device that is away for a night is two lines.
  void note(const std::string& trouble) {
    std::lock_guard lock(mutex_);
    if (trouble == trouble_) return;
    trouble_ = trouble;
    host_.log(trouble.empty() ? WEIR_LOG_INFO : WEIR_LOG_WARN, trouble.empty() ? "the device answers again" : trouble);
  }

  sdk::Host host_;
  Config config_;
  Device device_;             // the poller's; after its end, stop()'s
  sdk::BatchBuilder builder_;  // the poller's
  uint64_t token_ = 0;         // the poller's
  weir_metric polls_, refused_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string trouble_;
  std::set<uint64_t> unsettled_;  // tokens
  bool paused_ = false;
  bool credit_ = true;
  bool busy_ = false;  // the poller reads or offers
  std::jthread poller_;
};

constexpr sdk::Registration kComponents[] = {
    sdk::source<ModbusSource>("modbus.source", "Polls the registers of a Modbus TCP device", kConfigSchema,
                              WEIR_CAP_NET),
};

}  // namespace
}  // namespace modbus_source

WEIR_PLUGIN(modbus_source::kComponents)
WEIR_PLUGIN_NOTE("modbus", "1.0.0", "\"modbus.source\":\"source\"")
