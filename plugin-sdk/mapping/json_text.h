// Words about JSON documents that every reader of this library uses.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace weir::mapping {

// At most `size` bytes of `text`, cut between characters.
std::string_view cut(std::string_view text, size_t size);

// `text` in quotes, shortened when it is long.
std::string shown(std::string_view text);

// Without the white space that JSON allows behind a token.
std::string_view trimmed(std::string_view token);

// Fits after "the document is not well-formed JSON: ".
const char* why_malformed(simdjson::error_code error);

// Appends `key` to a JSON pointer as one more reference token (RFC 6901 section 3).
void append_token(std::string& pointer, std::string_view key);

}  // namespace weir::mapping
