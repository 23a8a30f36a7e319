#include "journal/state_file.h"

#include <cstring>

#include "base/time.h"
#include "journal/wal_file.h"

namespace weir::journal {
namespace {

// synchronous=FULL: a cursor that is told to trim must be on disk. The WAL is small and reused.
constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA secure_delete=0;"
    "PRAGMA wal_autocheckpoint=250;"
    "PRAGMA cache_size=-512;";

constexpr const char* kTables =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS consumer(name TEXT PRIMARY KEY, origin INTEGER NOT NULL, cursor BLOB NOT NULL, "
    "delivered INTEGER NOT NULL, filtered INTEGER NOT NULL, dead INTEGER NOT NULL, expired INTEGER NOT NULL, "
    "discarded INTEGER NOT NULL, lost INTEGER NOT NULL, detached INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS filtered(consumer TEXT NOT NULL, reason TEXT NOT NULL, events INTEGER NOT NULL, "
    "PRIMARY KEY(consumer, reason)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS dead_letter(number INTEGER PRIMARY KEY AUTOINCREMENT, consumer TEXT NOT NULL, epoch "
    "INTEGER NOT NULL, sequence INTEGER NOT NULL, part INTEGER NOT NULL, id BLOB NOT NULL, device_id TEXT NOT NULL, "
    "source TEXT NOT NULL, refused_by TEXT NOT NULL, plugin TEXT NOT NULL, version TEXT NOT NULL, code INTEGER NOT "
    "NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL, at_ns INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS lost(epoch INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, segment "
    "TEXT NOT NULL, reason TEXT NOT NULL, at_ns INTEGER NOT NULL, PRIMARY KEY(epoch, first)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS keyvalue(instance TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY "
    "KEY(instance, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS keyed_state(instance TEXT NOT NULL, key BLOB NOT NULL, format INTEGER NOT NULL, value "
    "BLOB NOT NULL, PRIMARY KEY(instance, key)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS receipt(number INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, body TEXT "
    "NOT NULL);"
    "COMMIT;";

constexpr const char* kDeadColumns =
    "SELECT number, consumer, epoch, sequence, part, id, device_id, source, refused_by, plugin, version, code, reason, "
    "attempts, at_ns, body FROM dead_letter ";

// Steps through all rows of `sql`, calling `each` with the statement.
template <class Each>
base::Status for_each_row(base::Database& database, std::string_view sql, Each&& each) {
  auto rows = database.prepare(sql);
  if (!rows) return rows.error();
  for (;;) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    if (base::Status done = each(*rows); !done) return done;
  }
}

DeadLetter letter_of(base::Statement& row) {
  DeadLetter letter;
  letter.number = row.integer(0);
  letter.consumer = row.text(1);
  letter.epoch = row.unsigned_integer(2);
  letter.sequence = row.unsigned_integer(3);
  letter.part = static_cast<uint32_t>(row.integer(4));
  if (std::string_view id = row.blob(5); id.size() == letter.id.size()) {
    std::memcpy(letter.id.data(), id.data(), id.size());
  }
  letter.device_id = row.text(6);
  letter.source = row.text(7);
  letter.by = row.text(8);
  letter.plugin = row.text(9);
  letter.version = row.text(10);
  letter.code = static_cast<uint32_t>(row.integer(11));
  letter.reason = row.text(12);
  letter.attempts = static_cast<uint32_t>(row.integer(13));
  letter.at_ns = row.integer(14);
  letter.body = row.blob(15);
  return letter;
}

base::Result<base::Database> open_reader(base::FileSystem& files, const std::string& path) {
  return base::Database::open(path, base::OpenAs::kReader, files.sqlite_vfs());
}

base::Result<std::vector<DeadLetter>> select_letters(base::FileSystem& files, const std::string& path,
                                                     const std::string& condition) {
  auto database = open_reader(files, path);
  if (!database) return database.error();
  std::vector<DeadLetter> letters;
  auto done = for_each_row(*database, kDeadColumns + condition, [&](base::Statement& row) {
    letters.push_back(letter_of(row));
    return base::Status();
  });
  if (!done) return done.error();
  return letters;
}

}  // namespace

base::Result<StateFile> StateFile::open(base::FileSystem& files, const std::string& path) {
  // See Segment::reopen(): what a killed process could not sync is read again, and must be on the disk by then.
  if (auto done = rewrite_wal(files, path + "-wal"); !done) return done.error();
  auto database = base::Database::open(path, base::OpenAs::kWriter, files.sqlite_vfs());
  if (!database) return database.error();
  StateFile state;
  state.database_ = std::move(*database);
  if (auto done = state.database_.execute(kSettings); !done) return done.error();
  if (auto done = state.database_.execute(kTables); !done) return done.error();
  // A write, so that the WAL is made now and the sync of the folder covers its name.
  if (auto done = state.put_meta("opened", std::to_string(base::wall_ns())); !done) return done.error();
  if (auto done = files.sync_directory(base::parent_directory(path)); !done) return done.error();
  return state;
}

base::Status StateFile::put(const ConsumerState& consumer) {
  auto row = database_.prepare("INSERT OR REPLACE INTO consumer VALUES(?,?,?,?,?,?,?,?,?,?)");
  if (!row) return row.error();
  std::string cursor = consumer.cursor.encode();
  const Counts& counts = consumer.counts;
  row->bind(1, consumer.name).bind(2, consumer.origin).bind_blob(3, cursor.data(), cursor.size());
  row->bind(4, counts.delivered).bind(5, counts.filtered).bind(6, counts.dead).bind(7, counts.expired);
  row->bind(8, counts.discarded).bind(9, counts.lost).bind(10, consumer.detached ? 1 : 0);
  if (auto done = row->run(); !done) return done;
  auto filtered = database_.prepare("INSERT OR REPLACE INTO filtered VALUES(?,?,?)");
  if (!filtered) return filtered.error();
  for (const auto& [reason, events] : consumer.filtered_by) {
    if (auto done = filtered->bind(1, consumer.name).bind(2, reason).bind(3, events).run(); !done) return done;
  }
  return {};
}

base::Status StateFile::remove_consumer(const std::string& name) {
  for (const char* sql : {"DELETE FROM consumer WHERE name = ?", "DELETE FROM filtered WHERE consumer = ?",
                          "DELETE FROM keyed_state WHERE instance = ?"}) {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    if (auto done = statement->bind(1, name).run(); !done) return done;
  }
  return {};
}

base::Status StateFile::add(const DeadLetter& letter) {
  auto row = database_.prepare(
      "INSERT INTO dead_letter(consumer,epoch,sequence,part,id,device_id,source,refused_by,plugin,version,code,reason,"
      "attempts,at_ns,body) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row) return row.error();
  row->bind(1, letter.consumer).bind(2, letter.epoch).bind(3, letter.sequence).bind(4, letter.part);
  row->bind_blob(5, letter.id.data(), letter.id.size()).bind(6, letter.device_id).bind(7, letter.source);
  row->bind(8, letter.by).bind(9, letter.plugin).bind(10, letter.version).bind(11, letter.code);
  row->bind(12, letter.reason).bind(13, letter.attempts).bind(14, letter.at_ns);
  row->bind_blob(15, letter.body.data(), letter.body.size());
  return row->run();
}

base::Status StateFile::add(const LostRange& range) {
  auto row = database_.prepare("INSERT OR REPLACE INTO lost VALUES(?,?,?,?,?,?)");
  if (!row) return row.error();
  row->bind(1, range.epoch).bind(2, range.first).bind(3, range.last).bind(4, range.segment);
  return row->bind(5, range.reason).bind(6, range.at_ns).run();
}

base::Status StateFile::put(const KeyValue& value) {
  auto row = database_.prepare(value.value ? "INSERT OR REPLACE INTO keyvalue VALUES(?1,?2,?3)"
                                           : "DELETE FROM keyvalue WHERE instance = ?1 AND key = ?2");
  if (!row) return row.error();
  row->bind(1, value.instance).bind(2, value.key);
  if (value.value) row->bind_blob(3, value.value->data(), value.value->size());
  return row->run();
}

base::Status StateFile::put(const KeyedState& state) {
  auto row = database_.prepare(state.value ? "INSERT OR REPLACE INTO keyed_state VALUES(?1,?2,?3,?4)"
                                           : "DELETE FROM keyed_state WHERE instance = ?1 AND key = ?2");
  if (!row) return row.error();
  row->bind(1, state.instance).bind_blob(2, state.key.data(), state.key.size());
  if (state.value) row->bind(3, state.format).bind_blob(4, state.value->data(), state.value->size());
  return row->run();
}

base::Status StateFile::put_meta(const std::string& key, const std::string& value) {
  auto row = database_.prepare("INSERT OR REPLACE INTO meta VALUES(?,?)");
  if (!row) return row.error();
  return row->bind(1, key).bind(2, value).run();
}

base::Result<std::vector<ConsumerState>> StateFile::consumers() {
  std::vector<ConsumerState> consumers;
  auto done = for_each_row(
      database_, "SELECT name,origin,cursor,delivered,filtered,dead,expired,discarded,lost,detached FROM consumer",
      [&](base::Statement& row) -> base::Status {
        ConsumerState consumer;
        consumer.name = row.text(0);
        consumer.origin = row.unsigned_integer(1);
        auto cursor = Cursor::decode(row.blob(2));
        if (!cursor) return base::error(base::Code::kDamaged, "consumer " + consumer.name + ": " + cursor.error().what);
        consumer.cursor = std::move(*cursor);
        Counts& counts = consumer.counts;
        uint64_t* columns[] = {&counts.delivered, &counts.filtered,  &counts.dead,
                               &counts.expired,   &counts.discarded, &counts.lost};
        for (int i = 0; i < 6; ++i) *columns[i] = row.unsigned_integer(3 + i);
        consumer.detached = row.integer(9) != 0;
        consumers.push_back(std::move(consumer));
        return {};
      });
  if (!done) return done.error();
  done = for_each_row(database_, "SELECT consumer, reason, events FROM filtered", [&](base::Statement& row) {
    for (ConsumerState& consumer : consumers) {
      if (consumer.name == row.text(0)) consumer.filtered_by[std::string(row.text(1))] = row.unsigned_integer(2);
    }
    return base::Status();
  });
  if (!done) return done.error();
  return consumers;
}

base::Result<std::vector<LostRange>> StateFile::lost() {
  std::vector<LostRange> ranges;
  auto done = for_each_row(database_, "SELECT epoch, first, last, segment, reason, at_ns FROM lost ORDER BY first",
                           [&](base::Statement& row) {
                             ranges.push_back({row.unsigned_integer(0), row.unsigned_integer(1),
                                               row.unsigned_integer(2), std::string(row.text(3)),
                                               std::string(row.text(4)), row.integer(5)});
                             return base::Status();
                           });
  if (!done) return done.error();
  return ranges;
}

base::Result<std::vector<KeyValue>> StateFile::key_values() {
  std::vector<KeyValue> values;
  auto done = for_each_row(database_, "SELECT instance, key, value FROM keyvalue", [&](base::Statement& row) {
    values.push_back({std::string(row.text(0)), std::string(row.text(1)), std::string(row.blob(2))});
    return base::Status();
  });
  if (!done) return done.error();
  return values;
}

base::Result<std::map<std::string, std::string>> StateFile::meta() {
  std::map<std::string, std::string> meta;
  auto done = for_each_row(database_, "SELECT key, value FROM meta", [&](base::Statement& row) {
    meta[std::string(row.text(0))] = row.text(1);
    return base::Status();
  });
  if (!done) return done.error();
  return meta;
}

base::Status StateFile::check() {
  std::string answer = "no answer";
  auto done = for_each_row(database_, "PRAGMA quick_check(1)", [&](base::Statement& row) {
    answer = row.text(0);
    return base::Status();
  });
  if (!done) return done;
  if (answer != "ok") return base::error(base::Code::kDamaged, answer);
  return {};
}

base::Status read_keyed_state(base::FileSystem& files, const std::string& path, std::string_view instance,
                              const std::function<base::Status(const KeyedState&)>& each) {
  auto database = open_reader(files, path);
  if (!database) return database.error();
  auto rows = database->prepare("SELECT key, format, value FROM keyed_state WHERE instance = ? ORDER BY key");
  if (!rows) return rows.error();
  rows->bind(1, instance);
  for (;;) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    KeyedState state{std::string(instance), std::string(rows->blob(0)), static_cast<uint32_t>(rows->integer(1)),
                     std::string(rows->blob(2))};
    if (auto done = each(state); !done) return done;
  }
}

base::Result<std::vector<DeadLetter>> read_dead_letters(base::FileSystem& files, const std::string& path,
                                                        int64_t before, uint64_t limit) {
  std::string where = before > 0 ? "WHERE number < " + std::to_string(before) : "";
  return select_letters(files, path, where + " ORDER BY number DESC LIMIT " + std::to_string(limit));
}

base::Result<std::vector<DeadLetter>> dead_letters_of(base::FileSystem& files, const std::string& path,
                                                      uint64_t sequence) {
  return select_letters(files, path, "WHERE sequence = " + std::to_string(sequence) + " ORDER BY number");
}

base::Result<DeadLetter> read_dead_letter(base::FileSystem& files, const std::string& path, int64_t number) {
  auto letters = read_dead_letters(files, path, number + 1, 1);
  if (!letters) return letters.error();
  if (letters->empty() || letters->front().number != number) {
    return base::error(base::Code::kNotFound, "there is no dead letter " + std::to_string(number), "",
                       "`weir dead list` shows the numbers");
  }
  return std::move(letters->front());
}

base::Result<std::map<std::string, uint64_t>> count_dead_letters(base::FileSystem& files, const std::string& path) {
  auto database = open_reader(files, path);
  if (!database) return database.error();
  std::map<std::string, uint64_t> counts;
  auto done = for_each_row(*database,
                           "SELECT consumer, count(*) FROM (SELECT DISTINCT consumer, epoch, sequence FROM "
                           "dead_letter) GROUP BY consumer",
                           [&](base::Statement& row) {
                             counts[std::string(row.text(0))] = row.unsigned_integer(1);
                             return base::Status();
                           });
  if (!done) return done.error();
  return counts;
}

}  // namespace weir::journal
