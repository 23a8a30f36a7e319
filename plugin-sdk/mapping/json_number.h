// A number of JSON, from its text.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::mapping {

// A number written without fraction and exponent is an integer.
struct Number {
  bool integer = false;
  int64_t i64 = 0;
  double f64 = 0;
};

enum class NumberFault : uint8_t { kNone, kMalformed, kIntegerRange, kFloatRange };

// Reads all of `text` by JSON's grammar (RFC 8259 section 6), rounding to the nearest double. What is too
// small for a double becomes 0, what is too large is a fault. Our own because simdjson 3.0.1 gives wrong
// values for numbers of more than 19 digits: its get_number() loses them, its get_double() takes
// 0.1234567890123456789012345 for 1.1e-07.
NumberFault parse_number(std::string_view text, Number* out);

}  // namespace weir::mapping
