#include "event/validate.h"

#include <cmath>
#include <cstring>
#include <string_view>

namespace weir::event {
namespace {

Fault fault(uint32_t index, const char* field, std::string message) { return {index, field, std::move(message)}; }

// Checks the events of a batch whose head is sound.
class Checker {
 public:
  Checker(const weir_batch& batch, Check check)
      : batch_(batch),
        records_end_(batch.header_size + uint64_t{batch.count} * batch.event_size),
        strict_(check == Check::kFromSource) {}

  std::optional<Fault> event(uint32_t i) {
    const weir_event_v1& event = *weir_event_at(&batch_, i);
    if (auto wrong = text(i, "device_id", event.device_id, true)) return wrong;
    if (auto wrong = text(i, "sensor_type", event.sensor_type, true)) return wrong;
    if (auto wrong = text(i, "unit", event.unit, false)) return wrong;
    if (auto wrong = text(i, "dedupe_key", event.dedupe_key, false)) return wrong;
    if (auto wrong = value(i, event)) return wrong;
    return metadata(i, event);
  }

 private:
  // Head and records are no place for text or pairs: the host writes there later, and what was checked would change.
  bool inside(uint64_t offset, uint64_t size) const {
    if (size > batch_.total_size || offset > batch_.total_size - size) return false;
    return offset >= records_end_ || (offset >= sizeof(weir_batch) && offset + size <= batch_.header_size);
  }
  const char* at(uint32_t offset) const { return reinterpret_cast<const char*>(&batch_) + offset; }

  std::optional<Fault> text(uint32_t i, const char* field, weir_ref ref, bool required) {
    if (ref.size == 0) {
      if (required && strict_) return fault(i, field, "must not be empty");
      return std::nullopt;
    }
    // Neighbours often share their text: what was checked a moment ago is not checked again.
    if (Seen& seen = seen_[ref.offset % kSeen]; seen.offset == ref.offset && seen.size == ref.size) return std::nullopt;
    if (!inside(ref.offset, ref.size)) return fault(i, field, "reference points outside of the batch's text");
    if (strict_ && ref.size > WEIR_TEXT_MAX_BYTES) return fault(i, field, "is longer than 4096 bytes");
    if (strict_ && !valid_text(at(ref.offset), ref.size)) return fault(i, field, "is not UTF-8 without NUL");
    seen_[ref.offset % kSeen] = {ref.offset, ref.size};
    return std::nullopt;
  }

  std::optional<Fault> value(uint32_t i, const weir_event_v1& event) {
    if ((event.value_type & WEIR_VALUE_REF) != 0) {
      weir_ref ref = event.value.ref;
      if (ref.size != 0 && !inside(ref.offset, ref.size)) {
        return fault(i, "value", "reference points outside of the batch's text");
      }
      if (strict_ && event.value_type == WEIR_STRING && !valid_text(at(ref.size != 0 ? ref.offset : 0), ref.size)) {
        return fault(i, "value", "is not UTF-8 without NUL");
      }
      return std::nullopt;
    }
    if (!strict_) return std::nullopt;
    if (event.value_type == 0) return fault(i, "value", "is missing: value_type is 0");
    if (event.value_type == WEIR_F64 && !std::isfinite(event.value.f64)) {
      return fault(i, "value", "is not a finite number");
    }
    if (event.value_type == WEIR_BOOL && event.value.boolean > 1) return fault(i, "value", "boolean is not 0 or 1");
    return std::nullopt;
  }

