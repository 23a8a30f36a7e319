// Times of other people's payloads to nanoseconds since the Unix epoch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::mapping {

enum class TimeUnit : uint8_t { kRfc3339, kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

// A number as JSON writes it, digit by digit, so that 1631186545.04 and 1.276020076001e+09 lose nothing.
// Digits beyond the nanosecond are cut off. Null on success, else a reason that fits after a field's name.
const char* parse_unix_time(std::string_view number, TimeUnit unit, int64_t* unix_ns);

// RFC 3339, or the same without a zone, which is `zone` ("Z", "+01:00") unless that is empty.
const char* parse_time_text(std::string_view text, std::string_view zone, int64_t* unix_ns);

}  // namespace weir::mapping
