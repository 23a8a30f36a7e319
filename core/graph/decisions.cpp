#include "graph/decisions.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "event/validate.h"

namespace weir::graph {
namespace {

// A reason is a label of a metric or one line of a dead letter, not a dump.
constexpr size_t kMaxReasonBytes = 512;
// Far more than a transform has fields to set; a runaway one is stopped by it.
constexpr size_t kMaxChanges = 8 * size_t{WEIR_BATCH_MAX_EVENTS};
// What a vector keeps for the next batch; more was for an unusual one.
constexpr size_t kKeptBytes = 1024 * 1024;

constexpr std::string_view kReserved = "weir.";

template <class T>
void reset(std::vector<T>* vector) {
  vector->clear();
  if (vector->capacity() * sizeof(T) > kKeptBytes) vector->shrink_to_fit();
}

bool readable(weir_text text) { return text.size == 0 || text.data != nullptr; }
std::string_view view(weir_text text) {
  return {text.size != 0 ? text.data : "", static_cast<size_t>(text.size)};
}
bool valid(weir_text text, uint64_t limit) {
  return readable(text) && text.size <= limit && event::valid_text(text.data, text.size);
}
bool valid_key(weir_text key) {
  return key.size != 0 && valid(key, WEIR_TEXT_MAX_BYTES) && !view(key).starts_with(kReserved);
}

// One line that can be stored and shown: cut to size, control characters and broken UTF-8 replaced.
std::string one_line(std::string_view from) {
  size_t size = std::min(from.size(), kMaxReasonBytes);
  if (size < from.size()) {
    while (size != 0 && (static_cast<uint8_t>(from[size]) & 0xC0) == 0x80) --size;
  }
  std::string line(from.substr(0, size));
  bool broken = !event::valid_text(line.data(), line.size());
  for (char& c : line) {
    auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F || (broken && byte >= 0x80)) c = '?';
  }
  return line;
}

// Values of a type that this host does not know are moved as they are.
bool valid_value(uint32_t type, const weir_value& value, weir_text text) {
  if (type == WEIR_F64) return std::isfinite(value.f64);
  if (type == WEIR_BOOL) return value.boolean <= 1;
  if (type == WEIR_STRING) return valid(text, WEIR_BATCH_MAX_BYTES);
  return type != 0 && readable(text);
}

weir_metadata pair_at(const event::Block& block, const weir_event_v1& event, uint32_t k) {
  weir_metadata pair;
  std::memcpy(&pair, block.data() + event.metadata_offset + k * sizeof pair, sizeof pair);
  return pair;
}

Decisions& as_decisions(weir_output* output) { return *static_cast<Decisions*>(output); }

}  // namespace

uint32_t kept_prefix(const weir_batch& batch) {
  bool records_last = batch.header_size + uint64_t{batch.count} * batch.event_size == batch.total_size;
  return records_last ? batch.header_size : static_cast<uint32_t>(batch.total_size);
}

// The callbacks must not throw through a plugin's frames: running out of memory ends the process, as it does
// everywhere in the gateway.
Decisions::Decisions() : weir_output{} {
  keep = [](weir_output* output, uint32_t i) noexcept {
    Decisions& self = as_decisions(output);
    i < self.count_ ? self.set_kept(i) : static_cast<void>(++self.ignored_);
  };
  drop = [](weir_output* output, uint32_t i, weir_text reason) noexcept {
    Decisions& self = as_decisions(output);
    if (i >= self.count_) return static_cast<void>(++self.ignored_);
    self.refuse(i, kDropped, 0, readable(reason) ? view(reason) : "");
  };
  reject = [](weir_output* output, uint32_t i, uint32_t code, weir_text message) noexcept {
    Decisions& self = as_decisions(output);
    if (i >= self.count_) return static_cast<void>(++self.ignored_);
    self.refuse(i, kRejected, code, readable(message) ? view(message) : "");
  };
  amend = [](weir_output* output, uint32_t i, const weir_amendment* amendment) noexcept {
    Decisions& self = as_decisions(output);
    if (i >= self.count_ || amendment == nullptr) return self.ignored(WEIR_E_INVALID);
    weir_status status = self.note(i, *amendment);
    if (status == WEIR_OK) self.set_kept(i);
    return status;
  };
  emit = [](weir_output* output, uint32_t cause, const weir_new_event* event) noexcept {
    Decisions& self = as_decisions(output);
    if (cause >= self.count_ || event == nullptr) return self.ignored(WEIR_E_INVALID);
    return self.derive(cause, *event);
  };
  put = [](weir_output* output, weir_text key, const void* value, uint64_t size) noexcept {
    Decisions& self = as_decisions(output);
    if (self.state_ == nullptr || self.count_ == 0) return self.ignored(WEIR_E_UNSUPPORTED);
    if (key.size == 0 || !valid(key, WEIR_TEXT_MAX_BYTES) || (size != 0 && value == nullptr)) {
      return self.ignored(WEIR_E_INVALID);
    }
    return self.state_->put(key, value, size);
  };
}

