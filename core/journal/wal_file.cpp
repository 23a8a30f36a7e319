#include "journal/wal_file.h"

#include <algorithm>
#include <optional>

namespace weir::journal {
namespace {

constexpr uint64_t kHeader = 32, kFrameHeader = 24;
constexpr size_t kSaltInHeader = 16, kSaltInFrame = 8, kSalt = 8, kChecksumInHeader = 24;
constexpr uint64_t kChunk = base::FileSystem::kMaxReadBytes;

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// Its own checksum, over numbers in the byte order that the magic number names.
bool header_is_sound(const std::string& header) {
  constexpr uint32_t kMagic = 0x377f0682;  // + 1: big-endian
  uint32_t magic = big_endian(header, 0);
  if ((magic & ~1u) != kMagic) return false;
  auto word = [&](size_t at) {
    uint32_t value = big_endian(header, at);
    return (magic & 1u) != 0 ? value : __builtin_bswap32(value);
  };
  uint32_t sum = 0, other = 0;
  for (size_t at = 0; at < kChecksumInHeader; at += 8) {
    sum += word(at) + other;
    other += word(at + 4) + sum;
  }
  return big_endian(header, kChecksumInHeader) == sum && big_endian(header, kChecksumInHeader + 4) == other;
}

// Of a frame, its own header included; nothing when SQLite would not accept the log's header.
std::optional<uint64_t> frame_size(const std::string& header) {
  if (header.size() < kHeader || !header_is_sound(header)) return std::nullopt;
  uint32_t page = big_endian(header, 8);
  bool power_of_two = page >= 512 && page <= 65536 && (page & (page - 1)) == 0;
  return power_of_two ? std::optional(kFrameHeader + page) : std::nullopt;
}

}  // namespace

base::Result<uint64_t> wal_bytes_in_use(base::FileSystem& files, const std::string& path) {
  if (!files.exists(path)) return uint64_t{0};
  auto header = files.read_at(path, 0, kHeader);
  if (!header) return header.error();
  auto frame = frame_size(*header);
  if (!frame) return uint64_t{0};
  uint64_t frames_at_once = std::max<uint64_t>(1, kChunk / *frame);
  for (uint64_t used = kHeader;;) {
    auto frames = files.read_at(path, used, frames_at_once * *frame);
    if (!frames) return frames.error();
    for (uint64_t at = 0; at < frames->size(); at += *frame) {
      // A frame that was cut off counts: it cannot be told whose it is.
      bool ours = frames->size() - at < kFrameHeader ||
                  frames->compare(at + kSaltInFrame, kSalt, *header, kSaltInHeader, kSalt) == 0;
      if (!ours) return used;
      used += std::min<uint64_t>(*frame, frames->size() - at);
    }
    if (frames->size() < frames_at_once * *frame) return used;
  }
}

base::Result<bool> wal_is_empty(base::FileSystem& files, const std::string& path) {
  if (!files.exists(path)) return true;
  auto header = files.read_at(path, 0, kHeader);
  if (!header) return header.error();
  return header->find_first_not_of('\0') == std::string::npos;
}

base::Status rewrite(base::FileSystem& files, const std::string& path, uint64_t bytes) {
  for (uint64_t at = 0; at < bytes; at += kChunk) {
    auto part = files.read_at(path, at, std::min(kChunk, bytes - at));
    if (!part) return part.error();
    if (auto done = files.overwrite(path, at, *part); !done) return done;
  }
  return {};
}

base::Status rewrite_wal(base::FileSystem& files, const std::string& path) {
  auto used = wal_bytes_in_use(files, path);
  if (!used) return used.error();
  return rewrite(files, path, *used);
}

base::Status empty_wal(base::FileSystem& files, const std::string& path) {
  auto header = files.read_at(path, 0, kHeader);
  if (!header) return header.error();
  return files.overwrite(path, 0, std::string(header->size(), '\0'));
}

}  // namespace weir::journal
