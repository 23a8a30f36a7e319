#include "probe_kit_source.h"

#include <chrono>
#include <cinttypes>

namespace weir::probe_kit {

TestSource::TestSource(sdk::Host host, std::string_view config)
    : TestSource(host, nlohmann::json::parse(config)) {}

TestSource::TestSource(sdk::Host host, const nlohmann::json& config)
    : Misbehaving(config),
      host_(host),
      count_(config.value("count", uint64_t{0})),
      batch_(std::max<uint64_t>(1, config.value("batch", uint64_t{1}))),
      devices_(std::max<uint64_t>(1, config.value("devices", uint64_t{1}))),
      in_flight_(std::max<size_t>(1, config.value("in_flight", size_t{4}))),
      log_(config.value("log", "")) {}

TestSource::~TestSource() { end(); }

void TestSource::start(int64_t deadline_ns) {
  Misbehaving::start(deadline_ns);
  thread_ = std::thread([this] { run(); });
}

void TestSource::pause(int64_t deadline_ns) {
  Misbehaving::pause(deadline_ns);
  std::lock_guard lock(mutex_);
  paused_ = true;
}

void TestSource::resume(int64_t deadline_ns) {
  Misbehaving::resume(deadline_ns);
  std::lock_guard lock(mutex_);
  paused_ = false;
  changed_.notify_all();
}

void TestSource::drain(int64_t deadline_ns) {
  Misbehaving::drain(deadline_ns);
  std::unique_lock lock(mutex_);
  paused_ = true;
  const std::chrono::steady_clock::time_point deadline{std::chrono::nanoseconds(deadline_ns)};
  if (!changed_.wait_until(lock, deadline, [&] { return waiting_.empty(); })) {
    throw sdk::Failure(WEIR_E_TIMEOUT, "batches are not settled yet");
  }
}

void TestSource::stop(int64_t deadline_ns) {
  Misbehaving::stop(deadline_ns);
  end();
}

void TestSource::end() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TestSource::settled(std::span<const weir_settlement> settlements) {
  std::lock_guard lock(mutex_);
  for (const weir_settlement& settlement : settlements) {
    auto batch = waiting_.find(settlement.token);
    if (batch == waiting_.end()) continue;
    if (settlement.state == WEIR_DURABLE) {
      char line[128];
      std::snprintf(line, sizeof line, "%016" PRIx64 " %" PRIu64 " %" PRIu32 " %" PRIu64 "\n",
                    settlement.epoch, settlement.first_sequence, settlement.count, batch->second);
      log_.write(line);
    }
    waiting_.erase(batch);
  }
  changed_.notify_all();
}

void TestSource::credit(uint64_t events, uint64_t) {
  std::lock_guard lock(mutex_);
  credit_ = events > 0;
  changed_.notify_all();
}

bool TestSource::may_emit() const {
  return !paused_ && credit_ && waiting_.size() < in_flight_ && (count_ == 0 || next_ < count_);
}

void TestSource::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || may_emit(); });
    if (stopping_) return;
    emit(lock);
  }
}

// Makes and offers one batch. The lock is released meanwhile, because a settlement may come before emit()
// returns.
void TestSource::emit(std::unique_lock<std::mutex>& lock) {
  const uint64_t first = next_;
  const uint64_t count = count_ == 0 ? batch_ : std::min(batch_, count_ - first);
  waiting_[first] = first;  // an event's number serves as its batch's token
  next_ += count;
  lock.unlock();
  sdk::BatchBuilder builder;
  for (uint64_t i = first; i < first + count; ++i) {
    weir_event_v1& event = builder.add();
    event.device_id = builder.text("device-" + std::to_string(i % devices_));
    event.sensor_type = builder.text("temperature");
    event.unit = builder.text("Cel");
    event.flags = WEIR_NO_DEVICE_TIME;
    event.value_type = WEIR_F64;
    event.value.f64 = static_cast<double>(i);
  }
  char message[256] = "";
  weir_emit_result result{};
  result.message = message;
  result.message_capacity = sizeof message;
  const uint32_t answer = host_.emit(builder.finish(), first, &result);
  lock.lock();
  if (answer == WEIR_ACCEPTED) return;
  waiting_.erase(first);
  if (answer == WEIR_INVALID) host_.log(WEIR_LOG_ERROR, message);
  if (answer == WEIR_BUSY && next_ == first + count)
    next_ = first;  // only this thread emits, so nothing came after
  const auto wait = std::chrono::milliseconds(std::max<uint32_t>(1, result.retry_after_ms));
  changed_.wait_for(lock, wait, [&] { return stopping_; });
}

}  // namespace weir::probe_kit
