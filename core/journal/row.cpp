#include "journal/row.h"

#include <lz4.h>

#include <cstring>

#include "base/checksum.h"
#include "event/validate.h"

namespace weir::journal {
namespace {

constexpr size_t kSmallestToCompress = 1024;
// An LZ4 body begins with its size once unpacked, little-endian.
constexpr size_t kPrefix = sizeof(uint32_t);

base::Error damaged(std::string what) { return base::error(base::Code::kDamaged, std::move(what)); }

}  // namespace

Body encode(const event::Block& block, std::string* scratch) {
  std::string_view plain(reinterpret_cast<const char*>(block.data()), block.size());
  if (block.size() >= kSmallestToCompress) {
    int bound = LZ4_compressBound(static_cast<int>(block.size()));
    if (scratch->size() < kPrefix + static_cast<size_t>(bound)) scratch->resize(kPrefix + static_cast<size_t>(bound));
    auto size = static_cast<uint32_t>(block.size());
    std::memcpy(scratch->data(), &size, sizeof size);
    int packed = LZ4_compress_default(plain.data(), scratch->data() + kPrefix, static_cast<int>(size), bound);
    if (packed > 0 && static_cast<size_t>(packed) + kPrefix < block.size()) {
      std::string_view bytes(scratch->data(), kPrefix + static_cast<size_t>(packed));
      return {Codec::kLz4, base::crc32c(bytes.data(), bytes.size()), bytes};
    }
  }
  return {Codec::kPlain, base::crc32c(plain.data(), plain.size()), plain};
}

base::Result<event::Block> decode(uint32_t codec, uint32_t checksum, std::string_view bytes) {
  if (base::crc32c(bytes.data(), bytes.size()) != checksum) return damaged("the row's checksum does not match");
  event::Block block;
  if (codec == static_cast<uint32_t>(Codec::kPlain)) {
    block = event::Block(bytes.size());
    std::memcpy(block.data(), bytes.data(), bytes.size());
  } else if (codec == static_cast<uint32_t>(Codec::kLz4)) {
    uint32_t size = 0;
    if (bytes.size() < kPrefix) return damaged("the row is shorter than its prefix");
    std::memcpy(&size, bytes.data(), sizeof size);
    if (size > WEIR_BATCH_MAX_BYTES) return damaged("the row claims to unpack to more than 16 MiB");
    block = event::Block(size);
    int got = LZ4_decompress_safe(bytes.data() + kPrefix, reinterpret_cast<char*>(block.data()),
                                  static_cast<int>(bytes.size() - kPrefix), static_cast<int>(size));
    if (got != static_cast<int>(size)) return damaged("the row does not unpack");
  } else {
    return damaged("the row has codec " + std::to_string(codec) + ", which this version does not know");
  }
  if (auto fault = event::validate(block.data(), block.size(), event::Check::kMemorySafe)) {
    return damaged(std::string("the row is no batch: ") + fault->field + " " + fault->message);
  }
  return block;
}

bool row_agrees(const event::Block& block, uint64_t first_sequence, uint32_t count) {
  return count != 0 && block.batch()->count == count && block.event(0)->sequence == first_sequence;
}

}  // namespace weir::journal
