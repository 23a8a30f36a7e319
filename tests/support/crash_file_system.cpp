// base::FileSystem on a CrashDisk. Every call is made of the disk's single operations, so that a fault or a
// power cut can hit between any two of them.
#include <set>

#include "support/crash_vfs.h"

namespace weir::test {
namespace {

using base::Code;
using base::Error;
using base::error;
using base::Result;
using base::Status;

Error disk_error(DiskError failed, const std::string& action, const std::string& path) {
  std::string what = "cannot " + action + ": ";
  switch (failed) {
    case DiskError::kOff:
      return error(Code::kUnavailable, what + "the power is off", path);
    case DiskError::kFull:
      return error(Code::kFull, what + "no space left on device", path);
    case DiskError::kNotFound:
      return error(Code::kNotFound, what + "no such file or directory", path);
    case DiskError::kExists:
      return error(Code::kInvalid, what + "file exists", path);
    case DiskError::kIsDirectory:
      return error(Code::kInvalid, what + "is a directory", path);
    case DiskError::kNone:
    case DiskError::kInputOutput:
      break;
  }
  return error(Code::kUnavailable, what + "input/output error", path);
}

Status status(DiskError failed, const std::string& action, const std::string& path) {
  if (failed == DiskError::kNone) return {};
  return disk_error(failed, action, path);
}

// The locks of the process that runs in this boot.
struct Locks {
  std::mutex mutex;
  std::set<std::string> held;
};

class CrashFileLock final : public base::FileLock {
 public:
  CrashFileLock(std::shared_ptr<Locks> locks, std::string path)
      : locks_(std::move(locks)), path_(std::move(path)) {}
  ~CrashFileLock() override {
    std::lock_guard lock(locks_->mutex);
    locks_->held.erase(path_);
  }

 private:
  std::shared_ptr<Locks> locks_;
  std::string path_;
};

class CrashFileSystem final : public base::FileSystem {
 public:
  CrashFileSystem(std::shared_ptr<CrashDisk> disk, std::string vfs_name)
      : disk_(std::move(disk)), boot_(disk_->boot()), vfs_name_(std::move(vfs_name)) {}

  Result<std::vector<std::string>> list(const std::string& directory) override {
    std::vector<std::string> names;
    DiskError failed = disk_->list(boot_, normal_path(directory), names);
    if (failed != DiskError::kNone) return disk_error(failed, "list the folder", directory);
    return names;
  }

  bool exists(const std::string& path) override {
    bool is_directory = false;
    uint64_t bytes = 0;
    return disk_->find(boot_, normal_path(path), is_directory, bytes) == DiskError::kNone;
  }

  Result<uint64_t> size(const std::string& path) override {
    bool is_directory = false;
    uint64_t bytes = 0;
    DiskError failed = disk_->find(boot_, normal_path(path), is_directory, bytes);
    if (failed == DiskError::kNone && is_directory) failed = DiskError::kIsDirectory;
    if (failed != DiskError::kNone) return disk_error(failed, "look at the file", path);
    return bytes;
  }

  Result<std::string> read_file(const std::string& path) override {
    CrashDisk::NodePtr node;
    DiskError failed = disk_->open(boot_, normal_path(path), false, false, node);
    if (failed != DiskError::kNone) return disk_error(failed, "open the file", path);
    std::string bytes;
    failed = disk_->read(boot_, *node, 0, kMaxReadBytes + 1, bytes);
    disk_->close(node);
    if (failed != DiskError::kNone) return disk_error(failed, "read the file", path);
    if (bytes.size() > kMaxReadBytes)
      return error(Code::kInvalid, "the file is too large to be read whole", path);
    return bytes;
  }

  Status write_file_durably(const std::string& path, std::string_view bytes) override {
    std::string beside = normal_path(path + ".tmp");
    DiskError failed = write_synced(beside, true, bytes);
    if (failed == DiskError::kNone) failed = disk_->rename(boot_, beside, normal_path(path));
    if (failed != DiskError::kNone) {
      static_cast<void>(disk_->remove(boot_, beside));
      return disk_error(failed, "write the file", path);
    }
    return sync_directory(base::parent_directory(path));
  }

