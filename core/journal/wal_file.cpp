#include "journal/wal_file.h"

#include <algorithm>
#include <optional>

namespace weir::journal {
namespace {

constexpr uint64_t kHeader = 32, kFrameHeader = 24;
constexpr size_t kSaltInHeader = 16, kSaltInFrame = 8, kSalt = 8;
constexpr uint64_t kChunk = base::FileSystem::kMaxReadBytes;

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

// Of a frame, its header included; nothing when SQLite would not accept the log's header.
std::optional<uint64_t> frame_size(const std::string& header) {
  constexpr uint32_t kMagic = 0x377f0682;  // the lowest bit says how checksums are made
  if (header.size() < kHeader || (big_endian(header, 0) & ~1u) != kMagic) return std::nullopt;
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

base::Status rewrite_wal(base::FileSystem& files, const std::string& path) {
  auto used = wal_bytes_in_use(files, path);
  if (!used) return used.error();
  for (uint64_t at = 0; at < *used; at += kChunk) {
    auto bytes = files.read_at(path, at, std::min(kChunk, *used - at));
    if (!bytes) return bytes.error();
    if (auto done = files.overwrite(path, at, *bytes); !done) return done;
  }
  return {};
}

base::Status empty_wal(base::FileSystem& files, const std::string& path) {
  auto header = files.read_at(path, 0, kHeader);
  if (!header) return header.error();
  return files.overwrite(path, 0, std::string(header->size(), '\0'));
}

SpareWal::SpareWal(base::FileSystem& files, const std::string& directory, uint64_t max_bytes)
    : files_(files), directory_(directory), path_(directory + "/spare.wal"), max_bytes_(max_bytes) {}

void SpareWal::find() {
  if (!files_.exists(path_)) return;
  auto used = wal_bytes_in_use(files_, path_);
  ready_ = used && *used == 0 && files_.sync_directory(directory_);
  if (!ready_) (void)files_.remove(path_);
}

void SpareWal::keep(const std::string& wal) {
  auto size = files_.size(wal);
  if (!size) return;
  if (!ready_ && *size != 0 && *size <= max_bytes_) {
    base::Status done = empty_wal(files_, wal);
    if (done) done = files_.rename(wal, path_);
    if (done) done = files_.sync_directory(directory_);
    ready_ = done.ok();
    if (done) return;
    // Whether the name lasts is not known; two databases must never write to one log.
    (void)files_.remove(path_);
  }
  if (files_.exists(wal)) (void)files_.remove(wal);
}

std::string SpareWal::take() { return ready_.exchange(false) ? path_ : ""; }

void SpareWal::drop() {
  if (ready_.exchange(false)) (void)files_.remove(path_);
}

}  // namespace weir::journal
