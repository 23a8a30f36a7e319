// The words of a condition.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/condition/condition.h"

namespace weir::condition {

struct Token {
  enum class Kind : uint8_t { kName, kText, kInteger, kReal, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  uint32_t column = 1;   // in characters, from 1
  std::string text;      // of a name, a text (without quotes and escapes), a symbol
  int64_t integer = 0;
  double real = 0;
};

// Throws Fault. The last one is kEnd.
std::vector<Token> read_tokens(std::string_view text);

// How a token is called in a message: "'&&'", "the text 'boiler'", "the end".
std::string describe(const Token& token);

}  // namespace weir::condition