void Decisions::begin(const event::Block& block, StateChanges* changes) {
  block_ = &block;
  state_ = changes;
  count_ = size_ = block.batch()->count;
  kept_ = undecided_ = 0;
  ignored_ = 0;
  overflow_ = false;
  states_.assign(size_, kNone);
  reset(&changes_);
  reset(&derived_);
  reset(&refusals_);
  tail_.begin(block, (kept_prefix(*block.batch()) + 7) / 8 * 8);
}

void Decisions::begin_tick(const event::Block& block, StateChanges* changes) {
  begin(block, changes);
  states_[0] = kDropped;
}

void Decisions::set_kept(uint32_t i) {
  if ((states_[i] & kDecision) != kNone) return;
  states_[i] |= kKept;
  ++kept_;
}

void Decisions::refuse(uint32_t i, uint8_t decision, uint32_t code, std::string_view reason) {
  uint8_t before = states_[i] & kDecision;
  if (before >= decision) return;
  if (before == kKept) --kept_;
  states_[i] = static_cast<uint8_t>((states_[i] & kEmitted) | decision);
  refusals_.push_back({i, decision == kDropped ? Fate::kFiltered : Fate::kRejected, code, one_line(reason)});
}

bool Decisions::room(uint64_t bytes) {
  if (tail_.fits(bytes) && changes_.size() < kMaxChanges) return true;
  overflow_ = true;
  return false;
}

weir_status Decisions::note(uint32_t i, const weir_amendment& amendment) {
  if (overflow_) return WEIR_E_UNAVAILABLE;
  switch (amendment.field) {
    case WEIR_FIELD_TIMESTAMP:
      if (!room(0)) return WEIR_E_UNAVAILABLE;
      changes_.push_back({i, amendment.field, 0, 0, amendment.value, {0, 0}});
      return WEIR_OK;
    case WEIR_FIELD_DEVICE_ID:
    case WEIR_FIELD_SENSOR_TYPE:
      return note_text(i, amendment, true);
    case WEIR_FIELD_UNIT:
      return note_text(i, amendment, false);
    case WEIR_FIELD_VALUE:
      return note_value(i, amendment);
    case WEIR_FIELD_METADATA:
      return note_metadata(i, amendment);
    default:
      return ignored(WEIR_E_UNSUPPORTED);
  }
}

weir_status Decisions::note_text(uint32_t i, const weir_amendment& amendment, bool required) {
  weir_text text = amendment.text;
  if ((required && text.size == 0) || !valid(text, WEIR_TEXT_MAX_BYTES)) return ignored(WEIR_E_INVALID);
  if (!room(text.size)) return WEIR_E_UNAVAILABLE;
  Change change{i, amendment.field, 0, 0, {}, {0, 0}};
  change.value.ref = tail_.text(view(text));
  changes_.push_back(change);
  return WEIR_OK;
}

weir_status Decisions::note_value(uint32_t i, const weir_amendment& amendment) {
  uint32_t type = amendment.value_type;
  bool by_reference = (type & WEIR_VALUE_REF) != 0;
  if (!valid_value(type, amendment.value, amendment.text)) return ignored(WEIR_E_INVALID);
  if (!room(by_reference ? amendment.text.size : 0)) return WEIR_E_UNAVAILABLE;
  Change change{i, amendment.field, type, 0, amendment.value, {0, 0}};
  if (by_reference) change.value.ref = tail_.text(view(amendment.text));
  changes_.push_back(change);
  return WEIR_OK;
}

