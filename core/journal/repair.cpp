#include "journal/repair.h"

#include <algorithm>
#include <map>

#include "base/time.h"
#include "journal/row.h"

namespace weir::journal {
namespace {

struct Row {
  uint32_t count = 0;
  std::string source;
  int64_t received_ns = 0;
  uint32_t codec = 0, checksum = 0;
  std::string body;
};

// What was read of a damaged file.
struct Salvage {
  std::map<uint64_t, Row> rows;  // by first sequence
  std::vector<DedupeEntry> keys;
  std::vector<Stamp> stamps;
  std::optional<SegmentFacts> facts;
  bool complete = true;  // nothing failed
};

// Behind a page that cannot be read SQLite does not go on by itself. Steps of the last row's size find the next row,
// because sources send batches of similar size; where that takes long the steps grow.
constexpr int kMostSteps = 4000;
constexpr int kStepsBeforeGrowing = 200;
constexpr uint64_t kAllKeys = uint64_t{1} << 40;

// Reads the rows from `from` on. Returns the sequence to go on with after a failure, 0 when the end was reached.
uint64_t read_rows(base::Statement& statement, uint64_t from, uint64_t head, Salvage* salvage) {
  statement.bind(1, from);
  uint64_t next = from;
  for (;;) {
    auto more = statement.step();
    if (!more) return next;
    if (!*more) break;
    uint64_t first = statement.unsigned_integer(0);
    Row row{static_cast<uint32_t>(statement.integer(1)), std::string(statement.text(2)), statement.integer(3),
            static_cast<uint32_t>(statement.integer(4)), static_cast<uint32_t>(statement.integer(5)),
            std::string(statement.blob(6))};
    next = std::max(next, first + 1);
    auto block = decode(row.codec, row.checksum, row.body);
    if (!block || !row_agrees(*block, first, row.count) || first + row.count - 1 > head) {
      salvage->complete = false;
      continue;
    }
    next = first + row.count;
    salvage->rows.emplace(first, std::move(row));
  }
  statement.reset();
  return 0;
}

void read_all_rows(base::Database& database, uint64_t head, Salvage* salvage) {
  auto statement = database.prepare(
      "SELECT first_sequence, count, source, received_ns, codec, crc32c, body FROM batch WHERE first_sequence >= ? "
      "ORDER BY first_sequence");
  if (!statement) {
    salvage->complete = false;
    return;
  }
  uint64_t from = salvage->facts ? salvage->facts->first : 0;
  int in_vain = 0;
  for (int step = 0; step < kMostSteps; ++step) {
    uint64_t failed_at = read_rows(*statement, from, head, salvage);
    if (failed_at == 0) return;
    salvage->complete = false;
    in_vain = failed_at > from ? 0 : in_vain + 1;
    uint64_t stride = salvage->rows.empty() ? 1 : salvage->rows.rbegin()->second.count;
    from = failed_at + (in_vain == 0 ? 0 : stride << (in_vain / kStepsBeforeGrowing));
  }
}

Salvage read_segment(base::FileSystem& files, const std::string& path, uint64_t head) {
  Salvage salvage;
  auto database = base::Database::open(path, base::OpenAs::kReader, files.sqlite_vfs());
  if (!database) {
    salvage.complete = false;
    return salvage;
  }
  if (auto facts = read_facts(*database); facts) {
    salvage.facts = *facts;
  } else {
    salvage.complete = false;
    auto head_row = database->prepare("SELECT epoch, first_sequence FROM segment");
    if (head_row) {
      if (auto row = head_row->step(); row && *row) {
        salvage.facts = SegmentFacts{head_row->unsigned_integer(0), head_row->unsigned_integer(1), 0, 0};
      }
    }
  }
  read_all_rows(*database, head, &salvage);
  auto keys = read_dedupe(*database, 0, kAllKeys, [&](const DedupeEntry& key) { salvage.keys.push_back(key); });
  auto stamps = read_stamps(*database, [&](const Stamp& stamp) { salvage.stamps.push_back(stamp); });
  if (!keys || !stamps) salvage.complete = false;
  return salvage;
}

std::vector<LostRange> holes(const std::map<uint64_t, Row>& rows, const SegmentFacts& expected, const std::string& name,
                             const std::string& reason) {
  std::vector<LostRange> lost;
  uint64_t next = expected.first;
  auto hole = [&](uint64_t last) { lost.push_back({expected.epoch, next, last, name, reason, base::wall_ns()}); };
  for (const auto& [first, row] : rows) {
    if (first > next) hole(first - 1);
    next = first + row.count;
  }
  if (expected.last >= next) hole(expected.last);
  return lost;
}

base::Status write_new(base::FileSystem& files, const std::string& path, const SegmentFacts& facts,
                       const Salvage& salvage) {
  auto segment = Segment::create(files, path);
  if (!segment) return segment.error();
  if (auto done = segment->begin(); !done) return done;
  if (auto done = segment->activate(facts.epoch, facts.first, base::wall_ns()); !done) return done;
  for (const auto& [first, row] : salvage.rows) {
    Body body{static_cast<Codec>(row.codec), row.checksum, row.body};
    if (auto done = segment->append(first, row.count, row.source, row.received_ns, body); !done) return done;
  }
  for (auto key = salvage.keys.rbegin(); key != salvage.keys.rend(); ++key) {
    auto row = salvage.rows.upper_bound(key->first_sequence);
    if (row == salvage.rows.begin()) continue;
    --row;
    if (key->first_sequence + key->count > row->first + row->second.count) continue;
    if (auto done = segment->remember(*key); !done) return done;
  }
  for (const Stamp& stamp : salvage.stamps) {
    if (!salvage.rows.contains(stamp.first_sequence)) continue;
    if (auto done = segment->stamp(stamp); !done) return done;
  }
  if (auto done = segment->commit(); !done) return done;
  return segment->checkpoint();
}

}  // namespace

base::Result<Repair> prepare_repair(base::FileSystem& files, const std::string& directory, uint32_t number,
                                    const SegmentFacts& expected, uint64_t head, const std::string& reason) {
  std::string name = segment_name(number), path = directory + "/" + name;
  Salvage salvage = read_segment(files, path, head);
  const auto& rows = salvage.rows;
  SegmentFacts facts = expected;
  if (facts.first == 0 && salvage.facts) facts = *salvage.facts;
  if (!rows.empty()) {
    uint64_t last = rows.rbegin()->first + rows.rbegin()->second.count - 1;
    if (facts.first == 0) facts.first = rows.begin()->first;
    facts.last = std::max(facts.last, last);
  }
  Repair repair;
  if (facts.first != 0) repair.lost = holes(rows, facts, name, reason);
  if (salvage.complete && repair.lost.empty() && !rows.empty()) {
    repair.sound = true;
    repair.facts = facts;
    return repair;
  }
  std::string unfinished = path + ".tmp", finished = path + ".new";
  if (auto done = remove_segment_files(files, unfinished); !done) return done.error();
  if (rows.empty()) return repair;
  for (const auto& [first, row] : rows) repair.saved_events += row.count;
  facts.last = rows.rbegin()->first + rows.rbegin()->second.count - 1;
  facts.newest_received_ns = rows.rbegin()->second.received_ns;
  repair.facts = facts;
  if (auto done = write_new(files, unfinished, facts, salvage); !done) return done.error();
  // Its WAL is empty, and must not stay where it could be taken for the WAL of another file.
  for (const char* suffix : kSideFiles) {
    if (!files.exists(unfinished + suffix)) continue;
    if (auto done = files.remove(unfinished + suffix); !done) return done.error();
  }
  if (auto done = files.rename(unfinished, finished); !done) return done.error();
  if (auto done = files.sync_directory(directory); !done) return done.error();
  return repair;
}

base::Result<std::string> finish_repair(base::FileSystem& files, const std::string& directory, uint32_t number,
                                        const std::string& report) {
  std::string path = directory + "/" + segment_name(number), folder = directory + "/damaged";
  std::string kept = folder + "/" + segment_name(number).substr(0, 8) + "-" + std::to_string(base::wall_ns()) + ".db";
  if (auto done = files.create_directories(folder); !done) return done.error();
  // One at a time, the file first: a file without its WAL would be taken for all there is, and a WAL that is left would
  // be taken for the new file's.
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (!files.exists(path + suffix)) continue;
    if (auto done = files.rename(path + suffix, kept + suffix); !done) return done.error();
    for (const std::string& changed : {folder, directory}) {
      if (auto done = files.sync_directory(changed); !done) return done.error();
    }
  }
  if (files.exists(path + ".new")) {
    if (auto done = files.rename(path + ".new", path); !done) return done.error();
    if (auto done = files.sync_directory(directory); !done) return done.error();
  }
  // For people: without it nothing but the explanation is missing.
  (void)files.write_file_durably(kept + ".txt", report);
  return kept;
}

std::string report_of(const Repair& repair, uint32_t number, const std::string& reason) {
  std::string text = segment_name(number) + ": " + reason + "\nevents saved: " + std::to_string(repair.saved_events) + "\n";
  for (const LostRange& range : repair.lost) {
    text += "lost: " + std::to_string(range.first) + ".." + std::to_string(range.last) + "\n";
  }
  return text;
}

}  // namespace weir::journal