  Status reserve_file(const std::string& path, uint64_t bytes) override {
    uint64_t now = 0;
    bool is_directory = false;
    static_cast<void>(disk_->find(boot_, normal_path(path), is_directory, now));
    std::string zeros(now < bytes ? bytes - now : 0, '\0');
    DiskError failed = write_synced(normal_path(path), false, zeros);
    if (failed != DiskError::kNone) {
      static_cast<void>(disk_->remove(boot_, normal_path(path)));
      return disk_error(failed, "reserve space", path);
    }
    return sync_directory(base::parent_directory(path));
  }

  Result<std::string> read_at(const std::string& path, uint64_t offset, uint64_t bytes) override {
    if (bytes > kMaxReadBytes) return error(Code::kInvalid, "too much to be read at once", path);
    CrashDisk::NodePtr node;
    DiskError failed = disk_->open(boot_, normal_path(path), false, false, node);
    if (failed != DiskError::kNone) return disk_error(failed, "open the file", path);
    std::string part;
    failed = disk_->read(boot_, *node, offset, bytes, part);
    disk_->close(node);
    if (failed != DiskError::kNone) return disk_error(failed, "read the file", path);
    return part;
  }

  Status overwrite(const std::string& path, uint64_t offset, std::string_view bytes) override {
    CrashDisk::NodePtr node;
    DiskError failed = disk_->open(boot_, normal_path(path), false, false, node);
    if (failed != DiskError::kNone) return disk_error(failed, "open the file", path);
    if (!bytes.empty()) failed = disk_->write(boot_, *node, offset, bytes);
    if (failed == DiskError::kNone) failed = disk_->sync(boot_, *node);
    disk_->close(node);
    return status(failed, "overwrite the file", path);
  }

  Status remove(const std::string& path) override {
    return status(disk_->remove(boot_, normal_path(path)), "remove the file", path);
  }

  Status rename(const std::string& from, const std::string& to) override {
    return status(disk_->rename(boot_, normal_path(from), normal_path(to)), "rename the file to " + to, from);
  }

  Status create_directories(const std::string& path) override {
    return status(disk_->make_directories(boot_, normal_path(path)), "create the folder", path);
  }

  Status sync_directory(const std::string& directory) override {
    return status(disk_->sync_directory(boot_, normal_path(directory)), "sync the folder", directory);
  }

  Result<uint64_t> free_bytes(const std::string& directory) override {
    if (disk_->off() || disk_->boot() != boot_)
      return disk_error(DiskError::kOff, "ask for free space", directory);
    return disk_->free_bytes();
  }

  Result<std::unique_ptr<base::FileLock>> lock_file(const std::string& path) override {
    CrashDisk::NodePtr node;
    std::string normal = normal_path(path);
    DiskError failed = disk_->open(boot_, normal, true, false, node);
    if (failed != DiskError::kNone) return disk_error(failed, "open the lock file", path);
    disk_->close(node);
    std::lock_guard lock(locks_->mutex);
    if (!locks_->held.insert(normal).second) {
      return error(Code::kUnavailable, "another process is using this folder", path,
                   "stop it first, or use another data_dir");
    }
    return std::unique_ptr<base::FileLock>(std::make_unique<CrashFileLock>(locks_, normal));
  }

  const char* sqlite_vfs() const override { return vfs_name_.c_str(); }

 private:
  // Replaces the file's content, or appends to it.
  DiskError write_synced(const std::string& path, bool replaces, std::string_view bytes) {
    CrashDisk::NodePtr node;
    DiskError failed = disk_->open(boot_, path, true, false, node);
    if (failed != DiskError::kNone) return failed;
    uint64_t end = 0;
    failed = replaces ? disk_->truncate(boot_, *node, 0) : disk_->size(boot_, *node, end);
    if (failed == DiskError::kNone) failed = disk_->write(boot_, *node, end, bytes);
    if (failed == DiskError::kNone) failed = disk_->sync(boot_, *node);
    disk_->close(node);
    return failed;
  }

  std::shared_ptr<CrashDisk> disk_;
  CrashDisk::Boot boot_;
  std::string vfs_name_;
  std::shared_ptr<Locks> locks_ = std::make_shared<Locks>();
};

}  // namespace

std::unique_ptr<base::FileSystem> make_crash_file_system(std::shared_ptr<CrashDisk> disk,
                                                         std::string vfs_name) {
  return std::make_unique<CrashFileSystem>(std::move(disk), std::move(vfs_name));
}

}  // namespace weir::test
