#include "json_text.h"

#include <cstdint>

namespace weir::mapping {

std::string_view cut(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

std::string shown(std::string_view text) {
  constexpr size_t kShown = 60;  // enough to find a key again
  std::string out = "\"";
  out += cut(text, kShown);
  return out += text.size() > kShown ? "...\"" : "\"";
}

std::string_view trimmed(std::string_view token) {
  const size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last + 1);  // npos + 1 is 0
}

const char* why_malformed(simdjson::error_code error) {
  switch (error) {
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::UTF8_ERROR:
      return "it is not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a text has no closing quote";
    case simdjson::UNESCAPED_CHARS:
      return "a text holds a control character that must be escaped";
    case simdjson::STRING_ERROR:
      return "a text holds an escape that is not valid";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "it ends too early: a bracket or brace is not closed";
    case simdjson::DEPTH_ERROR:
      return "it is nested too deeply";
    default:
      return "a comma, colon, key, bracket or brace is missing or too many";
  }
}

void append_token(std::string& pointer, std::string_view key) {
  pointer += '/';
  for (char c : key) {
    if (c == '~' || c == '/') {
      pointer += c == '~' ? "~0" : "~1";
    } else {
      pointer += c;
    }
  }
}

}  // namespace weir::mapping
