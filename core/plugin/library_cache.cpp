#include "plugin/library_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/digest.h"

namespace weir::plugin {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::Status;

// The probe has shown by now that it loads within its own deadline; this is for the rest.
constexpr base::Duration kLoadLimit = std::chrono::seconds(10);
constexpr size_t kPieceBytes = 64 * 1024;

// An open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error system_error(const std::string& doing, const std::string& path, int number) {
  Code code = number == ENOSPC || number == EDQUOT ? Code::kFull
              : number == EACCES                   ? Code::kDenied
                                                   : Code::kUnavailable;
  return base::error(
      code, doing + ": " + std::strerror(number), path,
      "plugins are loaded from private copies in the data folder: check its space and its permissions");
}

bool write_all(int fd, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    ssize_t n = ::write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

// Copies `from` to the new file `to`, syncs it, and gives the digest of what was copied.
Result<std::string> copy_file(const std::string& from, const std::string& to) {
  Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!in.ok()) return system_error("cannot be read", from, errno);
  Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0444));
  if (!out.ok()) return system_error("cannot be created", to, errno);
  base::Sha256 hash;
  std::array<uint8_t, kPieceBytes> piece;
  for (;;) {
    ssize_t n = ::read(in.get(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot be read", from, errno);
    if (n == 0) break;
    hash.update(std::span(piece.data(), static_cast<size_t>(n)));
    if (!write_all(out.get(), piece.data(), static_cast<size_t>(n))) {
      return system_error("cannot be written", to, errno);
    }
  }
  if (::fsync(out.get()) != 0) return system_error("cannot be synced", to, errno);
  return base::hex(hash.finish());
}

Status sync_folder(const std::string& folder) {
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0) return system_error("cannot be synced", folder, errno);
  return {};
}

std::string copy_path(const std::string& folder, const std::string& digest) {
  return folder + "/" + digest + ".so";
}

}  // namespace

Result<std::string> LibraryCache::store(const std::string& path, const std::string& digest) {
  const std::string& folder = state_->folder;
  const std::string copy = copy_path(folder, digest);
  std::lock_guard lock(state_->mutex);
  // What lies there may have been damaged since it was written.
  if (Result<base::Digest> there = base::sha256_file(copy); there && base::hex(*there) == digest) return copy;

  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return system_error("cannot be created", folder, failed.value());
  const std::string fresh = folder + "/." + digest + "." + std::to_string(::getpid());
  Result<std::string> copied = copy_file(path, fresh);
  if (copied && *copied != digest) {
    copied = base::error(Code::kUnavailable, "has changed while it was read", path,
                         "it is judged again when it rests");
  }
  if (copied && ::rename(fresh.c_str(), copy.c_str()) != 0) {
    copied = system_error("cannot be renamed", fresh, errno);
  }
  if (!copied) {
    ::unlink(fresh.c_str());
    return copied.error();
  }
  if (Status synced = sync_folder(folder); !synced) return synced.error();
  return copy;
}

Result<std::shared_ptr<Library>> LibraryCache::open(const std::string& digest, const Note& note) {
  std::lock_guard lock(state_->mutex);
  if (std::shared_ptr<Library> already = state_->open[digest].lock()) return already;
  Result<std::unique_ptr<Library>> library =
      Library::open(copy_path(state_->folder, digest), note, kLoadLimit);
  if (!library) return library.error();
  // Whoever lets go last unloads under the same lock, so that no new load of these bytes meets a half
  // unloaded one.
  std::shared_ptr<Library> shared(std::move(library).value().release(), [state = state_, digest](Library* going) {
    std::lock_guard unloading(state->mutex);
    delete going;
    // What weak pointers are left keeps this deleter, which keeps the state: a ring. It may be open again by now.
    auto known = state->open.find(digest);
    if (known != state->open.end() && known->second.expired()) state->open.erase(known);
  });
  state_->open[digest] = shared;
  return shared;
}

size_t LibraryCache::sweep(const std::vector<std::string>& keep) {
  std::lock_guard lock(state_->mutex);
  std::erase_if(state_->open, [](const auto& entry) { return entry.second.expired(); });
  size_t removed = 0;
  std::error_code ignored;  // a copy that cannot be removed costs space only; the next sweep tries again
  for (const auto& file : std::filesystem::directory_iterator(state_->folder, ignored)) {
    const std::string digest = file.path().stem();
    const bool ours = file.path().extension() == ".so" || digest.starts_with('.');
    const bool wanted =
        state_->open.contains(digest) || std::find(keep.begin(), keep.end(), digest) != keep.end();
    if (ours && !wanted && std::filesystem::remove(file.path(), ignored)) ++removed;
  }
  return removed;
}

}  // namespace weir::plugin
