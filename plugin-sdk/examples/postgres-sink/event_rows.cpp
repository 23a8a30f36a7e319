#include "event_rows.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace postgres_sink {
namespace {

using nlohmann::json;
using weir::sdk::EventView;

std::string hex(const uint8_t (&id)[16]) {
  std::string text;
  for (uint8_t byte : id) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

std::string epoch_text(uint64_t epoch) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(epoch));
  return digits;
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

json value_of(const EventView& event) {
  const weir_event_v1& record = event.record();
  switch (record.value_type) {
    case WEIR_F64: return record.value.f64;
    case WEIR_I64: return record.value.i64;
    case WEIR_BOOL: return record.value.boolean != 0;
    case WEIR_STRING: return event.text(record.value.ref);
    case WEIR_BYTES: return base64(event.text(record.value.ref));
    default: return nullptr;  // a type of a later Weir; the row keeps everything else
  }
}

json row_of(std::string_view gateway_id, uint64_t epoch, const EventView& event) {
  const weir_event_v1& record = event.record();
  json metadata = json::object();
  for (uint32_t i = 0; i < event.metadata_count(); ++i) {
    const auto [key, value] = event.metadata(i);
    metadata[std::string(key)] = value;
  }
  json row = {{"gateway_id", gateway_id},
              {"epoch", epoch_text(epoch)},
              {"sequence", record.sequence},
              {"part", record.part},
              {"id", hex(record.id)},
              {"device_id", event.device_id()},
              {"timestamp", record.timestamp_ns},
              {"received_at", record.received_ns},
              {"sensor_type", event.sensor_type()},
              {"value", value_of(event)},
              {"metadata", std::move(metadata)},
              {"trace_id", hex(record.trace_id)}};
  if (record.unit.size > 0) row["unit"] = event.unit();
  return row;
}

}  // namespace

std::string event_rows(std::string_view gateway_id, const weir_batch* batch, uint32_t first, uint32_t count) {
  json rows = json::array();
  for (uint32_t i = first; i < first + count; ++i) {
    rows.push_back(row_of(gateway_id, batch->epoch, EventView(batch, i)));
  }
  return rows.dump();
}

}  // namespace postgres_sink
