// The outer form of ASN.1 data in DER: tag, length, content (X.690).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::tls {

enum Tag : uint8_t {
  kObjectIdentifier = 0x06,
  kUtf8String = 0x0C,
  kPrintableString = 0x13,
  kTeletexString = 0x14,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kBmpString = 0x1E,
  kSequence = 0x30,
  kSet = 0x31,
  kVersion = 0xA0,  // of a certificate: [0]
};

struct Der {
  uint8_t tag = 0;
  std::string_view content;
  std::string_view whole;  // with tag and length
};

// Takes the first element off *bytes. Nothing when there is no whole one.
inline std::optional<Der> take_der(std::string_view* bytes) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>((*bytes)[i]); };
  if (bytes->size() < 2) return std::nullopt;
  size_t length = at(1), head = 2;
  if (length >= 0x80) {
    const size_t count = length - 0x80;
    if (count == 0 || count > 4 || bytes->size() < 2 + count) return std::nullopt;
    length = 0;
    for (size_t i = 0; i < count; ++i) length = length << 8 | at(2 + i);
    head += count;
  }
  if (bytes->size() - head < length) return std::nullopt;
  Der der{at(0), bytes->substr(head, length), bytes->substr(0, head + length)};
  bytes->remove_prefix(head + length);
  return der;
}

}  // namespace weir::tls
