#include "journal/segment.h"

#include <cstdio>
#include <cstring>

#include "journal/wal_file.h"

namespace weir::journal {
namespace {

constexpr const char* kSettings =
    "PRAGMA page_size=4096;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA secure_delete=0;"
    "PRAGMA cache_size=-1024;";

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS segment(format INTEGER NOT NULL, epoch INTEGER NOT NULL, first_sequence INTEGER "
    "NOT NULL, created_ns INTEGER NOT NULL, opened INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS batch(first_sequence INTEGER PRIMARY KEY, count INTEGER NOT NULL, source TEXT NOT "
    "NULL, received_ns INTEGER NOT NULL, codec INTEGER NOT NULL, key_id INTEGER, crc32c INTEGER NOT NULL, body BLOB "
    "NOT NULL);"
    "CREATE TABLE IF NOT EXISTS dedupe(key BLOB NOT NULL, first_sequence INTEGER NOT NULL, count INTEGER NOT NULL, "
    "first_id BLOB NOT NULL);";

// Apart from the others, because segments of earlier versions do without it.
constexpr const char* kStampTable =
    "CREATE TABLE IF NOT EXISTS derived(first_sequence INTEGER PRIMARY KEY, instance TEXT NOT NULL, position INTEGER "
    "NOT NULL, tick_ns INTEGER NOT NULL);";

constexpr int kFormat = 1;

}  // namespace

std::string segment_name(uint32_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%08u.db", number);
  return name;
}

std::optional<uint32_t> segment_number(const std::string& name) {
  if (name.size() != 11 || name.substr(8) != ".db") return std::nullopt;
  uint32_t number = 0;
  for (char c : name.substr(0, 8)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(c - '0');
  }
  return number;
}

base::Status Segment::open(base::FileSystem& files, const std::string& path) {
  auto database = base::Database::open(path, base::OpenAs::kWriter, files.sqlite_vfs());
  if (!database) return database.error();
  database_ = std::move(*database);
  // Checkpoints happen when the journal says so, not whenever somebody closes.
  if (auto done = database_.keep_off_the_wal(); !done) return done;
  if (auto done = database_.execute(kSettings); !done) return done;
  database_.count_wal_pages(wal_pages_.get());
  if (auto size = files.size(path); size) file_bytes_ = *size;
  return {};
}

base::Status Segment::prepare() {
  struct {
    base::Statement* statement;
    const char* sql;
  } wanted[] = {{&begin_, "BEGIN IMMEDIATE"},
                {&append_,
                 "INSERT INTO batch(first_sequence,count,source,received_ns,codec,crc32c,body) VALUES(?,?,?,?,?,?,?)"},
                {&remember_, "INSERT INTO dedupe(key,first_sequence,count,first_id) VALUES(?,?,?,?)"},
                {&stamp_, "INSERT INTO derived(first_sequence,instance,position,tick_ns) VALUES(?,?,?,?)"},
                {&commit_, "COMMIT"}};
  for (auto& want : wanted) {
    auto statement = database_.prepare(want.sql);
    if (!statement) return statement.error();
    *want.statement = std::move(*statement);
  }
  return {};
}

base::Result<Segment> Segment::create(base::FileSystem& files, const std::string& path, const std::string& spare_wal) {
  Segment segment;
  if (auto done = segment.open(files, path); !done) return done.error();
  std::string tables = std::string("BEGIN IMMEDIATE;") + kTables + kStampTable + "COMMIT;";
  if (auto done = segment.database_.execute(tables.c_str()); !done) return done.error();
  if (!spare_wal.empty()) {
    // Its own log must hold nothing when the other takes its place.
    if (auto done = segment.database_.checkpoint_and_truncate(); !done) return done.error();
    segment.database_.close();
    if (auto done = files.rename(spare_wal, path + "-wal"); !done) return done.error();
    if (auto done = segment.open(files, path); !done) return done.error();
  }
  if (auto done = segment.prepare(); !done) return done.error();
  if (auto done = files.sync_directory(base::parent_directory(path)); !done) return done.error();
  return segment;
}

base::Result<Segment> Segment::reopen(base::FileSystem& files, const std::string& path) {
  if (auto done = rewrite_wal(files, path + "-wal"); !done) return done.error();
  Segment segment;
  if (auto done = segment.open(files, path); !done) return done.error();
  // Makes the WAL, when there is none, so that the sync of the folder covers its name.
  if (auto done = segment.database_.execute("UPDATE segment SET opened = opened + 1"); !done) return done.error();
  if (auto done = segment.database_.execute(kStampTable); !done) return done.error();
  if (auto done = segment.prepare(); !done) return done.error();
  if (auto done = files.sync_directory(base::parent_directory(path)); !done) return done.error();
  return segment;
}

base::Result<SegmentFacts> Segment::facts() { return read_facts(database_); }

base::Status Segment::begin() { return begin_.run(); }

base::Status Segment::activate(uint64_t epoch, uint64_t first, int64_t created_ns) {
  auto insert = database_.prepare(
      "INSERT INTO segment(format,epoch,first_sequence,created_ns,opened) VALUES(?,?,?,?,1)");
  if (!insert) return insert.error();
  return insert->bind(1, kFormat).bind(2, epoch).bind(3, first).bind(4, created_ns).run();
}

base::Status Segment::append(uint64_t first, uint32_t count, std::string_view source, int64_t received_ns,
                             const Body& body) {
  append_.bind(1, first).bind(2, count).bind(3, source).bind(4, received_ns);
  append_.bind(5, static_cast<uint32_t>(body.codec)).bind(6, body.checksum);
  append_.bind_blob(7, body.bytes.data(), body.bytes.size());
  return append_.run();
}

base::Status Segment::remember(const DedupeEntry& entry) {
  remember_.bind_blob(1, entry.key.data(), entry.key.size()).bind(2, entry.first_sequence).bind(3, entry.count);
  return remember_.bind_blob(4, entry.first_id.data(), entry.first_id.size()).run();
}

base::Status Segment::stamp(const Stamp& stamp) {
  return stamp_.bind(1, stamp.first_sequence).bind(2, stamp.instance).bind(3, stamp.position).bind(4, stamp.tick_ns).run();
}

base::Status Segment::commit() { return commit_.run(); }

void Segment::close() {
  for (base::Statement* statement : {&begin_, &append_, &remember_, &stamp_, &commit_}) *statement = base::Statement();
  database_.close();
}

base::Result<bool> has_tables(base::Database& database) {
  auto tables = database.query_integer("SELECT count(*) FROM sqlite_master WHERE name = 'segment'");
  if (!tables) return tables.error();
  return *tables != 0;
}

base::Status remove_segment_files(base::FileSystem& files, const std::string& path) {
  if (files.exists(path)) {
    if (auto done = files.remove(path); !done) return done;
    // The WAL may hold all there is of the file: it goes when the file is gone for good.
    if (auto done = files.sync_directory(base::parent_directory(path)); !done) return done;
  }
  for (const char* suffix : kSideFiles) {
    if (!files.exists(path + suffix)) continue;
    if (auto done = files.remove(path + suffix); !done) return done;
  }
  return {};
}

base::Result<SegmentFacts> read_facts(base::Database& database) {
  auto head = database.prepare("SELECT format, epoch, first_sequence FROM segment");
  if (!head) return head.error();
  auto row = head->step();
  if (!row) return row.error();
  if (!*row) return base::error(base::Code::kNotFound, "the segment was never used");
  if (head->integer(0) != kFormat) {
    return base::error(base::Code::kInvalid, "the segment has format " + std::to_string(head->integer(0)), "",
                       "it was written by a newer version of Weir");
  }
  SegmentFacts facts;
  facts.epoch = head->unsigned_integer(1);
  facts.first = head->unsigned_integer(2);
  facts.last = facts.first - 1;
  auto newest = database.prepare(
      "SELECT first_sequence + count - 1, received_ns FROM batch ORDER BY first_sequence DESC LIMIT 1");
  if (!newest) return newest.error();
  row = newest->step();
  if (!row) return row.error();
  if (*row) {
    facts.last = newest->unsigned_integer(0);
    facts.newest_received_ns = newest->integer(1);
  }
  return facts;
}

base::Status read_dedupe(base::Database& database, uint64_t after, uint64_t limit,
                         const std::function<void(const DedupeEntry&)>& each) {
  auto rows = database.prepare(
      "SELECT key, first_sequence, count, first_id FROM dedupe WHERE first_sequence > ? ORDER BY rowid DESC LIMIT ?");
  if (!rows) return rows.error();
  rows->bind(1, after).bind(2, limit);
  for (;;) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    DedupeEntry entry;
    std::string_view key = rows->blob(0);
    if (key.size() != entry.key.size()) continue;
    std::memcpy(entry.key.data(), key.data(), key.size());
    entry.first_sequence = rows->unsigned_integer(1);
    entry.count = static_cast<uint32_t>(rows->integer(2));
    std::string_view id = rows->blob(3);
    if (id.size() != entry.first_id.size()) continue;
    std::memcpy(entry.first_id.data(), id.data(), id.size());
    each(entry);
  }
}

base::Status read_stamps(base::Database& database, const std::function<void(const Stamp&)>& each) {
  auto tables = database.query_integer("SELECT count(*) FROM sqlite_master WHERE name = 'derived'");
  if (!tables) return tables.error();
  if (*tables == 0) return {};
  auto rows = database.prepare("SELECT first_sequence, instance, position, tick_ns FROM derived ORDER BY first_sequence");
  if (!rows) return rows.error();
  for (;;) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    each({rows->unsigned_integer(0), std::string(rows->text(1)), rows->unsigned_integer(2), rows->integer(3)});
  }
}

}  // namespace weir::journal
