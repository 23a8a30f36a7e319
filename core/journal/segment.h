// One segment file of the journal and the one connection that writes it.
//
// A segment holds batches of one epoch in sequence order, and the dedupe keys that came with them, in the same
// transactions. WAL mode, synchronous=FULL, no checkpoint while it is open: a commit costs one fsync of the WAL.
// When it is full it is sealed: its WAL is moved into the file by another thread and it is never written again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/sqlite.h"
#include "event/identity.h"
#include "journal/row.h"

namespace weir::journal {

using DedupeKey = event::Id;  // 128 bits of a SHA-256 of source and key

// A group of events that came under one dedupe key.
struct DedupeEntry {
  DedupeKey key{};
  uint64_t first_sequence = 0;
  uint32_t count = 0;
  event::Id first_id{};
};

// Says of a row of derived events what they were derived from; see derived.h.
struct Stamp {
  uint64_t first_sequence = 0;  // of the row
  std::string instance;
  uint64_t position = 0;
  int64_t tick_ns = 0;
};

// What a segment says of itself. `last` is first - 1 while it is empty.
struct SegmentFacts {
  uint64_t epoch = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  int64_t newest_received_ns = 0;
};

std::string segment_name(uint32_t number);                        // "00000012.db"
std::optional<uint32_t> segment_number(const std::string& name);  // the reverse; nothing for other files

// The writing side. One thread at a time.
class Segment {
 public:
  // Makes the file and its tables, durably. Nothing is in it until activate(). `spare_wal` is the path of a log to write
  // into, see SpareWal, or "".
  static base::Result<Segment> create(base::FileSystem& files, const std::string& path,
                                      const std::string& spare_wal = "");
  // Opens a file to go on appending to it. What is found in its WAL is made durable before this returns: after a crash
  // of the process or a failed sync, frames can be there that are not on the disk, or that the kernel wrongly takes
  // to be.
  static base::Result<Segment> reopen(base::FileSystem& files, const std::string& path);

  // Its facts as stored; kNotFound for a file that was created and never activated.
  base::Result<SegmentFacts> facts();

  base::Status begin();
  // Says which sequences begin here; in the transaction of the first batch.
  base::Status activate(uint64_t epoch, uint64_t first, int64_t created_ns);
  base::Status append(uint64_t first, uint32_t count, std::string_view source, int64_t received_ns, const Body& body);
  base::Status remember(const DedupeEntry& entry);
  base::Status stamp(const Stamp& stamp);
  // After a failure here the transaction's fate is unknown: the file must be reopened and looked at.
  base::Status commit();

  // Moves the WAL into the file. After it the file may be read as immutable.
  base::Status checkpoint() { return database_.checkpoint(); }
  void close();

  // What its files take, without what a WAL has from an earlier use.
  uint64_t bytes() const { return file_bytes_ + static_cast<uint64_t>(*wal_pages_) * kWalPage; }

 private:
  static constexpr uint64_t kWalPage = 4096 + 24;

  base::Status open(base::FileSystem& files, const std::string& path);
  base::Status prepare();

  uint64_t file_bytes_ = 0;  // of the file itself, which grows at the checkpoint only
  std::unique_ptr<int64_t> wal_pages_ = std::make_unique<int64_t>(0);
  base::Database database_;
  base::Statement begin_, append_, remember_, stamp_, commit_;
};

// False for a file that has no tables: its making was cut short, or it lost all it had.
base::Result<bool> has_tables(base::Database& database);

// Reads a segment's facts through a connection of its own. kNotFound: it was made and never used.
base::Result<SegmentFacts> read_facts(base::Database& database);

// Removes a segment's files so that no power cut leaves its WAL without what it belongs to in use.
base::Status remove_segment_files(base::FileSystem& files, const std::string& path);

// The newest `limit` dedupe entries with a sequence above `after`, newest first.
base::Status read_dedupe(base::Database& database, uint64_t after, uint64_t limit,
                         const std::function<void(const DedupeEntry&)>& each);

// All stamps, in the order of their rows. A segment of an earlier version has none.
base::Status read_stamps(base::Database& database, const std::function<void(const Stamp&)>& each);

// What SQLite keeps beside NAME.db. "-journal" is there only while a file is being made.
constexpr const char* kSideFiles[] = {"-wal", "-shm", "-journal"};

}  // namespace weir::journal
