#include "distinguished_name.h"

#include <vector>

#include "der.h"
#include "weir/text.hpp"

namespace weir::tls {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

// The short names of RFC 4514 section 3, and those that device certificates use beside them. By the OID's DER
// content.
struct Known {
  std::string_view oid, name;
};
using namespace std::string_view_literals;
constexpr Known kKnown[] = {
    {"\x55\x04\x03"sv, "CN"},
    {"\x55\x04\x04"sv, "SN"},
    {"\x55\x04\x05"sv, "serialNumber"},
    {"\x55\x04\x06"sv, "C"},
    {"\x55\x04\x07"sv, "L"},
    {"\x55\x04\x08"sv, "ST"},
    {"\x55\x04\x09"sv, "street"},
    {"\x55\x04\x0A"sv, "O"},
    {"\x55\x04\x0B"sv, "OU"},
    {"\x55\x04\x0C"sv, "title"},
    {"\x55\x04\x2A"sv, "GN"},
    {"\x55\x04\x2E"sv, "dnQualifier"},
    {"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x01"sv, "UID"},
    {"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19"sv, "DC"},
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01"sv, "emailAddress"},
};

// "1.2.840.113549"; nothing when it is no OID.
std::optional<std::string> dotted(std::string_view oid) {
  std::string text;
  uint64_t number = 0;
  size_t digits = 0;
  for (const char c : oid) {
    const auto byte = static_cast<uint8_t>(c);
    if (++digits > 9) return std::nullopt;
    number = number << 7 | (byte & 0x7F);
    if ((byte & 0x80) != 0) continue;
    if (text.empty()) {
      const uint64_t first = number < 80 ? number / 40 : 2;
      text = std::to_string(first) + "." + std::to_string(number - first * 40);
    } else {
      text += "." + std::to_string(number);
    }
    number = digits = 0;
  }
  if (text.empty() || digits != 0) return std::nullopt;
  return text;
}

void append_utf8(std::string& text, uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    text += static_cast<char>(0xE0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  }
}

// A string value as UTF-8; nothing when its type or its bytes are none that can be.
std::optional<std::string> utf8_of(const Der& value) {
  std::string text;
  switch (value.tag) {
    case kUtf8String:
    case kPrintableString:
    case kIa5String:
      text = value.content;
      break;
    case kTeletexString:  // used as Latin-1 by everybody
      for (const char c : value.content) append_utf8(text, static_cast<uint8_t>(c));
      break;
    case kBmpString:
      if (value.content.size() % 2 != 0) return std::nullopt;
      for (size_t i = 0; i < value.content.size(); i += 2) {
        append_utf8(text, static_cast<uint32_t>(static_cast<uint8_t>(value.content[i]) << 8 |
                                                static_cast<uint8_t>(value.content[i + 1])));
      }
      break;
    default:
      return std::nullopt;
  }
  if (!sdk::is_utf8(text)) return std::nullopt;
  return text;
}

// RFC 4514 section 2.4.
void append_escaped(std::string& to, std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<uint8_t>(c);
    const bool first = i == 0, last = i + 1 == text.size();
    if (byte < 0x20 || byte == 0x7F) {
      to += {'\\', kHex[byte >> 4], kHex[byte & 15]};
      continue;
    }
    const bool special = std::string_view("\"+,;<>\\").find(c) != std::string_view::npos;
    if (special || (first && (c == ' ' || c == '#')) || (last && c == ' ')) to += '\\';
    to += c;
  }
}

void append_hex(std::string& to, std::string_view bytes) {
  to += '#';
  for (const char c : bytes) to += {kHex[static_cast<uint8_t>(c) >> 4], kHex[static_cast<uint8_t>(c) & 15]};
}

bool append_attribute(std::string& to, std::string_view pair) {
  const auto type = take_der(&pair), value = take_der(&pair);
  if (!type || !value || type->tag != kObjectIdentifier) return false;
  for (const Known& known : kKnown) {
    if (known.oid != type->content) continue;
    to.append(known.name).append("=");
    if (const auto text = utf8_of(*value)) {
      append_escaped(to, *text);
    } else {
      append_hex(to, value->whole);
    }
    return true;
  }
  const auto oid = dotted(type->content);
  if (!oid) return false;
  to.append(*oid).append("=");
  append_hex(to, value->whole);
  return true;
}

std::string joined_backwards(const std::vector<std::string>& parts, char separator) {
  std::string text;
  for (size_t i = parts.size(); i-- > 0;) {
    text += parts[i];
    if (i > 0) text += separator;
  }
  return text;
}

}  // namespace

std::optional<std::string> name_text(std::string_view rdns) {
  std::vector<std::string> parts;
  while (!rdns.empty()) {
    const auto set = take_der(&rdns);
    if (!set || set->tag != kSet) return std::nullopt;
    std::vector<std::string> values;
    for (std::string_view pairs = set->content; !pairs.empty();) {
      const auto pair = take_der(&pairs);
      if (!pair || pair->tag != kSequence) return std::nullopt;
      if (!append_attribute(values.emplace_back(), pair->content)) return std::nullopt;
    }
    parts.push_back(joined_backwards(values, '+'));
  }
  return joined_backwards(parts, ',');
}

}  // namespace weir::tls
