// Why a database could not do what it was asked, in words for an operator.
#pragma once

#include <sqlite3.h>

#include <string>

namespace weir::sqlite {

struct Trouble {
  enum class Kind {
    kPassing,       // may end by itself: a lock, a full disk, a missing right
    kDamaged,       // an operator must replace the file
    kMisconfigured  // this path cannot be used: another program's table, no WAL there
  };
  Kind kind = Kind::kPassing;
  std::string text;  // "PATH: what is wrong; what to do"
};

// From an SQLite result code (extended or not) of a call on `database`, which may be null.
Trouble describe(const std::string& path, sqlite3* database, int code);

}  // namespace weir::sqlite
