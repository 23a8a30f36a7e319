// A write-ahead log of SQLite as a file: what of it is in use, and making it last or be forgotten. Only for files that
// no connection writes at the moment. The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/file_system.h"

namespace weir::journal {

// Bytes from the start that can hold frames of the log's present use; what lies behind is left from earlier ones. 0
// when SQLite would take nothing from it, and when there is no file.
base::Result<uint64_t> wal_bytes_in_use(base::FileSystem& files, const std::string& path);

// Writes what is in use again, in place, and syncs it: see Segment::reopen().
base::Status rewrite_wal(base::FileSystem& files, const std::string& path);

// Makes SQLite take nothing from it any more, durably. All of it must be in the database's file.
base::Status empty_wal(base::FileSystem& files, const std::string& path);

// A log that is done with, kept for the next segment. Overwriting blocks is one write to the disk and a flush; a file
// that grows needs the file system's own journal at each sync too, which takes twice as long, and waits there for
// whatever else is being written, such as a checkpoint.
//
// keep() and take() may be called from two threads.
class SpareWal {
 public:
  // A log of more than `max_bytes` is not kept.
  SpareWal(base::FileSystem& files, const std::string& directory, uint64_t max_bytes);

  // Looks for the one of an earlier process; before anything else.
  void find();
  // Makes this log the spare one; removes it when there is one already. All of it must be in the database's file, and
  // nobody may write there any more; there may be readers.
  void keep(const std::string& wal);
  // Gives it away: its path, to be renamed to the log of a database, in the same folder, whose own is empty. The
  // renaming is to be made durable before the log is used. "" when there is none.
  std::string take();
  // Removes it, when room is needed.
  void drop();

 private:
  base::FileSystem& files_;
  std::string directory_, path_;
  uint64_t max_bytes_;
  std::atomic<bool> ready_{false};  // it is there, empty, and its name is durable
};

}  // namespace weir::journal
