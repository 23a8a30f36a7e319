#include "probe_kit_sink.h"

#include <charconv>
#include <cinttypes>
#include <fstream>
#include <system_error>

namespace weir::probe_kit {
namespace {

using Clock = std::chrono::steady_clock;

// How often a sink that hangs looks whether it still should.
constexpr std::chrono::milliseconds kLook{10};

std::string value_text(const sdk::EventView& event) {
  const weir_event_v1& record = event.record();
  switch (record.value_type) {
    case WEIR_F64: {
      char digits[32];
      auto end = std::to_chars(digits, digits + sizeof digits, record.value.f64);
      return {digits, end.ptr};
    }
    case WEIR_I64:
      return std::to_string(record.value.i64);
    case WEIR_BOOL:
      return record.value.boolean != 0 ? "true" : "false";
    case WEIR_STRING:
      return std::string(event.text(record.value.ref));
    default:
      return "?";
  }
}

std::string line_of(const weir_batch* batch, const sdk::EventView& event, uint32_t outcome) {
  const weir_event_v1& record = event.record();
  char head[64];
  std::snprintf(head, sizeof head, "%016" PRIx64 " %" PRIu64 " %" PRIu32 " ", batch->epoch, record.sequence,
                record.part);
  const char* word = outcome == WEIR_DELIVERED ? "deliver" : outcome == WEIR_RETRY ? "retry" : "reject";
  return head + std::string(event.device_id()) + " " + value_text(event) + " " + word + "\n";
}

weir_sink_limits limits_from(const nlohmann::json& config) {
  return {config.value("max_batch_events", 0u), config.value("max_batch_bytes", 0u),
          config.value("linger_ms", 0u), config.value("max_in_flight", 0u)};
}

std::chrono::steady_clock::time_point at(int64_t monotonic_ns) {
  return Clock::time_point(std::chrono::nanoseconds(monotonic_ns));
}

}  // namespace

TestSink::TestSink(sdk::Host host, std::string_view config) : TestSink(host, nlohmann::json::parse(config)) {}

TestSink::TestSink(sdk::Host host, const nlohmann::json& config)
    : Misbehaving(config),
      host_(host),
      config_(config),
      limits_(limits_from(config)),
      log_(config.value("log", "")) {}

TestSink::~TestSink() { end(); }

void TestSink::start(int64_t deadline_ns) {
  Misbehaving::start(deadline_ns);
  thread_ = std::thread([this] { run(); });
}

void TestSink::drain(int64_t deadline_ns) {
  Misbehaving::drain(deadline_ns);
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, at(deadline_ns), [&] { return pending_.empty() && !completing_; })) {
    throw sdk::Failure(WEIR_E_TIMEOUT, "batches are not completed yet");
  }
}

void TestSink::stop(int64_t deadline_ns) {
  Misbehaving::stop(deadline_ns);
  end();
}

void TestSink::end() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// The configuration with what the control file says now over it.
nlohmann::json TestSink::behaviour() const {
  nlohmann::json now = config_;
  std::ifstream file(config_.value("control", ""));
  nlohmann::json control = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (control.is_object()) now.update(control);
  return now;
}

TestSink::Pending TestSink::decide(const weir_batch* batch, uint64_t token,
                                   const nlohmann::json& behaviour) const {
  const std::string mode = behaviour.value("mode", "deliver");
  const uint32_t by_mode = mode == "retry" ? WEIR_RETRY : mode == "reject" ? WEIR_REJECT : WEIR_DELIVERED;
  const Devices retry(behaviour, "retry_devices");
  const Devices reject(behaviour, "reject_devices");
  Pending pending{token,
                  Clock::now() + std::chrono::milliseconds(behaviour.value("slow_ms", 0)),
                  {},
                  {},
                  mode == "twice"};
  for (uint32_t i = 0; i < batch->count; ++i) {
    sdk::EventView event(batch, i);
    weir_sink_result result{};
    result.outcome = retry.contain(event.device_id())    ? uint32_t{WEIR_RETRY}
                     : reject.contain(event.device_id()) ? uint32_t{WEIR_REJECT}
                                                         : by_mode;
    if (result.outcome == WEIR_RETRY) result.retry_after_ms = behaviour.value("retry_after_ms", 0u);
    if (result.outcome != WEIR_DELIVERED) {
      result.code = result.outcome == WEIR_RETRY ? 503 : 422;
      result.reason = sdk::text(result.outcome == WEIR_RETRY ? "told to ask for a retry" : "told to reject");
    }
    pending.results.push_back(result);
    pending.lines += line_of(batch, event, result.outcome);
  }
  return pending;
}

void TestSink::complete(const Pending& pending) const {
  log_.write(pending.lines);
  host_.complete(pending.token, pending.results);
  if (pending.twice) host_.complete(pending.token, pending.results);
}

void TestSink::submit(const weir_batch* batch, uint64_t token, int64_t) {
  nlohmann::json now = behaviour();
  while (now.value("mode", "") == "hang") {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLook);
    lock.unlock();
    now = behaviour();
  }
  if (now.value("mode", "") == "refuse") throw sdk::Failure(WEIR_E_UNAVAILABLE, "told to refuse");
  if (now.value("mode", "") == "never") return;
  Pending pending = decide(batch, token, now);
  if (now.value("slow_ms", 0) == 0) return complete(pending);
  std::lock_guard lock(mutex_);
  pending_.push_back(std::move(pending));
  changed_.notify_all();
}

void TestSink::cancel(uint64_t token) {
  std::lock_guard lock(mutex_);
  std::erase_if(pending_, [token](const Pending& pending) { return pending.token == token; });
  changed_.notify_all();
}

void TestSink::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (pending_.empty()) {
      changed_.wait(lock);
    } else if (Clock::now() < pending_.front().due) {
      const auto due = pending_.front().due;  // the front may go while the lock is released
      changed_.wait_until(lock, due);
    } else {
      Pending due = std::move(pending_.front());
      pending_.pop_front();
      completing_ = true;
      lock.unlock();
      try {
        complete(due);
      } catch (const std::exception& failure) {
        host_.log(WEIR_LOG_ERROR, failure.what());
      }
      lock.lock();
      completing_ = false;
      changed_.notify_all();
    }
  }
}

}  // namespace weir::probe_kit
