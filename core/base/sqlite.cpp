#include "base/sqlite.h"

namespace weir::base {
namespace {

Error error_of(sqlite3* database, int code) {
  std::string what = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const char* path = database != nullptr ? sqlite3_db_filename(database, "main") : nullptr;
  int extended = database != nullptr ? sqlite3_extended_errcode(database) : code;
  return error(sqlite_code(extended), what + " (SQLite error " + std::to_string(extended) + ")",
               path != nullptr ? path : "");
}

// A path as a URI: everything that is special in one is escaped.
std::string uri_of(const std::string& path, std::string_view parameters) {
  // An absolute path needs the empty authority: in "file://a/b" SQLite takes "a" for a host's name and refuses it.
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr char kDigits[] = "0123456789ABCDEF";
      uri += {'%', kDigits[static_cast<uint8_t>(c) >> 4], kDigits[c & 15]};
    } else {
      uri += c;
    }
  }
  return uri.append(parameters);
}

}  // namespace

Code sqlite_code(int code) {
  switch (code) {
    // What the disk does not give back is damage to whoever reads it, as wrong bytes are.
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ:
    case SQLITE_IOERR_CORRUPTFS:
    case SQLITE_IOERR_DATA: return Code::kDamaged;
    default: break;
  }
  switch (code & 0xFF) {
    case SQLITE_FULL: return Code::kFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return Code::kDamaged;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return Code::kDenied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM: return Code::kUnavailable;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE: return Code::kInvalid;
    default: return Code::kInternal;
  }
}

Statement& Statement::bind(int at, int64_t value) {
  sqlite3_bind_int64(statement_.get(), at, value);
  return *this;
}
Statement& Statement::bind(int at, std::string_view text) {
  // A null pointer would bind NULL; empty text must stay text.
  sqlite3_bind_text64(statement_.get(), at, text.data() != nullptr ? text.data() : "", text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_blob(int at, const void* data, size_t size) {
  sqlite3_bind_blob64(statement_.get(), at, data != nullptr ? data : "", size, SQLITE_STATIC);
  return *this;
}
Statement& Statement::bind_null(int at) {
  sqlite3_bind_null(statement_.get(), at);
  return *this;
}

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error failure = error_of(sqlite3_db_handle(statement_.get()), code);
  reset();
  return failure;
}

Status Statement::run() {
  for (;;) {
    auto row = step();
    if (!row) return row.error();
    if (!*row) break;
  }
  reset();
  return {};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::string_view Statement::text(int column) {
  const unsigned char* data = sqlite3_column_text(statement_.get(), column);
  return {reinterpret_cast<const char*>(data), static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
std::string_view Statement::blob(int column) {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Result<Database> Database::open(const std::string& path, OpenAs as, const char* vfs) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI;
  flags |= as == OpenAs::kWriter ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
           : as == OpenAs::kReader ? SQLITE_OPEN_READWRITE
                                   : SQLITE_OPEN_READONLY;
  Database made;
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(uri_of(path, as == OpenAs::kImmutable ? "?immutable=1" : "").c_str(), &raw, flags, vfs);
  made.database_.reset(raw);
  if (code != SQLITE_OK) {
    Error failure = error_of(raw, code);
    failure.where = path;
    return failure;
  }
  // Only for moments: another connection just recovers the WAL.
  constexpr int kReaderPatienceMs = 2000;
  if (as == OpenAs::kReader) {
    sqlite3_busy_timeout(raw, kReaderPatienceMs);
    if (auto done = made.keep_off_the_wal(); !done) return done.error();
  }
  return made;
}

Status Database::execute(const char* sql) {
  int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                &raw, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return Statement(raw);
}

Result<int64_t> Database::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  if (!*row || statement->is_null(0)) return error(Code::kNotFound, "no row for: " + std::string(sql));
  return statement->integer(0);
}

Status Database::checkpoint() { return checkpoint(SQLITE_CHECKPOINT_RESTART); }

Status Database::checkpoint_and_truncate() { return checkpoint(SQLITE_CHECKPOINT_TRUNCATE); }

Status Database::checkpoint(int mode) {
  int code = sqlite3_wal_checkpoint_v2(database_.get(), nullptr, mode, nullptr, nullptr);
  if (code == SQLITE_OK) return {};
  Error failure = error_of(database_.get(), code);
  if ((code & 0xFF) == SQLITE_BUSY) failure.code = Code::kTimeout;
  return failure;
}

void Database::count_wal_pages(int64_t* pages) {
  auto count = [](void* counter, sqlite3*, const char*, int in_wal) {
    *static_cast<int64_t*>(counter) = in_wal;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), count, pages);
}

Status Database::keep_off_the_wal() {
  int code = sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (code != SQLITE_OK) return error_of(database_.get(), code);
  return execute("PRAGMA wal_autocheckpoint=0");
}

Error Database::last_error() const { return error_of(database_.get(), sqlite3_errcode(database_.get())); }

}  // namespace weir::base
