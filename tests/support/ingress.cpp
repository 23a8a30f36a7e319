#include "support/ingress.h"

#include <algorithm>
#include <cstring>

namespace weir::test {
namespace {

void answer_to(weir_emit_result* result, const EmitAnswer& answer) {
  if (result == nullptr) return;
  result->retry_after_ms = answer.retry_after_ms;
  result->index = answer.index;
  std::snprintf(result->field, sizeof result->field, "%s", answer.field.c_str());
  if (result->message != nullptr && result->message_capacity > 0) {
    std::snprintf(result->message, result->message_capacity, "%s", answer.message.c_str());
  }
}

}  // namespace

Ingress::~Ingress() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Ingress::on_emit(std::function<EmitAnswer(const weir_batch*)> decide) {
  std::lock_guard lock(mutex_);
  decide_ = std::move(decide);
}

void Ingress::settle_mode(Settle mode) {
  std::lock_guard lock(mutex_);
  mode_ = mode;
  if (mode == Settle::kFromAnotherThread && !thread_.joinable()) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }
}

void Ingress::keep_batches(bool keep) {
  std::lock_guard lock(mutex_);
  keep_ = keep;
}

uint32_t Ingress::emit(const weir_batch* batch, uint64_t token, weir_emit_result* result) {
  std::function<EmitAnswer(const weir_batch*)> decide;
  {
    std::lock_guard lock(mutex_);
    decide = decide_;
  }
  const EmitAnswer answer = decide ? decide(batch) : EmitAnswer{};
  answer_to(result, answer);
  std::unique_lock lock(mutex_);
  if (answer.verdict != WEIR_ACCEPTED) {
    ++refused_;
    changed_.notify_all();
    return answer.verdict;
  }
  emitted_.push_back({token, keep_ ? Block(batch) : Block(), batch->count, next_sequence_, false});
  next_sequence_ += batch->count;
  ++batches_;
  events_ += batch->count;
  const Settle mode = mode_;
  if (mode == Settle::kFromAnotherThread) orders_.push_back({token, WEIR_DURABLE, 0, 0});
  changed_.notify_all();
  lock.unlock();
  if (mode == Settle::kWithinEmit) settle(token);
  return WEIR_ACCEPTED;
}

bool Ingress::settle(uint64_t token, uint32_t state, uint32_t duplicates, uint32_t retry_after_ms) {
  return deliver({token, state, duplicates, retry_after_ms});
}

size_t Ingress::settle_all(uint32_t state, uint32_t retry_after_ms) {
  std::vector<uint64_t> tokens;
  {
    std::lock_guard lock(mutex_);
    for (const Emitted& emitted : emitted_) {
      if (!emitted.settled) tokens.push_back(emitted.token);
    }
  }
  return static_cast<size_t>(std::count_if(
      tokens.begin(), tokens.end(), [&](uint64_t token) { return settle(token, state, 0, retry_after_ms); }));
}

bool Ingress::deliver(const Order& order) {
  std::unique_lock lock(mutex_);
  // From the back: the waiting ones are the young ones, also when a long run has emitted many.
  const auto found = std::find_if(emitted_.rbegin(), emitted_.rend(), [&](const Emitted& emitted) {
    return emitted.token == order.token && !emitted.settled;
  });
  if (found == emitted_.rend() || source_ == nullptr) return false;
  found->settled = true;
  const uint32_t count = found->count;
  const uint64_t first = found->first_sequence;
  if (!keep_) {
    while (!emitted_.empty() && emitted_.front().settled) emitted_.pop_front();
  }
  const weir_source_v1* source = source_;
  void* self = self_;
  ++calls_;
  lock.unlock();
  std::vector<uint8_t> ids(size_t{count} * 16);
  auto* id = reinterpret_cast<uint8_t(*)[16]>(ids.data());
  for (uint32_t i = 0; i < count; ++i) make_id(first + i, id[i]);
  const weir_settlement settlement{order.token,      order.state,         count, 1, first, id,
                                   order.duplicates, order.retry_after_ms};
  source->settled(self, &settlement, 1);
  lock.lock();
  --calls_;
  changed_.notify_all();
  return true;
}

void Ingress::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !orders_.empty(); })) {
    const Order order = orders_.front();
    orders_.pop_front();
    lock.unlock();
    deliver(order);
    lock.lock();
  }
}

bool Ingress::wait_for_batches(size_t n, std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return batches_ >= n; });
}

bool Ingress::wait_for_events(size_t n, std::chrono::nanoseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return events_ >= n; });
}

std::vector<Emitted> Ingress::batches() const {
  std::lock_guard lock(mutex_);
  return {emitted_.begin(), emitted_.end()};
}

std::vector<TestEvent> Ingress::events() const {
  std::vector<TestEvent> all;
  for (const Emitted& emitted : batches()) {
    if (emitted.batch.count() == 0) continue;
    for (TestEvent& event : events_of(emitted.batch)) all.push_back(std::move(event));
  }
  return all;
}

size_t Ingress::accepted_events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

size_t Ingress::refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

void Ingress::make_id(uint64_t sequence, uint8_t (&id)[16]) {
  std::memset(id, 0, sizeof id);
  id[6] = 0x70;  // UUID version 7
  id[8] = 0x80;  // variant
  for (int i = 0; i < 7; ++i) id[15 - i] = static_cast<uint8_t>(sequence >> (8 * i));
}

void Ingress::bind(const weir_source_v1* source, void* self) {
  std::lock_guard lock(mutex_);
  source_ = source;
  self_ = self;
}

void Ingress::unbind() {
  std::unique_lock lock(mutex_);
  source_ = nullptr;
  changed_.wait(lock, [&] { return calls_ == 0; });
}

}  // namespace weir::test