weir_status Decisions::note_metadata(uint32_t i, const weir_amendment& amendment) {
  if (!valid_key(amendment.key) || !valid(amendment.text, WEIR_BATCH_MAX_BYTES))
    return ignored(WEIR_E_INVALID);
  if (!room(amendment.key.size + amendment.text.size)) return WEIR_E_UNAVAILABLE;
  Change change{i, amendment.field, 0, 0, {}, tail_.text(view(amendment.key))};
  change.value.ref = tail_.text(view(amendment.text));
  changes_.push_back(change);
  return WEIR_OK;
}

weir_status Decisions::derive(uint32_t cause, const weir_new_event& event) {
  if (overflow_) return WEIR_E_UNAVAILABLE;
  bool by_reference = (event.value_type & WEIR_VALUE_REF) != 0;
  if (!valid(event.device_id, WEIR_TEXT_MAX_BYTES) || !valid(event.sensor_type, WEIR_TEXT_MAX_BYTES) ||
      !valid(event.unit, WEIR_TEXT_MAX_BYTES) ||
      (event.value_type != 0 && !valid_value(event.value_type, event.value, event.value_text))) {
    return ignored(WEIR_E_INVALID);
  }
  // What a stateful transform makes stands for itself, so it has to be whole.
  if (state_ != nullptr && (event.device_id.size == 0 || event.sensor_type.size == 0 || event.value_type == 0)) {
    return ignored(WEIR_E_INVALID);
  }
  uint64_t bytes = event.device_id.size + event.sensor_type.size + event.unit.size;
  if (by_reference) bytes += std::min<uint64_t>(event.value_text.size, WEIR_BATCH_MAX_BYTES + 1);
  if (derived_.size() >= WEIR_BATCH_MAX_EVENTS || !room(bytes)) {
    overflow_ = true;
    return WEIR_E_UNAVAILABLE;
  }
  Derived derived{cause, event.value_type, event.timestamp_ns, {}, {}, {}, event.value, 0, 0};
  if (weir_status status = derive_metadata(event, &derived); status != WEIR_OK) return status;
  derived.device_id = tail_.text(view(event.device_id));
  derived.sensor_type = tail_.text(view(event.sensor_type));
  derived.unit = tail_.text(view(event.unit));
  if (by_reference) derived.value.ref = tail_.text(view(event.value_text));
  derived_.push_back(derived);
  states_[cause] |= kEmitted;
  return WEIR_OK;
}

