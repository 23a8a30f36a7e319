#include "unix_time.h"

#include <algorithm>
#include <charconv>

#include "json_number.h"
#include "weir/mapping/rfc3339.h"

namespace weir::mapping {
namespace {

constexpr const char* kTooFar = "lies outside of the years 1678 to 2262 that nanoseconds can count";

// Powers of ten between the unit and a nanosecond.
long power_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return 9;
    case TimeUnit::kMilliseconds:
      return 6;
    case TimeUnit::kMicroseconds:
      return 3;
    default:
      return 0;
  }
}

// The exponent of a number, cut to what makes no difference any more.
long exponent_of(std::string_view written) {
  constexpr long kHuge = 100'000'000;
  if (written.starts_with('+')) written.remove_prefix(1);
  long exponent = 0;
  const auto read = std::from_chars(written.data(), written.data() + written.size(), exponent);
  if (read.ec != std::errc()) return written.starts_with('-') ? -kHuge : kHuge;
  return std::clamp(exponent, -kHuge, kHuge);
}

}  // namespace

const char* parse_unix_time(std::string_view number, TimeUnit unit, int64_t* unix_ns) {
  Number checked;
  if (parse_number(number, &checked) == NumberFault::kMalformed) return "is not a number, which the mapping says it is";
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, e);
  // What the first digit counts, in powers of ten of a nanosecond.
  long weight = static_cast<long>(std::min(mantissa.find('.'), mantissa.size())) - 1 + power_of(unit) +
                (e < number.size() ? exponent_of(number.substr(e + 1)) : 0);
  int64_t value = 0;
  for (char c : mantissa) {
    if (c == '.') continue;
    if (weight < 0) break;
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
      return kTooFar;
    --weight;
  }
  for (; weight >= 0 && value != 0; --weight) {
    if (__builtin_mul_overflow(value, 10, &value)) return kTooFar;
  }
  *unix_ns = negative ? -value : value;
  return nullptr;
}

const char* parse_time_text(std::string_view text, std::string_view zone, int64_t* unix_ns) {
  const char* why = parse_rfc3339(text, unix_ns);
  constexpr size_t kLongest = 40;  // a second with a fraction of 20 digits
  if (why == nullptr || zone.empty() || text.size() > kLongest) return why;
  const std::string zoned = std::string(text) + std::string(zone);
  // What has a zone already is judged without ours.
  return std::string_view(why).starts_with("has no time zone") ? parse_rfc3339(zoned, unix_ns) : why;
}

}  // namespace weir::mapping
