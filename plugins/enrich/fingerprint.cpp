#include "fingerprint.h"

#include <cstring>

namespace weir::enrich {
namespace {

uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

}  // namespace

Fingerprint& Fingerprint::add(uint64_t number) {
  a_ = mix(a_ ^ number) + 0x9E3779B97F4A7C15u;
  b_ = mix(b_ + (number ^ 0xC2B2AE3D27D4EB4Fu)) ^ a_ << 23;
  return *this;
}

// The length goes in as well: "ab" and "c" are not "a" and "bc".
Fingerprint& Fingerprint::add(std::string_view bytes) {
  add(uint64_t{bytes.size()});
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::string_view piece = bytes.substr(at, sizeof word);
    std::memcpy(&word, piece.data(), piece.size());
    add(word);
  }
  return *this;
}

std::string Fingerprint::hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint64_t word : {mix(a_ ^ b_), mix(b_ + a_)}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[word >> shift & 15];
  }
  return text;
}

}  // namespace weir::enrich
