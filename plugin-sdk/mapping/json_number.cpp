#include "json_number.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weir::mapping {
namespace {

// The end of the digits that begin at `at`.
size_t skip_digits(std::string_view text, size_t at) {
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at;
}

// Checks the grammar, and finds out whether it is an integer.
bool check_grammar(std::string_view text, bool* integer) {
  const size_t first = text.starts_with('-') ? 1 : 0;
  size_t at = skip_digits(text, first);
  if (at == first || (text[first] == '0' && at > first + 1)) return false;
  *integer = at == text.size();
  if (at < text.size() && text[at] == '.') {
    const size_t end = skip_digits(text, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    if (++at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const size_t end = skip_digits(text, at);
    if (end == at) return false;
    at = end;
  }
  return at == text.size();
}

// The exponent of the first digit that is not 0, in powers of ten, sign and size only: whether a number that
// is no double is too large (true) or too small.
bool is_large(std::string_view text) {
  const size_t first = text.find_first_of("123456789");
  const size_t e = text.find_first_of("eE");
  const size_t point = std::min(text.find('.'), std::min(e, text.size()));
  if (first >= std::min(e, text.size())) return false;
  const auto digits =
      first < point ? static_cast<long>(point - first) : static_cast<long>(point) - static_cast<long>(first);
  if (e == std::string_view::npos) return digits > 0;
  std::string_view written = text.substr(e + 1);
  if (written.starts_with('+')) written.remove_prefix(1);
  long exponent = 0;
  const auto read = std::from_chars(written.data(), written.data() + written.size(), exponent);
  if (read.ec != std::errc())
    return !written.starts_with('-');  // an exponent of 19 digits outweighs every text
  return exponent + digits > 0;
}

}  // namespace

NumberFault parse_number(std::string_view text, Number* out) {
  if (!check_grammar(text, &out->integer)) return NumberFault::kMalformed;
  const char* const end = text.data() + text.size();
  if (out->integer) {
    const auto read = std::from_chars(text.data(), end, out->i64);
    return read.ec == std::errc() ? NumberFault::kNone : NumberFault::kIntegerRange;
  }
  const auto read = std::from_chars(text.data(), end, out->f64);
  if (read.ec == std::errc() && std::isfinite(out->f64)) return NumberFault::kNone;
  if (is_large(text)) return NumberFault::kFloatRange;
  out->f64 = text.starts_with('-') ? -0.0 : 0.0;
  return NumberFault::kNone;
}

}  // namespace weir::mapping