  std::optional<Fault> metadata(uint32_t i, const weir_event_v1& event) {
    const bool authenticated = strict_ && (event.flags & WEIR_AUTHENTICATED) != 0;
    bool names_subject = false;
    if (event.metadata_count == 0) return authenticated ? std::optional(nobody(i)) : std::nullopt;
    uint64_t bytes = uint64_t{event.metadata_count} * sizeof(weir_metadata);
    if (event.metadata_offset % 4 != 0 || !inside(event.metadata_offset, bytes)) {
      return fault(i, "metadata", "pairs lie outside of the batch's text or are not 4-aligned");
    }
    std::string_view before;
    for (uint32_t k = 0; k < event.metadata_count; ++k) {
      weir_metadata pair;
      std::memcpy(&pair, at(event.metadata_offset) + k * sizeof pair, sizeof pair);
      if (auto wrong = text(i, "metadata", pair.key, true)) return wrong;
      if (pair.value.size != 0 && !inside(pair.value.offset, pair.value.size)) {
        return fault(i, "metadata", "reference points outside of the batch's text");
      }
      if (!strict_) continue;
      if (!valid_text(at(pair.value.size != 0 ? pair.value.offset : 0), pair.value.size)) {
        return fault(i, "metadata", "a value is not UTF-8 without NUL");
      }
      std::string_view key(at(pair.key.offset), pair.key.size);
      if (key.starts_with("weir.")) {
        if (!authenticated || key != WEIR_AUTH_SUBJECT || pair.value.size == 0) {
          return fault(i, "metadata", "keys that begin with 'weir.' are reserved");
        }
        names_subject = true;
      }
      if (k != 0 && key <= before) return fault(i, "metadata", "keys are not sorted and unique");
      before = key;
    }
    if (authenticated && !names_subject) return nobody(i);
    return std::nullopt;
  }

  static Fault nobody(uint32_t i) {
    return fault(i, "flags", "WEIR_AUTHENTICATED is set, but the metadata 'weir.auth.subject' does not say who it is");
  }

  struct Seen {
    uint32_t offset = 0, size = 0;
  };
  static constexpr size_t kSeen = 64;
  const weir_batch& batch_;
  uint64_t records_end_;
  bool strict_;
  Seen seen_[kSeen];
};

std::optional<Fault> check_head(const weir_batch& batch, size_t size) {
  if (batch.magic != WEIR_BATCH_MAGIC) return fault(0, "magic", "is not that of a batch");
  if (batch.total_size != size) return fault(0, "total_size", "does not match the bytes given");
  if (size > WEIR_BATCH_MAX_BYTES) return fault(0, "total_size", "is over 16 MiB");
  if (batch.event_size < sizeof(weir_event_v1) || batch.event_size % 8 != 0 || batch.event_size > 65536) {
    return fault(0, "event_size", "is not a multiple of 8 between 128 and 65536");
  }
  if (batch.header_size < sizeof(weir_batch) || batch.header_size % 8 != 0 || batch.header_size > size) {
    return fault(0, "header_size", "does not lie in the batch");
  }
  if (batch.count > WEIR_BATCH_MAX_EVENTS) return fault(0, "count", "is over 65536");
  if (uint64_t{batch.count} * batch.event_size > size - batch.header_size) {
    return fault(0, "count", "records reach beyond the end of the batch");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Fault> validate(const void* data, size_t size, Check check) {
  if (reinterpret_cast<uintptr_t>(data) % 8 != 0) return fault(0, "batch", "is not 8-aligned");
  if (size < sizeof(weir_batch)) return fault(0, "batch", "is shorter than its head");
  const auto& batch = *static_cast<const weir_batch*>(data);
  if (auto wrong = check_head(batch, size)) return wrong;
  Checker checker(batch, check);
  for (uint32_t i = 0; i < batch.count; ++i) {
    if (auto wrong = checker.event(i)) return wrong;
  }
  return std::nullopt;
}

bool valid_text(const char* data, size_t size) {
  const auto* at = reinterpret_cast<const uint8_t*>(data);
  const uint8_t* end = at + size;
  while (at < end) {
    // Eight ASCII bytes at a time: none with the high bit, none zero.
    while (end - at >= 8) {
      uint64_t word;
      std::memcpy(&word, at, 8);
      if (((word | (word - 0x0101010101010101u)) & 0x8080808080808080u) != 0) break;
      at += 8;
    }
    if (at == end) break;
    uint8_t lead = *at++;
    if (lead == 0) return false;
    if (lead < 0x80) continue;
    if (lead < 0xC2 || lead > 0xF4) return false;
    int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (end - at < more) return false;
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (*at < low || *at > high) return false;
    for (int k = 1; k < more; ++k) {
      if ((at[k] & 0xC0) != 0x80) return false;
    }
    at += more;
  }
  return true;
}

}  // namespace weir::event
