#include "weir/mapping/event_json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "weir/batch.hpp"
#include "weir/mapping/rfc3339.h"
#include "weir/text.hpp"

namespace weir::mapping {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void append_number(uint64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_hex(const uint8_t* bytes, size_t size, std::string& out) {
  for (size_t i = 0; i < size; ++i) {
    out += kHexDigits[bytes[i] >> 4];
    out += kHexDigits[bytes[i] & 15];
  }
}

void append_uuid(const uint8_t (&id)[16], std::string& out) {
  size_t at = 0;
  for (const size_t size : {4, 2, 2, 2, 6}) {
    if (at != 0) out += '-';
    append_hex(id + at, size, out);
    at += size;
  }
}

void append_epoch(uint64_t epoch, std::string& out) {
  for (int shift = 60; shift >= 0; shift -= 4) out += kHexDigits[epoch >> shift & 15];
}

void append_base64(std::string_view bytes, std::string& out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
}

// The shortest text that reads as the same number, with a fraction or an exponent, so that it stays an F64.
void append_double(double number, std::string& out) {
  char digits[32];
  const std::string_view text(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

// False when the event's value has no form in JSON.
bool append_value(const sdk::EventView& event, std::string& out) {
  const weir_value& value = event.record().value;
  switch (event.record().value_type) {
    case WEIR_F64:
      if (!std::isfinite(value.f64)) return false;
      append_double(value.f64, out);
      return true;
    case WEIR_I64: {
      char digits[20];
      out.append(digits, std::to_chars(digits, digits + sizeof digits, value.i64).ptr);
      return true;
    }
    case WEIR_BOOL:
      out += value.boolean != 0 ? "true" : "false";
      return true;
    case WEIR_STRING:
      append_json_text(event.text(value.ref), out);
      return true;
    case WEIR_BYTES:
      out += '"';
      append_base64(event.text(value.ref), out);
      out += R"(","value_type":"bytes")";
      return true;
    default:
      return false;
  }
}

void append_metadata(const sdk::EventView& event, bool with_host_keys, std::string& out) {
  bool opened = false;
  for (uint32_t i = 0; i < event.metadata_count(); ++i) {
    const auto [key, value] = event.metadata(i);
    if (!with_host_keys && key.starts_with("weir.")) continue;
    out += std::exchange(opened, true) ? "," : R"(,"metadata":{)";
    append_json_text(key, out);
    out += ':';
    append_json_text(value, out);
  }
  if (opened) out += '}';
}

void append_time(int64_t unix_ns, std::string& out) {
  out += '"';
  append_rfc3339(unix_ns, out);
  out += '"';
}

}  // namespace

void append_json_text(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const auto byte = static_cast<uint8_t>(text.front());
    const size_t size = sdk::utf8_sequence(text);
    if (size == 0) {
      out += "\\ufffd";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text.front();
    } else if (byte < 0x20) {
      out += "\\u00";
      append_hex(&byte, 1, out);
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  out += '"';
}

EventJsonWriter::EventJsonWriter(std::string gateway_id, EventFields fields)
    : gateway_id_(std::move(gateway_id)), fields_(fields) {}

const char* EventJsonWriter::append(const weir_batch* batch, uint32_t index, std::string& out) const {
  const sdk::EventView event(batch, index);
  const weir_event_v1& record = event.record();
  const bool full = fields_ == EventFields::kFull;
  const size_t before = out.size();
  if (!full && record.value_type == WEIR_BYTES) return "bytes have no form among the input fields";
  if (full) {
    out += R"({"id":")";
    append_uuid(record.id, out);
    out += R"(","gateway_id":)";
    append_json_text(gateway_id_, out);
    out += R"(,"epoch":")";
    append_epoch(batch->epoch, out);
    out += R"(","sequence":)";
    append_number(record.sequence, out);
    out += R"(,"part":)";
    append_number(record.part, out);
    out += R"(,"idempotency_key":)";
    append_json_text(gateway_id_, out);
    out.back() = '/';  // in the place of the closing quote
    append_epoch(batch->epoch, out);
    out += '/';
    append_number(record.sequence, out);
    out += '/';
    append_number(record.part, out);
    out += R"(",)";
  } else {
    out += '{';
  }
  out += R"("device_id":)";
  append_json_text(event.device_id(), out);
  out += R"(,"timestamp":)";
  append_time(record.timestamp_ns, out);
  if (full) {
    out += R"(,"received_at":)";
    append_time(record.received_ns, out);
  }
  out += R"(,"sensor_type":)";
  append_json_text(event.sensor_type(), out);
  out += R"(,"value":)";
  if (!append_value(event, out)) {
    out.resize(before);
    return "the type of its value is not known to this version, or has no form in JSON; a newer one may know it";
  }
  if (!event.unit().empty()) {
    out += R"(,"unit":)";
    append_json_text(event.unit(), out);
  }
  append_metadata(event, full, out);
  if (full) {
    out += R"(,"trace_id":")";
    append_hex(record.trace_id, sizeof record.trace_id, out);
    out += '"';
  }
  out += '}';
  return nullptr;
}

}  // namespace weir::mapping
