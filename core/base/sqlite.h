// SQLite behind values: a connection and its statements. One thread at a time each.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir::base {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  // Parameters count from 1. Text and blobs are not copied: they must live until reset().
  Statement& bind(int at, int64_t value);
  Statement& bind(int at, uint64_t value) { return bind(at, static_cast<int64_t>(value)); }
  Statement& bind(int at, int value) { return bind(at, static_cast<int64_t>(value)); }
  Statement& bind(int at, uint32_t value) { return bind(at, static_cast<int64_t>(value)); }
  Statement& bind(int at, std::string_view text);
  Statement& bind_blob(int at, const void* data, size_t size);
  Statement& bind_null(int at);

  // True when there is a row, false at the end. After an error the statement is reset.
  Result<bool> step();
  // Steps to the end and resets.
  Status run();
  void reset();

  // Columns count from 0 and are valid until the next step.
  int64_t integer(int column) { return sqlite3_column_int64(statement_.get(), column); }
  uint64_t unsigned_integer(int column) { return static_cast<uint64_t>(integer(column)); }
  std::string_view text(int column);
  std::string_view blob(int column);
  bool is_null(int column) { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

enum class OpenAs {
  kWriter,    // created when missing
  kReader,    // reads what a writer of the same process commits; never checkpoints
  kImmutable  // a file that nobody writes any more: no locks, no -shm
};

// Destroys its statements' users first: a Statement must not outlive its Database.
class Database {
 public:
  Database() = default;
  // vfs: the name of the SQLite VFS, nullptr for the default. The path may hold any character.
  static Result<Database> open(const std::string& path, OpenAs as, const char* vfs);

  bool is_open() const { return database_ != nullptr; }
  // Runs one or more statements that give no rows.
  Status execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row; kNotFound when there is no row.
  Result<int64_t> query_integer(std::string_view sql);
  // Moves all of the WAL into the file; kTimeout while somebody reads from it, and then part of it may be moved and not
  // synced. The WAL keeps its size and its frames, which nobody reads any more.
  Status checkpoint();
  // The same, and makes the WAL a file of no bytes.
  Status checkpoint_and_truncate();
  // Keeps in `pages` how many the WAL holds after each commit of this connection. After everything that sets
  // wal_autocheckpoint: SQLite has one hook for both.
  void count_wal_pages(int64_t* pages);
  // This connection never checkpoints, not even as the last one to close.
  Status keep_off_the_wal();
  void close() { database_.reset(); }
  // SQLite's text for the last failure.
  Error last_error() const;
  int64_t changes() const { return sqlite3_changes64(database_.get()); }

 private:
  Status checkpoint(int mode);
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// What an SQLite result code (extended or not) means for the caller.
Code sqlite_code(int code);

}  // namespace weir::base
