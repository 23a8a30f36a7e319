#include "journal/spare_wal.h"

#include <string_view>
#include <utility>

#include "journal/wal_file.h"

namespace weir::journal {
namespace {

constexpr std::string_view kSpare = "spare-", kSuffix = ".wal";

}  // namespace

SpareWal::SpareWal(base::FileSystem& files, const std::string& directory, uint64_t max_bytes)
    : files_(files), directory_(directory), max_bytes_(max_bytes) {}

bool SpareWal::has_one() const {
  std::lock_guard lock(mutex_);
  return !path_.empty();
}

void SpareWal::find() {
  auto names = files_.list(directory_);
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.starts_with(kSpare) || !name.ends_with(kSuffix)) continue;
    std::string path = directory_ + "/" + name;
    auto empty = wal_is_empty(files_, path);
    auto size = files_.size(path);
    if (empty && *empty && size && *size <= max_bytes_ && files_.sync_directory(directory_)) {
      give_back(path);
    } else {
      (void)files_.remove(path);
    }
  }
}

void SpareWal::keep(const std::string& wal, uint32_t number) {
  auto size = files_.size(wal);
  if (!size) return;
  if (!has_one() && *size != 0 && *size <= max_bytes_) {
    // A name of its own: the one before may be given away and not renamed yet.
    std::string path = directory_ + "/" + std::string(kSpare) + std::to_string(number) + std::string(kSuffix);
    base::Status done = empty_wal(files_, wal);
    if (done) done = files_.rename(wal, path);
    if (done) done = files_.sync_directory(directory_);
    if (done) return give_back(path);
    // Whether the name lasts is not known; two databases must never write to one log.
    if (files_.exists(path)) (void)files_.remove(path);
  }
  if (files_.exists(wal)) (void)files_.remove(wal);
}

std::string SpareWal::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(path_, {});
}

void SpareWal::give_back(const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    if (path_.empty()) {
      path_ = path;
      return;
    }
  }
  (void)files_.remove(path);
}

void SpareWal::drop() {
  if (std::string path = take(); !path.empty()) (void)files_.remove(path);
}

}  // namespace weir::journal
