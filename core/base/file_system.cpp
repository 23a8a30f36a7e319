#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

namespace weir::base {
namespace {

Error system_error(int number, const std::string& action, const std::string& path) {
  std::string what = "cannot " + action + ": " + std::generic_category().message(number);
  switch (number) {
    case ENOENT:
      return error(Code::kNotFound, std::move(what), path);
    case ENOSPC:
    case EDQUOT:
      return error(Code::kFull, std::move(what), path, "free space on this disk or raise the quota");
    case EACCES:
    case EPERM:
      return error(Code::kDenied, std::move(what), path, "check the owner and the rights");
    case EROFS:
      return error(Code::kDenied, std::move(what), path, "mount the disk writable");
    case ENOTDIR:
    case EISDIR:
    case EXDEV:
    case ENAMETOOLONG:
      return error(Code::kInvalid, std::move(what), path);
    case EIO:
      return error(Code::kUnavailable, std::move(what), path, "check the disk and the kernel's log");
    default:
      return error(Code::kUnavailable, std::move(what), path);
  }
}

// Calls `function` again while a signal interrupts it.
template <class Function>
auto uninterrupted(Function function) {
  auto result = function();
  while (result == -1 && errno == EINTR) result = function();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

int open_file(const std::string& path, int flags) {
  constexpr mode_t kMode = 0640;  // the data folder is not for everybody
  return uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kMode); });
}

// Writes everything; 0 or an errno.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = uninterrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); });
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// close() can report a late write error (NFS, quotas); 0 or an errno. EINTR has closed the descriptor on
// Linux.
int close_file(Descriptor& file) { return ::close(file.release()) == 0 || errno == EINTR ? 0 : errno; }

