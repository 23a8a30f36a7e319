#include "event/json.h"

#include <charconv>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "event/identity.h"

namespace weir::event {
namespace {

std::string text_of(const weir_batch* batch, weir_ref ref) {
  weir_text text = weir_text_at(batch, ref);
  return std::string(text.data, text.size);
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    size_t n = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void put_value(nlohmann::ordered_json& out, const weir_batch* batch, const weir_event_v1& event) {
  switch (event.value_type) {
    case WEIR_F64: out["value"] = event.value.f64; return;
    case WEIR_I64: out["value"] = event.value.i64; return;
    case WEIR_BOOL: out["value"] = event.value.boolean != 0; return;
    case WEIR_STRING: out["value"] = text_of(batch, event.value.ref); return;
    case WEIR_BYTES:
      out["value"] = base64(text_of(batch, event.value.ref));
      out["value_type"] = "bytes";
      return;
    default:
      out["value"] = nullptr;
      out["value_type"] = event.value_type;
  }
}

}  // namespace

std::string to_json(const weir_batch* batch, uint32_t index, std::string_view gateway_id) {
  const weir_event_v1& event = *weir_event_at(batch, index);
  nlohmann::ordered_json out;
  out["id"] = to_text(event.id);
  out["gateway_id"] = gateway_id;
  out["epoch"] = epoch_text(batch->epoch);
  out["sequence"] = event.sequence;
  out["part"] = event.part;
  out["device_id"] = text_of(batch, event.device_id);
  out["timestamp"] = base::rfc3339(event.timestamp_ns);
  out["received_at"] = base::rfc3339(event.received_ns);
  out["sensor_type"] = text_of(batch, event.sensor_type);
  put_value(out, batch, event);
  if (event.unit.size != 0) out["unit"] = text_of(batch, event.unit);
  for (uint32_t k = 0; k < event.metadata_count; ++k) {
    weir_metadata pair;
    std::memcpy(&pair, reinterpret_cast<const char*>(batch) + event.metadata_offset + k * sizeof pair, sizeof pair);
    out["metadata"][text_of(batch, pair.key)] = text_of(batch, pair.value);
  }
  out["trace_id"] = hex(event.trace_id, sizeof event.trace_id);
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weir::event
