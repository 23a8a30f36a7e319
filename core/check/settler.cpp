#include "check/settler.h"

#include <array>
#include <cstring>
#include <vector>

#include "check/host.h"
#include "event/validate.h"

namespace weir::check {
namespace {

// How long emit waits for its own settlement. A source that holds a lock over emit which settled() wants never lets it
// come, so this is also how long that is waited for.
constexpr base::Duration kEagerLimit = std::chrono::milliseconds(500);

void say(weir_emit_result* result, const event::Fault& fault) {
  if (result == nullptr) return;
  result->index = fault.index;
  std::strncpy(result->field, fault.field, sizeof result->field - 1);
  result->field[sizeof result->field - 1] = '\0';
  if (result->message == nullptr || result->message_capacity == 0) return;
  size_t size = std::min<size_t>(fault.message.size(), result->message_capacity - 1);
  std::memcpy(result->message, fault.message.data(), size);
  result->message[size] = '\0';
}

}  // namespace

void Settler::open(const weir_source_v1* table, void* self, Door door) {
  table_ = table;
  self_ = self;
  door_ = door;
  thread_ = std::thread([this] { run(); });
}

void Settler::close() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Settler::set_door(Door door) {
  std::lock_guard lock(mutex_);
  door_ = door;
  changed_.notify_all();
}

void Settler::release() { set_door(Door::kAccept); }

uint32_t Settler::emit(const weir_batch* batch, uint64_t token, weir_emit_result* result) {
  if (result != nullptr) result->retry_after_ms = 0;
  if (batch == nullptr) {
    trial_.find("emitted-batches", "emit() was given no batch");
    return WEIR_INVALID;
  }
  if (auto fault = event::validate(batch, batch->total_size, event::Check::kFromSource)) {
    trial_.find("emitted-batches", "emit() was given a batch that the gateway refuses, event " +
                                       std::to_string(fault->index) + ", " + fault->field + ": " + fault->message);
    say(result, *fault);
    return WEIR_INVALID;
  }
  std::unique_lock lock(mutex_);
  ++offered_;
  changed_.notify_all();
  if (door_ == Door::kBusy || ending_ || !thread_.joinable()) {
    if (result != nullptr) result->retry_after_ms = kRetryMs;
    return WEIR_BUSY;
  }
  if (!waiting_.emplace(token, batch->count).second) {
    trial_.find("settled-once", "a token was emitted again before it was settled: the two settlements look alike");
    waiting_[token] = batch->count;
  }
  ++accepted_;
  queue_.push_back({token, batch->count, door_ == Door::kFail});
  changed_.notify_all();
  if (door_ != Door::kEager || std::this_thread::get_id() == thread_.get_id()) return WEIR_ACCEPTED;
  if (!changed_.wait_for(lock, kEagerLimit, [&] { return !waiting_.contains(token); })) {
    trial_.find("settled-in-emit", "settled() did not return while emit() was running: it waits for something that the "
                                   "emitting thread holds");
  }
  return WEIR_ACCEPTED;
}

void Settler::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || (!queue_.empty() && door_ != Door::kHold); });
    if (ending_) return;
    const Batch batch = queue_.front();
    queue_.pop_front();
    lock.unlock();
    settle(batch);
    lock.lock();
    waiting_.erase(batch.token);
    changed_.notify_all();
  }
}

void Settler::settle(const Batch& batch) {
  std::vector<std::array<uint8_t, 16>> ids(batch.count);
  for (uint32_t i = 0; i < batch.count; ++i) ids[i].fill(static_cast<uint8_t>(i));
  weir_settlement settlement{};
  settlement.token = batch.token;
  settlement.count = batch.count;
  settlement.state = batch.failed ? WEIR_FAILED : WEIR_DURABLE;
  settlement.retry_after_ms = batch.failed ? kRetryMs : 0;
  settlement.epoch = 1;
  settlement.first_sequence = next_sequence_;
  settlement.ids = batch.failed ? nullptr : reinterpret_cast<const uint8_t(*)[16]>(ids.data());
  next_sequence_ += batch.count;
  Doing doing(trial_.board(), "settled", trial_.job().call_limit);
  MustNotBlock here;
  table_->settled(self_, &settlement, 1);
}

uint64_t Settler::offered() const {
  std::lock_guard lock(mutex_);
  return offered_;
}
uint64_t Settler::accepted() const {
  std::lock_guard lock(mutex_);
  return accepted_;
}
uint64_t Settler::unsettled() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

bool Settler::wait_offered(uint64_t more_than, base::Monotonic until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return offered_ > more_than; });
}

}  // namespace weir::check
