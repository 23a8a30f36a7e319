// The answer to events that have been taken.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace weir::http {

// What became of the events of one request.
struct Receipt {
  uint32_t count = 0;       // events of the request, all of them safe now
  uint32_t duplicates = 0;  // how many of them were known before and are not stored again
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  std::span<const uint8_t[16]> ids;  // one for each event
};

// {"accepted":2,"duplicates":0,"epoch":"00000000000000f1","first_sequence":7,"ids":["0190...",...]}
// The epoch is text because JSON's numbers do not hold 64 bits everywhere. Replaces what is in *out.
void format_receipt(const Receipt& receipt, std::string* out);

}  // namespace weir::http
