#include "journal/reader.h"

#include <algorithm>
#include <memory>

#include "journal/row.h"

namespace weir::journal {

base::Result<base::Database> open_for_reading(ReaderSource& journal, const SegmentInfo& segment) {
  std::string path = journal.segment_path(segment.number);
  const char* vfs = journal.files().sqlite_vfs();
  if (!segment.checkpointed) {
    auto database = base::Database::open(path, base::OpenAs::kReader, vfs);
    if (!database) return database.error();
    // Now SQLite opens the log, and learns what is in it or who knows.
    if (auto done = database->query_integer("SELECT count(*) FROM sqlite_master"); !done) return done.error();
    auto still = journal.segments().with_number(segment.number);
    if (!still) return base::error(base::Code::kUnavailable, "the segment was trimmed", path);
    if (!still->checkpointed) return database;
  }
  return base::Database::open(path, base::OpenAs::kImmutable, vfs);
}

void Reader::close() {
  rows_ = base::Statement();
  database_.close();
  open_ = false;
}

base::Status Reader::open(const SegmentInfo& segment) {
  if (open_ && open_number_ == segment.number) return {};
  close();
  auto database = open_for_reading(journal_, segment);
  if (!database) return database.error();
  // Many readers share little memory.
  if (auto done = database->execute("PRAGMA cache_size=-256"); !done) return done;
  auto rows = database->prepare(
      "SELECT first_sequence, count, source, codec, crc32c, body FROM batch WHERE first_sequence >= coalesce((SELECT "
      "max(first_sequence) FROM batch WHERE first_sequence <= ?1), 0) ORDER BY first_sequence");
  if (!rows) return rows.error();
  database_ = std::move(*database);
  rows_ = std::move(*rows);
  open_number_ = segment.number;
  open_ = true;
  return {};
}

base::Status Reader::read(uint64_t from, size_t max_bytes, std::vector<StoredBatch>* out) {
  if (from > journal_.head()) return {};
  if (journal_.tail().read(from, max_bytes, out)) {
    close();  // keeping up: the file is not needed for now
    return {};
  }
  size_t before = out->size();
  for (uint64_t at = from; out->size() == before;) {
    auto segment = journal_.segments().at_or_after(at);
    if (!segment) return {};
    base::Status done = open(*segment);
    if (done) done = read_segment(*segment, at, max_bytes, out);
    if (!done) {
      close();
      damaged_ = segment->number;
      return done;
    }
    at = segment->facts.last + 1;
    if (at > journal_.head()) return {};
  }
  return {};
}

base::Status Reader::read_segment(const SegmentInfo& segment, uint64_t from, size_t max_bytes,
                                  std::vector<StoredBatch>* out) {
  uint64_t head = journal_.head(), seen = 0;
  size_t bytes = 0;
  bool ended = false;
  rows_.bind(1, from);
  for (;;) {
    auto row = rows_.step();
    if (!row) return row.error();
    if (!*row) {
      ended = true;
      break;
    }
    StoredBatch batch;
    batch.first = rows_.unsigned_integer(0);
    batch.count = static_cast<uint32_t>(rows_.integer(1));
    // Rows beyond the head are committed but not yet announced.
    if (batch.last() > head) break;
    seen = batch.last();
    if (batch.last() < from) continue;
    auto block = decode(static_cast<uint32_t>(rows_.integer(3)), static_cast<uint32_t>(rows_.integer(4)),
                        rows_.blob(5));
    if (!block || !row_agrees(*block, batch.first, batch.count)) {
      rows_.reset();
      return base::error(base::Code::kDamaged,
                         "row " + std::to_string(batch.first) + ": " +
                             (block ? "holds other events than it says" : block.error().what),
                         segment_name(segment.number));
    }
    bytes += block->size();
    batch.block = std::make_shared<const event::Block>(std::move(*block));
    batch.source = journal_.intern(rows_.text(2));
    out->push_back(std::move(batch));
    if (bytes >= max_bytes) break;
  }
  rows_.reset();
  // Damage in a WAL hides what lies behind it without an error. To go on to the next segment would give it up.
  if (ended && seen < std::min(segment.facts.last, head)) {
    return base::error(base::Code::kDamaged, "its last rows are missing", segment_name(segment.number));
  }
  return {};
}

}  // namespace weir::journal
