// A write-ahead log of SQLite as a file: what of it is in use, and making it last or be forgotten. Only for files that
// no connection writes at the moment. The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"

namespace weir::journal {

// Bytes from the start that can hold frames of the log's present use; what lies behind is left from earlier ones. 0
// when SQLite would take nothing from it, and when there is no file.
base::Result<uint64_t> wal_bytes_in_use(base::FileSystem& files, const std::string& path);

// True when it has never been written, or was emptied. One that is neither empty nor in use is damaged.
base::Result<bool> wal_is_empty(base::FileSystem& files, const std::string& path);

// Writes the first `bytes` of any file again, in place, and syncs them: see FileSystem::overwrite().
base::Status rewrite(base::FileSystem& files, const std::string& path, uint64_t bytes);

// The same for what is in use of a log: see Segment::reopen().
base::Status rewrite_wal(base::FileSystem& files, const std::string& path);

// Makes SQLite take nothing from it any more, durably. All of it must be in the database's file.
base::Status empty_wal(base::FileSystem& files, const std::string& path);

}  // namespace weir::journal