class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(int descriptor) : descriptor_(descriptor) {}

 private:
  Descriptor descriptor_;  // closing it unlocks
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return system_error(errno, "list the folder", directory);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
      errno = 0;
    }
    int failed = errno;
    ::closedir(stream);
    if (failed != 0) return system_error(failed, "list the folder", directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool exists(const std::string& path) override {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0;
  }

  Result<uint64_t> size(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return system_error(errno, "look at the file", path);
    if (S_ISDIR(status.st_mode)) return system_error(EISDIR, "look at the file", path);
    return static_cast<uint64_t>(status.st_size);
  }

  Result<std::string> read_file(const std::string& path) override {
    Descriptor file(open_file(path, O_RDONLY));
    if (!file.open()) return system_error(errno, "open the file", path);
    std::string bytes;
    std::array<char, 64 << 10> chunk;
    for (;;) {
      ssize_t got = uninterrupted([&] { return ::read(file.number(), chunk.data(), chunk.size()); });
      if (got < 0) return system_error(errno, "read the file", path);
      if (got == 0) return bytes;
      bytes.append(chunk.data(), static_cast<size_t>(got));
      if (bytes.size() > kMaxReadBytes)
        return error(Code::kInvalid, "the file is too large to be read whole", path);
    }
  }

  Status write_file_durably(const std::string& path, std::string_view bytes) override {
    std::string beside = path + ".tmp";
    int failed = write_synced(beside, bytes);
    if (failed == 0 && ::rename(beside.c_str(), path.c_str()) != 0) failed = errno;
    if (failed != 0) {
      ::unlink(beside.c_str());
      return system_error(failed, "write the file", path);
    }
    return sync_directory(parent_directory(path));
  }

  Status reserve_file(const std::string& path, uint64_t bytes) override {
    Descriptor file(open_file(path, O_WRONLY | O_CREAT));
    if (!file.open()) return system_error(errno, "create the file", path);
    // Real blocks, not a hole: posix_fallocate writes where the disk's file system cannot reserve.
    int failed = 0;
    do {
      failed = bytes == 0 ? 0 : ::posix_fallocate(file.number(), 0, static_cast<off_t>(bytes));
    } while (failed == EINTR);
    if (failed == 0 && uninterrupted([&] { return ::fsync(file.number()); }) != 0) failed = errno;
    if (failed != 0) {
      ::unlink(path.c_str());
      return system_error(failed, "reserve space", path);
    }
    return sync_directory(parent_directory(path));
  }

  Result<std::string> read_at(const std::string& path, uint64_t offset, uint64_t bytes) override {
    if (bytes > kMaxReadBytes) return error(Code::kInvalid, "too much to be read at once", path);
    Descriptor file(open_file(path, O_RDONLY));
    if (!file.open()) return system_error(errno, "open the file", path);
    std::string part(bytes, '\0');
    for (size_t done = 0; done < part.size();) {
      auto at = static_cast<off_t>(offset + done);
      ssize_t got = uninterrupted([&] { return ::pread(file.number(), part.data() + done, part.size() - done, at); });
      if (got < 0) return system_error(errno, "read the file", path);
      if (got == 0) part.resize(done);
      done += static_cast<size_t>(got);
    }
    return part;
  }

  Status overwrite(const std::string& path, uint64_t offset, std::string_view bytes) override {
    Descriptor file(open_file(path, O_WRONLY));
    if (!file.open()) return system_error(errno, "open the file", path);
    for (size_t done = 0; done < bytes.size();) {
      auto at = static_cast<off_t>(offset + done);
      ssize_t put = uninterrupted([&] { return ::pwrite(file.number(), bytes.data() + done, bytes.size() - done, at); });
      if (put < 0) return system_error(errno, "write the file", path);
      done += static_cast<size_t>(put);
    }
    if (uninterrupted([&] { return ::fsync(file.number()); }) != 0) return system_error(errno, "sync the file", path);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error(errno, "remove the file", path);
    return {};
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, "rename the file to " + to, from);
    return {};
  }

  Status create_directories(const std::string& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode)) return {};
      return system_error(ENOTDIR, "create the folder", path);
    }
    std::string parent = parent_directory(path);
    if (parent != path) {
      if (Status made = create_directories(parent); !made) return made;
    }
    constexpr mode_t kMode = 0750;
    if (::mkdir(path.c_str(), kMode) != 0 && errno != EEXIST)
      return system_error(errno, "create the folder", path);
    return sync_directory(parent);
  }

  Status sync_directory(const std::string& directory) override {
    Descriptor folder(open_file(directory, O_RDONLY | O_DIRECTORY));
    if (!folder.open()) return system_error(errno, "open the folder", directory);
    if (uninterrupted([&] { return ::fsync(folder.number()); }) == 0) return {};
    // Some file systems cannot sync a folder and say so; there is nothing more to ask of them.
    if (errno == EINVAL || errno == ENOTSUP) return {};
    return system_error(errno, "sync the folder", directory);
  }

  Result<uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) != 0)
      return system_error(errno, "ask for free space", directory);
    return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  }

  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override {
    Descriptor file(open_file(path, O_RDWR | O_CREAT));
    if (!file.open()) return system_error(errno, "open the lock file", path);
    if (uninterrupted([&] { return ::flock(file.number(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return system_error(errno, "lock the file", path);
      return locked_by_other(file, path);
    }
    // The id is for people only: the lock holds without it, so a full disk does not matter here.
    if (::ftruncate(file.number(), 0) == 0) {
      static_cast<void>(write_all(file.number(), std::to_string(::getpid()) + "\n"));
    }
    return std::unique_ptr<FileLock>(std::make_unique<RealFileLock>(file.release()));
  }

  const char* sqlite_vfs() const override { return nullptr; }

 private:
  static int write_synced(const std::string& path, std::string_view bytes) {
    Descriptor file(open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
    if (!file.open()) return errno;
    if (int failed = write_all(file.number(), bytes); failed != 0) return failed;
    if (uninterrupted([&] { return ::fsync(file.number()); }) != 0) return errno;
    return close_file(file);
  }

  static Error locked_by_other(const Descriptor& file, const std::string& path) {
    std::array<char, 32> text{};
    ssize_t got = uninterrupted([&] { return ::pread(file.number(), text.data(), text.size(), 0); });
    int id = 0;
    if (got > 0) std::from_chars(text.data(), text.data() + got, id);
    std::string who = id > 0 ? "process " + std::to_string(id) : "another process";
    return error(Code::kUnavailable, who + " is using this folder", path,
                 "stop it first, or use another data_dir");
  }
};

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem instance;
  return instance;
}

std::string parent_directory(const std::string& path) {
  size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return path.empty() ? "." : "/";
  size_t slash = path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

}  // namespace weir::base
