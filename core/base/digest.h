// SHA-256 (FIPS 180-4): names the content of a file, so that equal bytes have one name.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::base {

using Digest = std::array<uint8_t, 32>;

// Takes bytes piece by piece. One thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void update(std::span<const uint8_t> bytes);
  void update(std::string_view bytes);

  // The digest of everything so far; afterwards the object begins anew.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::string_view bytes);

// Reads the file in pieces, whatever its size. Fails with kNotFound, kDenied or kUnavailable.
Result<Digest> sha256_file(const std::string& path);

// Lower-case, 64 characters.
std::string hex(const Digest& digest);

}  // namespace weir::base
