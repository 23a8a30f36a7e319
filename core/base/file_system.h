// The files of the data folder, as the journal sees them: the real disk, or in tests a simulated one that
// loses power. SQLite reaches the same world through sqlite_vfs(). What a power cut may undo is said at each
// call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::base {

// Holds a lock until it is destroyed; the kernel lets go of it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Errors of every call: kNotFound (no such file or folder), kFull (no space, quota), kDenied (rights,
// read-only disk), kInvalid (a path of the wrong kind), kUnavailable (everything else, such as an I/O error).
// `where` is the path. Any thread; all calls may block on the disk.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Names (without the folder) of everything in a folder but "." and "..", sorted.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;

  // False also when the folder cannot be searched.
  virtual bool exists(const std::string& path) = 0;

  // Bytes of a file.
  virtual Result<uint64_t> size(const std::string& path) = 0;

  // The whole file. Not for files of unknown size: at most kMaxReadBytes, else kInvalid.
  virtual Result<std::string> read_file(const std::string& path) = 0;

  // Replaces the file by `bytes` as one step: after a power cut it holds the old content or the new, and once
  // this has returned ok, the new. It is written beside the target as PATH.tmp and renamed; a PATH.tmp found
  // at start is rubbish and may be removed.
  virtual Status write_file_durably(const std::string& path, std::string_view bytes) = 0;

  // Creates or extends a file that really occupies `bytes` on the disk (a ballast), durably. On an
  // error the whole file is removed, so that the space is free for others.
  virtual Status reserve_file(const std::string& path, uint64_t bytes) = 0;

  // A part of a file, fewer bytes at its end. At most kMaxReadBytes, else kInvalid.
  virtual Result<std::string> read_at(const std::string& path, uint64_t offset, uint64_t bytes) = 0;

  // Writes into a file that is there, and syncs it. To write what can be read already is not for nothing: after a
  // failed fsync the kernel takes the pages for clean though they are not on the disk, and no later fsync writes them
  // (Linux). A power cut in the middle leaves each sector as it was or as it is to be.
  virtual Status overwrite(const std::string& path, uint64_t offset, std::string_view bytes) = 0;

  // Removes a file. Can be undone by a power cut until sync_directory().
  virtual Status remove(const std::string& path) = 0;

  // Renames a file, replacing a file called `to`. The step is atomic, but can be undone by a power cut until
  // sync_directory(), of both folders when they are two.
  virtual Status rename(const std::string& from, const std::string& to) = 0;

  // Creates a folder and its parents, durably; ok when it exists already.
  virtual Status create_directories(const std::string& path) = 0;

  // Makes creations, removals and renames in this folder survive a power cut.
  virtual Status sync_directory(const std::string& directory) = 0;

  // Bytes an unprivileged process can still write on the disk of this folder.
  virtual Result<uint64_t> free_bytes(const std::string& directory) = 0;

  // Creates the file when needed and locks it for this process alone; kUnavailable when another one holds it,
  // naming its process id. Does not wait.
  virtual Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) = 0;

  // What to give sqlite3_open_v2 as the name of the VFS; nullptr is SQLite's default.
  virtual const char* sqlite_vfs() const = 0;

  // Reading more at once would break the bound on memory; the files read whole are small.
  static constexpr uint64_t kMaxReadBytes = 1 << 20;
};

// The disk of this machine.
FileSystem& real_file_system();

// "dir/name" -> "dir", "name" -> ".", "/name" -> "/".
std::string parent_directory(const std::string& path);

}  // namespace weir::base
