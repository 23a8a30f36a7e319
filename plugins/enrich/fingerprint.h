// A short name for a long key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::enrich {

// 128 bits of everything that was added, in two lanes. It is kept on disk: it must never change. Not against somebody
// who looks for collisions; those would cost him his own events.
class Fingerprint {
 public:
  Fingerprint& add(std::string_view bytes);
  Fingerprint& add(uint64_t number);
  std::string hex() const;  // 32 digits

 private:
  uint64_t a_ = 0x243F6A8885A308D3u, b_ = 0x13198A2E03707344u;  // digits of pi
};

}  // namespace weir::enrich
