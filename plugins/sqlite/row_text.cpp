#include "row_text.h"

namespace weir::sqlite {
namespace {

constexpr char kHex[] = "0123456789abcdef";

char* put_hex(char* to, uint8_t byte) {
  *to++ = kHex[byte >> 4];
  *to++ = kHex[byte & 15];
  return to;
}

// RFC 8259, section 7: quotation mark, backslash and control characters must be escaped; nothing else needs
// to be.
void append_string(std::string& json, std::string_view text) {
  json += '"';
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    json.append(text, done, i - done);
    done = i + 1;
    if (c == '"' || c == '\\') {
      json += '\\';
      json += static_cast<char>(c);
    } else if (c == '\n') {
      json += "\\n";
    } else if (c == '\t') {
      json += "\\t";
    } else {
      char escape[] = "\\u0000";
      put_hex(escape + 4, c);
      json += escape;
    }
  }
  json.append(text, done);
  json += '"';
}

}  // namespace

std::array<char, 36> uuid_text(const uint8_t (&id)[16]) {
  std::array<char, 36> text;
  char* to = text.data();
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    to = put_hex(to, id[i]);
  }
  return text;
}

std::array<char, 32> trace_id_text(const uint8_t (&id)[16]) {
  std::array<char, 32> text;
  char* to = text.data();
  for (uint8_t byte : id) to = put_hex(to, byte);
  return text;
}

std::array<char, 16> epoch_text(uint64_t epoch) {
  std::array<char, 16> text;
  char* to = text.data();
  for (int shift = 56; shift >= 0; shift -= 8) to = put_hex(to, static_cast<uint8_t>(epoch >> shift));
  return text;
}

void write_metadata(const sdk::EventView& event, std::string& json) {
  json.clear();
  json += '{';
  for (uint32_t i = 0; i < event.metadata_count(); ++i) {
    const auto [key, value] = event.metadata(i);
    if (i > 0) json += ',';
    append_string(json, key);
    json += ':';
    append_string(json, value);
  }
  json += '}';
}

}  // namespace weir::sqlite
