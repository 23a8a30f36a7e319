// The write-ahead log of a segment that is done with, kept for the next one. Overwriting blocks is one write to the disk
// and a flush; a file that grows needs the file system's own journal at each sync too, which takes twice as long, and
// waits there for whatever else is being written, such as a checkpoint.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/file_system.h"

namespace weir::journal {

// Any thread; keep() from one at a time.
class SpareWal {
 public:
  // A log of more than `max_bytes` is not kept.
  SpareWal(base::FileSystem& files, const std::string& directory, uint64_t max_bytes);

  // Looks for the one of an earlier process, and removes others; before anything else.
  void find();
  // Makes the log of the segment with this number the spare one; removes it when there is one already. All of it must be
  // in the database's file, and the connection that wrote it must still be open: with the last connection goes what
  // SQLite knows in memory of the log, and a reader that came then would take the log for its own as it will be.
  void keep(const std::string& wal, uint32_t number);
  // Gives it away: its path, to be renamed to the log of a database, in the same folder, whose own is empty. The
  // renaming is to be made durable before the log is used. "" when there is none.
  std::string take();
  // It was not used after all.
  void give_back(const std::string& path);
  // Removes it, when room is needed.
  void drop();

 private:
  bool has_one() const;

  base::FileSystem& files_;
  std::string directory_;
  uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::string path_;  // of one that is empty and whose name is durable; or ""
};

}  // namespace weir::journal
