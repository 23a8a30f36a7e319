// What plugins and the gateway do with text alike: telling UTF-8 from what is not, and patterns. Header only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::sdk {

// Bytes of the UTF-8 sequence at the front of `text` (RFC 3629 section 4), 0 when there is none. [any thread]
inline size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0}; };
  const auto continues = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    // No overlong form, no surrogate.
    return continues(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = continues(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// Whether all of `text` (UTF-8) is like `pattern`: * stands for any text, ? for one character. Goes back to the last * only,
// so it takes time proportional to the product of both sizes at most. [any thread]
inline bool matches_pattern(std::string_view text, std::string_view pattern) {
  const auto step = [&](size_t from) {
    const size_t size = utf8_sequence(text.substr(from));
    return from + (size == 0 ? 1 : size);
  };
  size_t at = 0, in = 0, star = std::string_view::npos, retry = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      retry = at;
    } else if (in < pattern.size() && pattern[in] == '?') {
      at = step(at);
      ++in;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = retry = step(retry);
    } else {
      return false;
    }
  }
  while (in < pattern.size() && pattern[in] == '*') ++in;
  return in == pattern.size();
}

}  // namespace weir::sdk