// The given pairs, and the cause's keys that are the host's: those follow an event whatever a transform says.
weir_status Decisions::derive_metadata(const weir_new_event& event, Derived* derived) {
  if (event.metadata_count == 0) return WEIR_OK;
  if (event.metadata == nullptr) return ignored(WEIR_E_INVALID);
  uint64_t bytes = 4;
  for (uint32_t k = 0; k < event.metadata_count; ++k) {
    weir_text key = event.metadata[2 * size_t{k}], value = event.metadata[2 * size_t{k} + 1];
    if (!valid_key(key) || !valid(value, WEIR_BATCH_MAX_BYTES)) return ignored(WEIR_E_INVALID);
    bytes += key.size + value.size + sizeof(weir_metadata);
    if (!room(bytes)) return WEIR_E_UNAVAILABLE;
  }
  pairs_.clear();
  for (uint32_t k = 0; k < event.metadata_count; ++k) {
    weir_ref key = tail_.text(view(event.metadata[2 * size_t{k}]));
    pairs_.push_back({key, tail_.text(view(event.metadata[2 * size_t{k} + 1]))});
  }
  const weir_event_v1& cause = *block_->event(derived->cause);
  for (uint32_t k = 0; k < cause.metadata_count && state_ == nullptr; ++k) {
    weir_metadata pair = pair_at(*block_, cause, k);
    if (block_->text(pair.key).starts_with(kReserved)) pairs_.push_back(pair);
  }
  auto key_of = [this](const weir_metadata& pair) { return tail_.view(pair.key); };
  std::sort(pairs_.begin(), pairs_.end(),
            [&](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  for (size_t k = 1; k < pairs_.size(); ++k) {
    if (key_of(pairs_[k - 1]) == key_of(pairs_[k])) return ignored(WEIR_E_INVALID);
  }
  if (!room(pairs_.size() * sizeof(weir_metadata) + 4)) return WEIR_E_UNAVAILABLE;
  derived->metadata_count = static_cast<uint32_t>(pairs_.size());
  derived->metadata_offset = tail_.pairs(pairs_);
  return WEIR_OK;
}

void Decisions::settle(weir_status status, std::string_view text) {
  count_ = 0;
  if (all_kept()) return;
  for (uint32_t i = 0; i < size_; ++i) {
    if (states_[i] != kNone || (state_ != nullptr && status == WEIR_OK)) continue;
    ++undecided_;
    if (status == WEIR_OK) {
      refuse(i, kDropped, 0, "no decision");
    } else {
      refuse(i, kRejected, static_cast<uint32_t>(status), text);
    }
  }
  std::erase_if(refusals_, [this](const Refusal& refusal) {
    uint8_t decision = states_[refusal.index] & kDecision;
    return decision != (refusal.fate == Fate::kFiltered ? kDropped : kRejected);
  });
  auto by_event = [](const auto& a, const auto& b) { return a.index < b.index; };
  auto by_cause = [](const Derived& a, const Derived& b) { return a.cause < b.cause; };
  std::sort(refusals_.begin(), refusals_.end(), by_event);
  std::stable_sort(derived_.begin(), derived_.end(), by_cause);
  if (!std::is_sorted(changes_.begin(), changes_.end(), by_event)) {
    std::stable_sort(changes_.begin(), changes_.end(), by_event);
  }
  for (size_t first = 0; first < changes_.size() && !overflow_;) {
    size_t last = first + 1;
    while (last < changes_.size() && changes_[last].index == changes_[first].index) ++last;
    if (kept(changes_[first].index)) resolve_metadata(first, last);
    first = last;
  }
}

// Turns the metadata amendments among changes [first, last) of one event into one new array of pairs.
void Decisions::resolve_metadata(size_t first, size_t last) {
  auto is_metadata = [](const Change& change) { return change.field == WEIR_FIELD_METADATA; };
  auto begin = changes_.begin() + static_cast<ptrdiff_t>(first),
       end = changes_.begin() + static_cast<ptrdiff_t>(last);
  auto one = std::find_if(begin, end, is_metadata);
  if (one == end) return;
  const weir_event_v1& event = *block_->event(one->index);
  pairs_.clear();
  for (uint32_t k = 0; k < event.metadata_count; ++k) pairs_.push_back(pair_at(*block_, event, k));
  for (auto change = one; change != end; ++change) {
    if (!is_metadata(*change)) continue;
    pairs_.push_back({change->key, change->value.ref});
    if (change != one) change->field = 0;
  }
  // The last of equal keys counts; empty text removes a key, but an empty value that was there stays.
  auto added = [this](const weir_metadata& pair) { return pair.key.offset >= tail_.base(); };
  std::stable_sort(pairs_.begin(), pairs_.end(), [this](const weir_metadata& a, const weir_metadata& b) {
    return tail_.view(a.key) < tail_.view(b.key);
  });
  size_t size = 0;
  for (size_t k = 0; k < pairs_.size(); ++k) {
    if (k + 1 < pairs_.size() && tail_.view(pairs_[k].key) == tail_.view(pairs_[k + 1].key)) continue;
    if (pairs_[k].value.size == 0 && added(pairs_[k])) continue;
    pairs_[size++] = pairs_[k];
  }
  pairs_.resize(size);
  if (!room(size * sizeof(weir_metadata) + 4)) return;
  one->metadata_count = static_cast<uint32_t>(size);
  one->key.offset = tail_.pairs(pairs_);
}

uint64_t Decisions::result_bytes() const {
  uint64_t records = uint64_t{kept_} + derived_.size();
  if (overflow_ || records > WEIR_BATCH_MAX_EVENTS) return uint64_t{WEIR_BATCH_MAX_BYTES} + 1;
  uint64_t tail = (tail_.bytes().size() + 7) / 8 * 8;
  return tail_.base() + tail + records * block_->batch()->event_size;
}

}  // namespace weir::graph
