// Building and reading batches in C++. Header only; what leaves it is the plain layout of batch.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/batch.h"

namespace weir::sdk {

inline std::string_view view(weir_text text) { return {text.data, static_cast<size_t>(text.size)}; }
inline weir_text text(std::string_view view) { return {view.data(), view.size()}; }

// Reads one event of a validated batch. Owns nothing.
class EventView {
 public:
  EventView(const weir_batch* batch, uint32_t index) : batch_(batch), event_(weir_event_at(batch, index)) {}

  const weir_event_v1& record() const { return *event_; }
  std::string_view text(weir_ref ref) const { return view(weir_text_at(batch_, ref)); }
  std::string_view device_id() const { return text(event_->device_id); }
  std::string_view sensor_type() const { return text(event_->sensor_type); }
  std::string_view unit() const { return text(event_->unit); }
  std::string_view dedupe_key() const { return text(event_->dedupe_key); }

  // The value as a number: F64 and I64 only.
  bool number(double* out) const {
    if (event_->value_type == WEIR_F64) return *out = event_->value.f64, true;
    if (event_->value_type == WEIR_I64) return *out = static_cast<double>(event_->value.i64), true;
    return false;
  }

  uint32_t metadata_count() const { return event_->metadata_count; }
  std::pair<std::string_view, std::string_view> metadata(uint32_t i) const {
    weir_metadata pair;
    std::memcpy(&pair, reinterpret_cast<const uint8_t*>(batch_) + event_->metadata_offset + i * sizeof pair,
                sizeof pair);
    return {text(pair.key), text(pair.value)};
  }

 private:
  const weir_batch* batch_;
  const weir_event_v1* event_;
};

// Makes a batch. Text comes first in the block and the records after it, so that no reference has to be moved when
// the number of events is not known beforehand. Reuse one builder: clear() keeps the memory. One thread at a time.
class BatchBuilder {
 public:
  BatchBuilder() { clear(); }
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;
  ~BatchBuilder() { std::free(block_); }

  void clear() {
    size_ = 0;
    records_.clear();
    interned_.fill({0, 0});
    append(nullptr, sizeof(weir_batch));
  }

  uint32_t count() const { return static_cast<uint32_t>(records_.size()); }
  // What the finished block will take, in bytes.
  size_t bytes() const { return align(size_) + records_.size() * sizeof(weir_event_v1); }

  // A new event, all zero. The reference holds until the next add().
  weir_event_v1& add() { return records_.emplace_back(); }
  weir_event_v1& event(uint32_t i) { return records_[i]; }

  // Puts text into the block. Text that was put lately is shared instead of repeated.
  weir_ref text(std::string_view text) {
    if (text.empty()) return {0, 0};
    weir_ref& slot = interned_[(text.size() * 31 + static_cast<uint8_t>(text.back()) * 7 +
                                static_cast<uint8_t>(text.front())) % interned_.size()];
    if (slot.size == text.size() && std::memcmp(block_ + slot.offset, text.data(), text.size()) == 0) return slot;
    return slot = bytes(text.data(), text.size());
  }

  weir_ref bytes(const void* data, size_t size) {
    if (size == 0) return {0, 0};
    weir_ref ref{static_cast<uint32_t>(size_), static_cast<uint32_t>(size)};
    append(data, size);
    return ref;
  }

  // Sets the event's metadata. Sorts `pairs`; keys must be unique.
  void metadata(uint32_t event, std::span<std::pair<std::string_view, std::string_view>> pairs) {
    if (pairs.empty()) return;
    std::sort(pairs.begin(), pairs.end());
    scratch_.clear();
    for (const auto& [key, value] : pairs) scratch_.push_back({text(key), text(value)});
    append(nullptr, (4 - size_ % 4) % 4);
    records_[event].metadata_offset = static_cast<uint32_t>(size_);
    records_[event].metadata_count = static_cast<uint32_t>(scratch_.size());
    append(scratch_.data(), scratch_.size() * sizeof(weir_metadata));
  }

  // Says who sent the event, as the protocol has proved it: a certificate's subject, a login. Becomes its metadata
  // "weir.auth.subject", beside what metadata() has set before.
  void authenticated(uint32_t event, std::string_view subject) {
    weir_event_v1& record = records_[event];
    record.flags |= WEIR_AUTHENTICATED;
    const weir_metadata added{text(WEIR_AUTH_SUBJECT), text(subject)};
    const size_t count = record.metadata_count;
    scratch_.resize(count);
    if (count > 0) std::memcpy(scratch_.data(), block_ + record.metadata_offset, count * sizeof added);
    const auto behind = std::upper_bound(
        scratch_.begin(), scratch_.end(), added, [this](const weir_metadata& a, const weir_metadata& b) {
          return view({reinterpret_cast<const char*>(block_) + a.key.offset, a.key.size}) <
                 view({reinterpret_cast<const char*>(block_) + b.key.offset, b.key.size});
        });
    scratch_.insert(behind, added);
    append(nullptr, (4 - size_ % 4) % 4);
    record.metadata_offset = static_cast<uint32_t>(size_);
    record.metadata_count = static_cast<uint32_t>(scratch_.size());
    append(scratch_.data(), scratch_.size() * sizeof(weir_metadata));
  }

  // The block, valid until the next call of clear(). Call it once a batch.
  const weir_batch* finish() {
    append(nullptr, align(size_) - size_);
    weir_batch head{WEIR_BATCH_MAGIC, static_cast<uint32_t>(size_), sizeof(weir_event_v1), count(), 0, 0};
    append(records_.data(), records_.size() * sizeof(weir_event_v1));
    head.total_size = size_;
    std::memcpy(block_, &head, sizeof head);
    return reinterpret_cast<const weir_batch*>(block_);
  }

 private:
  static size_t align(size_t n) { return (n + 7) / 8 * 8; }

  void append(const void* data, size_t size) {
    if (size_ + size > capacity_) {
      capacity_ = std::max<size_t>(4096, std::max(capacity_ * 2, size_ + size));
      auto* grown = static_cast<uint8_t*>(std::realloc(block_, capacity_));
      if (grown == nullptr) throw std::bad_alloc();
      block_ = grown;
    }
    if (size == 0) return;
    if (data == nullptr) {
      std::memset(block_ + size_, 0, size);
    } else {
      std::memcpy(block_ + size_, data, size);
    }
    size_ += size;
  }

  uint8_t* block_ = nullptr;  // malloc's alignment is at least 8
  size_t size_ = 0;
  size_t capacity_ = 0;
  std::vector<weir_event_v1> records_;
  std::vector<weir_metadata> scratch_;
  std::array<weir_ref, 64> interned_;
};

}  // namespace weir::sdk
