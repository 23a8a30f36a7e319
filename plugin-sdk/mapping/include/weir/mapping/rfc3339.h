// RFC 3339 date-time text to nanoseconds since the Unix epoch, and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::mapping {

// Reads a date-time of RFC 3339 section 5.6: "2026-11-24T20:15:00.25+01:00". The T and the Z may be lower
// case, a space may stand for the T; digits of the fraction beyond the ninth are cut off. A leap second
// (23:59:60 UTC) is the first second of the next day, as Unix time has it. Returns null on success, else why
// the text is refused, one line that fits after a field's name ("has a month that is not 01 to 12"). [any
// thread]
const char* parse_rfc3339(std::string_view text, int64_t* unix_ns);

// Appends "2026-11-24T20:15:00.250Z": UTC, with three, six or nine digits of a fraction that is not 0. [any thread]
void append_rfc3339(int64_t unix_ns, std::string& out);

}  // namespace weir::mapping
