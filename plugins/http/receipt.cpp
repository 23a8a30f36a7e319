#include "receipt.h"

#include <charconv>

namespace weir::http {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// RFC 9562: 8-4-4-4-12.
char* write_uuid(char* at, const uint8_t (&id)[16]) {
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = kHex[id[i] >> 4];
    *at++ = kHex[id[i] & 15];
  }
  return at;
}

}  // namespace

void format_receipt(const Receipt& receipt, std::string* out) {
  std::string& text = *out;
  text = R"({"accepted":)";
  append_number(text, receipt.count);
  text += R"(,"duplicates":)";
  append_number(text, receipt.duplicates);
  text += R"(,"epoch":")";
  for (int shift = 60; shift >= 0; shift -= 4) text += kHex[receipt.epoch >> shift & 15];
  text += R"(","first_sequence":)";
  append_number(text, receipt.first_sequence);
  text += R"(,"ids":[)";
  constexpr size_t kQuoted = 1 + 36 + 2;  // the quotes and a comma
  const size_t before = text.size();
  text.resize(before + kQuoted * receipt.ids.size());
  char* at = text.data() + before;
  for (const auto& id : receipt.ids) {
    *at++ = '"';
    at = write_uuid(at, id);
    *at++ = '"';
    *at++ = ',';
  }
  if (!receipt.ids.empty()) text.pop_back();
  text += "]}\n";
}

}  // namespace weir::http
