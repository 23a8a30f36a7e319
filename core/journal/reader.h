// Reads batches in sequence order, from memory or from the segment files.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/sqlite.h"
#include "journal/segment_set.h"
#include "journal/tail.h"

namespace weir::journal {

// What a reader needs of the journal it reads. Outlives its readers.
class ReaderSource {
 public:
  virtual ~ReaderSource() = default;
  virtual base::FileSystem& files() = 0;
  virtual std::string segment_path(uint32_t number) const = 0;
  virtual const SegmentSet& segments() const = 0;
  virtual const Tail& tail() const = 0;
  // Everything up to here is durable and may be read.
  virtual uint64_t head() const = 0;
  // A name that lives as long as the journal.
  virtual std::string_view intern(std::string_view source) = 0;
};

// A connection to a segment, with no transaction open. kUnavailable: it was trimmed meanwhile. The log of a segment that
// is checkpointed becomes another segment's, so it must not be opened any more, not even by who looked a moment ago.
base::Result<base::Database> open_for_reading(ReaderSource& journal, const SegmentInfo& segment);

// One consumer's reader: keeps one connection to the segment it is in, and no transaction between calls.
// One thread at a time.
class Reader {
 public:
  explicit Reader(ReaderSource& journal) : journal_(journal) {}

  // Appends batches from the one that holds `from` on (or the next one, when `from` was lost), at least one and at
  // most about `max_bytes`; none when `from` is beyond the head. kDamaged names the segment in `damaged_segment()`.
  base::Status read(uint64_t from, size_t max_bytes, std::vector<StoredBatch>* out);
  uint32_t damaged_segment() const { return damaged_; }

 private:
  base::Status open(const SegmentInfo& segment);
  base::Status read_segment(const SegmentInfo& segment, uint64_t from, size_t max_bytes, std::vector<StoredBatch>* out);
  void close();

  ReaderSource& journal_;
  base::Database database_;
  base::Statement rows_;
  uint32_t open_number_ = 0;
  bool open_ = false;
  uint32_t damaged_ = 0;
};

}  // namespace weir::journal
