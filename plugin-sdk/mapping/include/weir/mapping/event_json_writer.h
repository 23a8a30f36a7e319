// A batch's events to the canonical JSON on their way out: what the HTTP sink sends, and every other sink that
// speaks JSON.
//
//   {"id": "018bcfe5-687b-7abc-8def-0123456789ab", "gateway_id": "site-a-1", "epoch": "000000000000001f",
//    "sequence": 42, "part": 0, "idempotency_key": "site-a-1/000000000000001f/42/0", "device_id": "boiler-7",
//    "timestamp": "2026-11-24T20:15:00Z", "received_at": "2026-11-24T20:15:00.250Z",
//    "sensor_type": "temperature", "value": 21.5, "unit": "Cel", "metadata": {"site": "a"},
//    "trace_id": "018bcfe5687b7abc8def0123456789ab"}
//
//   idempotency_key  the event's key for ever, in one text: gateway_id/epoch/sequence/part. Only the gateway_id
//                    may hold a "/", so read it from its end
//   value            a number with a fraction or an exponent is a WEIR_F64, one without a WEIR_I64; bytes are
//                    base64 with "value_type": "bytes"
//   unit, metadata   left out when there is none
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/batch.h"

namespace weir::mapping {

enum class EventFields : uint8_t {
  kFull,  // as above
  kInput  // what a source takes (event_json.h): device_id, timestamp, sensor_type, value, unit, metadata without "weir.*"
};

// Writes events. Any thread.
class EventJsonWriter {
 public:
  EventJsonWriter(std::string gateway_id, EventFields fields);

  // Appends the event as one line without its end. Returns null, or why the event has no such form (one line);
  // then `out` is as it was. Each byte that is not UTF-8 becomes U+FFFD.
  const char* append(const weir_batch* batch, uint32_t index, std::string& out) const;

 private:
  std::string gateway_id_;
  EventFields fields_;
};

// Appends `text` as a JSON string with its quotes.
void append_json_text(std::string_view text, std::string& out);

}  // namespace weir::mapping
