// The canonical JSON of events to a batch: what the HTTP source takes, and every other source that speaks
// JSON.
//
// A document is one event or an array of at least one:
//   {"device_id": "boiler-7", "sensor_type": "temperature", "value": 21.5, "unit": "Cel",
//    "timestamp": "2026-11-24T20:15:00Z", "metadata": {"site": "a", "floor": 2}}
//
//   device_id, sensor_type  text, not empty
//   value      a number, true, false or text. A number written without fraction and exponent is WEIR_I64,
//   every
//              other one WEIR_F64; null, arrays and objects are refused
//   timestamp  optional: RFC 3339 text, or an integer of nanoseconds since the Unix epoch. Without it the
//   event is
//              flagged WEIR_NO_DEVICE_TIME and the host sets the time
//   unit       optional: a UCUM code; "" is the same as none
//   metadata   optional: text, numbers (kept as they were written), true, false; keys "weir.*" are the host's
//
// It is strict, because what is dropped silently is lost: unknown keys and keys given twice are errors that
// name the key. Numbers must fit (no integer beyond 64 bits, no infinity), text must be UTF-8 without NUL,
// and the limits of batch.h hold. A document with a fault gives nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/batch.hpp"

namespace weir::mapping {

// parse_padded() needs this many readable bytes behind the document; their content does not matter.
inline constexpr size_t kJsonPadding = 64;

// Longer documents are refused: a batch is at most 16 MiB, white space and repeated text may add to that.
inline constexpr size_t kMaxJsonBytes = 64u * 1024 * 1024;

// Why a document was refused.
struct ParseFault {
  uint32_t index = 0;  // of the event in the array; 0 for a single one and for a document that is not JSON
  std::string field;   // its key ("value"), or a pointer into it ("/metadata/site"), at most 31 bytes; "" for
                       // the whole
  std::string message;  // one line that makes sense without the field, for the person who sent it
};

// Reads documents. Keeps its working memory, so use one for many documents; one thread at a time.
class EventParser {
 public:
  EventParser();
  EventParser(EventParser&&) noexcept;
  EventParser& operator=(EventParser&&) noexcept;
  ~EventParser();

  // Puts the document's events into `out`, which is cleared first; out->finish() is left to the caller. On a
  // fault returns false, fills *fault and leaves `out` empty. Copies `json` once to give it padding.
  bool parse(std::string_view json, sdk::BatchBuilder& out, ParseFault* fault);

  // The same without a copy: kJsonPadding bytes behind the document must be readable.
  bool parse_padded(std::string_view json, sdk::BatchBuilder& out, ParseFault* fault);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace weir::mapping
