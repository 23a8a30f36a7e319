// One row of a segment: a batch, compressed when that pays, with a checksum over what is stored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/block.h"

namespace weir::journal {

// The codec column. Numbers are on disk: they never change their meaning.
enum class Codec : uint32_t { kPlain = 0, kLz4 = 1 };

// A body as it is stored. `bytes` points into the block or into the scratch given to encode().
struct Body {
  Codec codec = Codec::kPlain;
  uint32_t checksum = 0;  // CRC-32C of bytes
  std::string_view bytes;
};

// LZ4 for blocks of 1 KiB and more, where it gives back more time (fewer bytes to write) than it costs.
Body encode(const event::Block& block, std::string* scratch);

// The block again, checked to be memory safe; kDamaged when the checksum or the layout is wrong.
base::Result<event::Block> decode(uint32_t codec, uint32_t checksum, std::string_view bytes);

// True when a row's own columns say of the block what it says itself. The checksum covers the body alone.
bool row_agrees(const event::Block& block, uint64_t first_sequence, uint32_t count);

}  // namespace weir::journal
