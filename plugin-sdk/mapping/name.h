// The names of variables.
#pragma once

#include <algorithm>
#include <string_view>

namespace weir::mapping {

inline constexpr const char* kNameRule = "lower-case letters, digits and _, not a digit first";

inline bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace weir::mapping
