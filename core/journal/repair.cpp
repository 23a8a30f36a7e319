#include "journal/repair.h"

#include <map>

#include "base/log.h"
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

constexpr const char* kColumns = "SELECT first_sequence, count, source, received_ns, codec, crc32c, body FROM batch ";

// Reads rows in the given order until one cannot be read. A page that is damaged in the middle hides what lies behind
// it in one direction, not in the other.
void salvage(base::Database& database, const char* order, uint64_t head, std::map<uint64_t, Row>* rows) {
  auto statement = database.prepare(std::string(kColumns) + order);
  if (!statement) return;
  for (;;) {
    auto more = statement->step();
    if (!more || !*more) return;
    uint64_t first = statement->unsigned_integer(0);
    Row row{static_cast<uint32_t>(statement->integer(1)), std::string(statement->text(2)), statement->integer(3),
            static_cast<uint32_t>(statement->integer(4)), static_cast<uint32_t>(statement->integer(5)),
            std::string(statement->blob(6))};
    auto block = decode(row.codec, row.checksum, row.body);
    if (!block || block->batch()->count != row.count || row.count == 0 || first + row.count - 1 > head) continue;
    if (block->event(0)->sequence != first) continue;
    rows->emplace(first, std::move(row));
  }
}

std::vector<LostRange> holes(const std::map<uint64_t, Row>& rows, const SegmentFacts& expected, const std::string& name,
                             const std::string& reason) {
  std::vector<LostRange> lost;
  uint64_t next = expected.first;
  auto hole = [&](uint64_t last) {
    if (last >= next && last + 1 != next) lost.push_back({expected.epoch, next, last, name, reason, base::wall_ns()});
  };
  for (const auto& [first, row] : rows) {
    if (first > next) hole(first - 1);
    next = first + row.count;
  }
  if (expected.last >= next) hole(expected.last);
  return lost;
}

base::Status write_new(base::FileSystem& files, const std::string& path, const SegmentFacts& facts,
                       const std::map<uint64_t, Row>& rows) {
  auto segment = Segment::create(files, path);
  if (!segment) return segment.error();
  if (auto done = segment->begin(); !done) return done;
  if (auto done = segment->activate(facts.epoch, facts.first, base::wall_ns()); !done) return done;
  for (const auto& [first, row] : rows) {
    Body body{static_cast<Codec>(row.codec), row.checksum, row.body};
    if (auto done = segment->append(first, row.count, row.source, row.received_ns, body); !done) return done;
  }
  if (auto done = segment->commit(); !done) return done;
  return segment->checkpoint();
}

}  // namespace

base::Result<Repair> repair_segment(base::FileSystem& files, const std::string& directory, uint32_t number,
                                    const SegmentFacts& expected, uint64_t head, const std::string& reason) {
  std::string name = segment_name(number), path = directory + "/" + name;
  std::map<uint64_t, Row> rows;
  SegmentFacts facts = expected;
  if (auto database = base::Database::open(path, base::OpenAs::kReader, files.sqlite_vfs()); database) {
    (void)database->keep_off_the_wal();
    if (auto stored = read_facts(*database); stored && facts.first == 0) facts = *stored;
    salvage(*database, "ORDER BY first_sequence ASC", head, &rows);
    salvage(*database, "ORDER BY first_sequence DESC", head, &rows);
  }
  if (facts.first == 0 && !rows.empty()) {
    facts.first = rows.begin()->first;
    facts.last = rows.rbegin()->first + rows.rbegin()->second.count - 1;
  }
  Repair repair;
  repair.kept_as = directory + "/damaged/" + name.substr(0, 8) + "-" + std::to_string(base::wall_ns()) + ".db";
  repair.lost = facts.first == 0 ? std::vector<LostRange>() : holes(rows, facts, name, reason);
  std::string fresh = path + ".new";
  for (const char* suffix : {"-wal", "-shm", ""}) (void)files.remove(fresh + suffix);
  if (!rows.empty()) {
    for (const auto& [first, row] : rows) repair.saved_events += row.count;
    if (auto done = write_new(files, fresh, facts, rows); !done) return done.error();
    facts.newest_received_ns = rows.rbegin()->second.received_ns;
    repair.facts = facts;
  }
  if (auto done = files.create_directories(directory + "/damaged"); !done) return done.error();
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (!files.exists(path + suffix)) continue;
    if (auto done = files.rename(path + suffix, repair.kept_as + suffix); !done) return done.error();
  }
  if (!rows.empty()) {
    for (const char* suffix : {"-wal", "-shm"}) (void)files.remove(fresh + suffix);
    if (auto done = files.rename(fresh, path); !done) return done.error();
  }
  if (auto done = files.sync_directory(directory); !done) return done.error();
  (void)files.write_file_durably(repair.kept_as + ".txt",
                                 name + ": " + reason + "\nevents saved: " + std::to_string(repair.saved_events) +
                                     "\nranges lost: " + std::to_string(repair.lost.size()) + "\n");
  base::log_error("journal", name + " was damaged (" + reason + "): " + std::to_string(repair.saved_events) +
                                 " events saved, " + std::to_string(repair.lost.size()) +
                                 " ranges lost; the file is kept as " + repair.kept_as);
  return repair;
}

}  // namespace weir::journal
