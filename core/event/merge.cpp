#include "event/merge.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace weir::event {

weir_ref Merger::put(const weir_batch* batch, weir_ref ref) {
  if (ref.size == 0) return {0, 0};
  // Compared by content, not by place: the block of an earlier event may be gone and its memory used again.
  const char* text = reinterpret_cast<const char*>(batch) + ref.offset;
  size_t hash = ref.size * size_t{31} + static_cast<uint8_t>(text[0]) * 7u + static_cast<uint8_t>(text[ref.size - 1]);
  weir_ref& lately = lately_[hash % std::size(lately_)];
  if (lately.size == ref.size && std::memcmp(text_.data() + lately.offset, text, ref.size) == 0) return lately;
  weir_ref to{static_cast<uint32_t>(text_.size()), ref.size};
  text_.append(text, ref.size);
  lately = to;
  return to;
}

void Merger::add(const weir_batch* batch, uint32_t index) {
  if (count_ == 0) {
    text_.assign(sizeof(weir_batch), '\0');
    stride_ = batch->event_size;
    epoch_ = batch->epoch;
    std::fill(std::begin(lately_), std::end(lately_), weir_ref{0, 0});
  }
  if (batch->event_size > stride_) {
    // A newer record is longer: the earlier ones get zeros at their end.
    std::string wider(size_t{batch->event_size} * count_, '\0');
    for (uint32_t i = 0; i < count_; ++i) {
      std::memcpy(&wider[size_t{i} * batch->event_size], &records_[size_t{i} * stride_], stride_);
    }
    records_ = std::move(wider);
    stride_ = batch->event_size;
  }
  const weir_event_v1& from = *weir_event_at(batch, index);
  size_t at = records_.size();
  records_.append(reinterpret_cast<const char*>(&from), batch->event_size);
  records_.resize(at + stride_, '\0');
  weir_event_v1 event;
  std::memcpy(&event, &from, sizeof event);
  event.device_id = put(batch, from.device_id);
  event.sensor_type = put(batch, from.sensor_type);
  event.unit = put(batch, from.unit);
  event.dedupe_key = put(batch, from.dedupe_key);
  if ((from.value_type & WEIR_VALUE_REF) != 0) event.value.ref = put(batch, from.value.ref);
  if (from.metadata_count != 0) {
    std::string pairs(size_t{from.metadata_count} * sizeof(weir_metadata), '\0');
    std::memcpy(pairs.data(), reinterpret_cast<const char*>(batch) + from.metadata_offset, pairs.size());
    for (uint32_t k = 0; k < from.metadata_count; ++k) {
      weir_metadata pair;
      std::memcpy(&pair, &pairs[k * sizeof pair], sizeof pair);
      pair = {put(batch, pair.key), put(batch, pair.value)};
      std::memcpy(&pairs[k * sizeof pair], &pair, sizeof pair);
    }
    text_.append((4 - text_.size() % 4) % 4, '\0');
    event.metadata_offset = static_cast<uint32_t>(text_.size());
    text_ += pairs;
  }
  std::memcpy(&records_[at], &event, sizeof event);
  ++count_;
}

Block Merger::take() {
  if (count_ == 0) text_.assign(sizeof(weir_batch), '\0');
  text_.append((8 - text_.size() % 8) % 8, '\0');
  Block block(text_.size() + records_.size());
  std::memcpy(block.data(), text_.data(), text_.size());
  if (!records_.empty()) std::memcpy(block.data() + text_.size(), records_.data(), records_.size());
  *block.batch() = {WEIR_BATCH_MAGIC, static_cast<uint32_t>(text_.size()),
                    std::max<uint32_t>(stride_, sizeof(weir_event_v1)), count_, block.size(), epoch_};
  records_.clear();
  text_.clear();
  count_ = 0;
  return block;
}

}  // namespace weir::event
