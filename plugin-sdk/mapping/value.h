// Values of other people's payloads as events have them.
#pragma once

#include <string>
#include <string_view>

#include "json_tree.h"
#include "plan.h"
#include "weir/batch.h"

namespace weir::mapping {

struct Value {
  uint32_t type = WEIR_F64;
  weir_value bits{};      // of every type but text
  std::string_view text;  // of WEIR_STRING and WEIR_BYTES
};

enum class Conversion : uint8_t {
  kTaken,
  kNoReading,  // a text, and the rule wants something else: a fault, or passed over where every field is
               // asked
  kWrong
};

// One value by its rule. Without a rule it stays what it is; an integer beyond 64 bits becomes the nearest
// floating-point number, because the sender cannot be told to write another one. `why` fits after the field's
// name. `json` is neither null nor an array nor an object.
Conversion convert(const ValueRule& rule, const JsonNode& json, Value* out, std::string* why);

// A number as JSON has it, or as people write it in text: blanks around it, a + or zeros before it.
bool number_of(std::string_view text, Value* out);

// base64url without padding (RFC 4648 section 5), which SenML has; false when it is none.
bool decode_base64url(std::string_view text, std::string* out);

}  // namespace weir::mapping
