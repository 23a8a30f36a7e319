#include "value.h"

#include "json_number.h"
#include "json_text.h"

namespace weir::mapping {
namespace {

// Null when it is taken, else why not.
const char* number(std::string_view text, Value* out) {
  Number number;
  switch (parse_number(text, &number)) {
    case NumberFault::kNone:
      break;
    case NumberFault::kIntegerRange: {
      // With a fraction it is a floating-point number.
      const std::string floating = std::string(text) + ".0";
      if (parse_number(floating, &number) == NumberFault::kNone) break;
      [[fallthrough]];
    }
    case NumberFault::kFloatRange:
      return "is a number that is beyond the range of a 64-bit floating-point number";
    case NumberFault::kMalformed:
      return "is not a number";
  }
  out->type = number.integer ? WEIR_I64 : WEIR_F64;
  if (number.integer) {
    out->bits.i64 = number.i64;
  } else {
    out->bits.f64 = number.f64;
  }
  return nullptr;
}

void boolean(bool truth, Value* out) {
  out->type = WEIR_BOOL;
  out->bits.boolean = truth ? 1 : 0;
}

Conversion text(std::string_view text, Value* out, std::string* why) {
  out->type = WEIR_STRING;
  out->text = text;
  if (text.find('\0') == std::string_view::npos) return Conversion::kTaken;
  *why = "holds a NUL character (\\u0000)";
  return Conversion::kWrong;
}

std::string list_of(const Words& words) {
  constexpr size_t kListed = 8;
  std::string out;
  for (size_t i = 0; i < words.entries.size() && i < kListed; ++i)
    out += (i == 0 ? "" : ", ") + shown(words.entries[i].first);
  return out + (words.entries.size() > kListed ? " ..." : "");
}

Conversion from_text(const ValueRule& rule, std::string_view given, Value* out, std::string* why) {
  if (rule.words) {
    for (const auto& [word, constant] : rule.words->entries) {
      if (word != given) continue;
      *out = {constant.value_type, constant.value, constant.text};
      return Conversion::kTaken;
    }
  }
  if (rule.as == As::kNumber) {
    if (number_of(given, out)) return Conversion::kTaken;
    *why = "is " + shown(given) + ", which is not a number";
    return Conversion::kNoReading;
  }
  if (rule.words) {
    *why = "is " + shown(given) + ", which is none of its words: " + list_of(*rule.words);
    return Conversion::kNoReading;
  }
  if (rule.as == As::kBoolean) {
    *why = "is " + shown(given) + ", which is not true or false: say in \"words\" what it means";
    return Conversion::kNoReading;
  }
  return text(given, out, why);
}

Conversion from_number(const ValueRule& rule, std::string_view given, Value* out, std::string* why) {
  if (rule.as == As::kText) return text(given, out, why);
  if (rule.as == As::kBoolean) {
    if (given == "0" || given == "1") return boolean(given == "1", out), Conversion::kTaken;
    *why = "is " + shown(given) + ", which is neither true nor false nor 0 nor 1";
    return Conversion::kWrong;
  }
  const char* wrong = number(given, out);
  if (wrong == nullptr) return Conversion::kTaken;
  *why = wrong;
  return Conversion::kWrong;
}

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

}  // namespace

Conversion convert(const ValueRule& rule, const JsonNode& json, Value* out, std::string* why) {
  switch (json.kind) {
    case JsonKind::kText:
      return from_text(rule, json.text, out, why);
    case JsonKind::kNumber:
      return from_number(rule, json.text, out, why);
    default:
      if (rule.as == As::kText) return text(json.text, out, why);
      if (rule.as == As::kNumber) {
        *why = "is " + std::string(json.text) + ", which is not a number";
        return Conversion::kWrong;
      }
      return boolean(json.text == "true", out), Conversion::kTaken;
  }
}

bool number_of(std::string_view text, Value* out) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return false;
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') text.remove_prefix(1);
  if (!negative) return number(text, out) == nullptr;
  return number("-" + std::string(text), out) == nullptr;
}

bool decode_base64url(std::string_view text, std::string* out) {
  out->clear();
  uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    const int value = sextet(c);
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    *out += static_cast<char>(bits >> held & 0xFF);
  }
  return text.size() % 4 != 1;
}

}  // namespace weir::mapping
