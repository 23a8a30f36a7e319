#include "event_database.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "row_text.h"

namespace weir::sqlite {
namespace {

constexpr char kCreateTable[] =
    "CREATE TABLE IF NOT EXISTS events("
    "gateway_id TEXT NOT NULL, epoch TEXT NOT NULL, sequence INTEGER NOT NULL, part INTEGER NOT NULL, "
    "id TEXT, device_id TEXT, timestamp INTEGER, received_at INTEGER, sensor_type TEXT, value, unit TEXT, "
    "metadata TEXT, trace_id TEXT, PRIMARY KEY(gateway_id, epoch, sequence, part)) WITHOUT ROWID";

constexpr char kInsert[] =
    "INSERT INTO events(gateway_id, epoch, sequence, part, id, device_id, timestamp, received_at, "
    "sensor_type, "
    "value, unit, metadata, trace_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
    "ON CONFLICT DO NOTHING";
enum Parameter {
  kGatewayId = 1,
  kEpoch,
  kSequence,
  kPart,
  kId,
  kDeviceId,
  kTimestamp,
  kReceivedAt,
  kSensorType,
  kValue,
  kUnit,
  kMetadata,
  kTraceId
};

// The columns that must be there. A positive number is the place in the primary key.
struct Column {
  std::string_view name;
  int key_place;
};
constexpr std::array<Column, 13> kColumns{{{"gateway_id", 1},
                                           {"epoch", 2},
                                           {"sequence", 3},
                                           {"part", 4},
                                           {"id", 0},
                                           {"device_id", 0},
                                           {"timestamp", 0},
                                           {"received_at", 0},
                                           {"sensor_type", 0},
                                           {"value", 0},
                                           {"unit", 0},
                                           {"metadata", 0},
                                           {"trace_id", 0}}};

int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A name that begins with "/" or "./" is a file's for SQLite: not "", ":memory:" or an URI.
std::string file_name(const std::string& path) { return path.starts_with('/') ? path : "./" + path; }

void bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
  // A null pointer would make it NULL: an empty text is one all the same.
  sqlite3_bind_text64(statement, at, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

// False for a type that this sink does not know.
bool bind_value(sqlite3_stmt* statement, const sdk::EventView& event) {
  const weir_event_v1& record = event.record();
  switch (record.value_type) {
    case WEIR_F64:
      sqlite3_bind_double(statement, kValue, record.value.f64);
      return true;
    case WEIR_I64:
      sqlite3_bind_int64(statement, kValue, record.value.i64);
      return true;
    case WEIR_BOOL:
      sqlite3_bind_int64(statement, kValue, record.value.boolean != 0 ? 1 : 0);
      return true;
    case WEIR_STRING:
      bind_text(statement, kValue, event.text(record.value.ref));
      return true;
    case WEIR_BYTES: {
      const std::string_view bytes = event.text(record.value.ref);
      sqlite3_bind_blob64(statement, kValue, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

EventDatabase::EventDatabase(Config config, std::string gateway_id)
    : config_(std::move(config)), gateway_id_(std::move(gateway_id)), file_(file_name(config_.path)) {}

// stat() opens nothing: closing a descriptor of the file would drop SQLite's POSIX locks on it.
bool EventDatabase::is_current() const {
  struct stat now {};
  return ::stat(file_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_;
}

void EventDatabase::close() {
  std::lock_guard lock(reading_);
  insert_.reset();
  database_.reset();
}

void EventDatabase::abandon() {
  // What is still in the WAL goes into the moved file, so that it is whole, and the WAL that lies under the
  // old name is emptied, so that no frame of it is replayed into a new file there. SQLite's own checkpoint at
  // close would remove files by name.
  insert_.reset();
  sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  close();
}

void EventDatabase::limit_waiting(int64_t deadline_ns) {
  const int64_t patience = monotonic_ns() + std::chrono::nanoseconds(config_.busy_timeout).count();
  give_up_ns_ = std::min(deadline_ns, patience);
}

int EventDatabase::wait_while_busy(void* self, int attempt) {
  const auto* database = static_cast<EventDatabase*>(self);
  if (database->cancelled_ || monotonic_ns() >= database->give_up_ns_) return 0;
  // SQLite can be told only by asking again; 1 ms at first, then 20: a writer's transaction is that short.
  const timespec pause{0, attempt < 10 ? 1'000'000 : 20'000'000};
  ::nanosleep(&pause, nullptr);
  return 1;
}

bool EventDatabase::open(int64_t deadline_ns, Trouble& trouble) {
  if (database_ != nullptr) {
    if (is_current()) return true;
    abandon();
  }
  limit_waiting(deadline_ns);
  const std::filesystem::path folder = std::filesystem::path(file_).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    trouble = {Trouble::Kind::kPassing, "cannot make the folder " + folder.string() + ": " + error.message()};
    return false;
  }
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Handle database(raw);
  if (code != SQLITE_OK) {
    trouble = describe(config_.path, raw, code);
    return false;
  }
  if (sqlite3_db_readonly(raw, "main") == 1) {  // SQLite falls back to reading silently
    trouble = describe(config_.path, nullptr, SQLITE_READONLY);
    return false;
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_handler(raw, wait_while_busy, this);
  if (!set_up(raw, trouble)) return false;
  sqlite3_stmt* insert = nullptr;
  if (const int prepared = sqlite3_prepare_v3(raw, kInsert, -1, SQLITE_PREPARE_PERSISTENT, &insert, nullptr);
      prepared != SQLITE_OK) {
    trouble = describe(config_.path, raw, prepared);
    return false;
  }
  bind_text(insert, kGatewayId, gateway_id_);
  struct stat now {};
  if (::stat(file_.c_str(), &now) != 0) now = {};
  device_ = now.st_dev;
  inode_ = now.st_ino;
  std::lock_guard lock(reading_);
  database_ = std::move(database);
  insert_.reset(insert);
  return true;
}

bool EventDatabase::set_up(sqlite3* database, Trouble& trouble) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(database, "PRAGMA journal_mode=WAL", -1, &raw, nullptr);
  Statement pragma(raw);
  if (code == SQLITE_OK) code = sqlite3_step(raw);
  if (code != SQLITE_ROW) {
    trouble = describe(config_.path, database, code);
    return false;
  }
  const auto* mode = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
  if (mode == nullptr || std::string_view(mode) != "wal") {
    trouble = {Trouble::Kind::kMisconfigured,
               config_.path + ": its file system does not support SQLite's WAL mode; use a local one"};
    return false;
  }
  pragma.reset();
  const char* synchronous = config_.full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
  for (const char* sql : {synchronous, kCreateTable}) {
    code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
      trouble = describe(config_.path, database, code);
      return false;
    }
  }
  return check_table(database, trouble);
}

bool EventDatabase::check_table(sqlite3* database, Trouble& trouble) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v2(database,
                                "SELECT name, pk, \"notnull\" AND dflt_value IS NULL FROM "
                                "pragma_table_info('events')",
                                -1, &raw, nullptr);
  const Statement columns(raw);
  size_t found = 0;
  std::string wrong;
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(raw);
    if (code != SQLITE_ROW) break;
    const std::string_view name = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
    const int key_place = sqlite3_column_int(raw, 1);
    const auto known = std::find_if(kColumns.begin(), kColumns.end(),
                                    [&](const Column& column) { return column.name == name; });
    if (known != kColumns.end()) {
      ++found;
      if (known->key_place != key_place) wrong = "has another primary key";
    } else if (key_place != 0 || sqlite3_column_int(raw, 2) != 0) {
      wrong = "has a column \"" + std::string(name) + "\" that needs a value";
    }
  }
  if (code != SQLITE_DONE) {
    trouble = describe(config_.path, database, code);
    return false;
  }
  if (wrong.empty() && found < kColumns.size()) wrong = "has other columns";
  if (wrong.empty()) return true;
  trouble = {Trouble::Kind::kMisconfigured,
             config_.path + ": its table \"events\" " + wrong +
                 " than this sink writes; rename that table, or give another path"};
  return false;
}

bool EventDatabase::execute(const char* sql, int& code) {
  code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK;
}

bool EventDatabase::insert(const weir_batch* batch, int64_t deadline_ns, std::vector<Refused>& refused,
                           Trouble& trouble) {
  refused.clear();
  rows_written_ = 0;
  if (!open(deadline_ns, trouble)) return false;
  limit_waiting(deadline_ns);
  const std::array<char, 16> epoch = epoch_text(batch->epoch);
  bind_text(insert_.get(), kEpoch, view(epoch));
  const int64_t before = sqlite3_total_changes64(database_.get());
  int code = SQLITE_OK;
  // IMMEDIATE: wait for the write lock here, where waiting is possible, and not in the middle of the batch.
  const bool stored =
      execute("BEGIN IMMEDIATE", code) && insert_rows(batch, refused, code) && execute("COMMIT", code);
  if (!stored) {
    trouble = give_up(code);
    return false;
  }
  if (!is_current()) {  // deleted meanwhile: what was committed is in a file that nobody will read
    trouble = {Trouble::Kind::kPassing,
               config_.path + ": the file was moved or deleted while a batch was written to it"};
    return false;
  }
  rows_written_ = static_cast<uint64_t>(sqlite3_total_changes64(database_.get()) - before);
  return true;
}

bool EventDatabase::insert_rows(const weir_batch* batch, std::vector<Refused>& refused, int& code) {
  for (uint32_t i = 0; i < batch->count; ++i) {
    std::lock_guard lock(reading_);
    if (cancelled_) {
      code = SQLITE_INTERRUPT;
      return false;
    }
    const sdk::EventView event(batch, i);
    if (!bind_value(insert_.get(), event)) {
      refused.push_back({i, event.record().value_type});
      continue;
    }
    code = insert_row(event);
    if (code != SQLITE_OK) return false;
  }
  return true;
}

int EventDatabase::insert_row(const sdk::EventView& event) {
  sqlite3_stmt* statement = insert_.get();
  const weir_event_v1& record = event.record();
  const std::array<char, 36> id = uuid_text(record.id);
  const std::array<char, 32> trace_id = trace_id_text(record.trace_id);
  write_metadata(event, metadata_);
  sqlite3_bind_int64(statement, kSequence, static_cast<int64_t>(record.sequence));
  sqlite3_bind_int64(statement, kPart, record.part);
  bind_text(statement, kId, view(id));
  bind_text(statement, kDeviceId, event.device_id());
  sqlite3_bind_int64(statement, kTimestamp, record.timestamp_ns);
  sqlite3_bind_int64(statement, kReceivedAt, record.received_ns);
  bind_text(statement, kSensorType, event.sensor_type());
  if (record.unit.size == 0) {
    sqlite3_bind_null(statement, kUnit);
  } else {
    bind_text(statement, kUnit, event.unit());
  }
  bind_text(statement, kMetadata, metadata_);
  bind_text(statement, kTraceId, view(trace_id));
  sqlite3_step(statement);
  return sqlite3_reset(statement);  // the result of step(), in full
}

Trouble EventDatabase::give_up(int code) {
  Trouble trouble = describe(config_.path, database_.get(), code);
  sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  // A lock or a full disk passes and the connection stays good. After anything else what it believes about
  // the file is in doubt (sqlite.org/howtocorrupt.html): the next batch begins with a fresh one.
  const int primary = code & 0xff;
  const bool usable = primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
                      primary == SQLITE_INTERRUPT;
  if (!usable) close();
  return trouble;
}

void EventDatabase::cancel() {
  cancelled_ = true;
  std::lock_guard lock(reading_);
}

}  // namespace weir::sqlite
