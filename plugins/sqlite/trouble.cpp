#include "trouble.h"

#include <string_view>
#include <system_error>

namespace weir::sqlite {
namespace {

// What a person can do about a primary result code; empty when SQLite's own text has to be enough.
std::string_view advice(int primary_code) {
  switch (primary_code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program holds the write lock: end its transaction";
    case SQLITE_FULL:
      return "free some space on its file system";
    case SQLITE_CANTOPEN:
      return "check that it is a file, and that the gateway's user may write it and its folder";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "the gateway's user must be allowed to write the file and its folder";
    case SQLITE_IOERR:
      return "check the disk and its free space";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "move it away and a new one is made; no event is lost meanwhile";
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return "the table has rules of its own that refuse the event: remove them";
    default:
      return "";
  }
}

bool is_damage(int primary_code) {
  return primary_code == SQLITE_CORRUPT || primary_code == SQLITE_NOTADB ||
         primary_code == SQLITE_CONSTRAINT || primary_code == SQLITE_MISMATCH;
}

}  // namespace

Trouble describe(const std::string& path, sqlite3* database, int code) {
  const int primary = code & 0xff;
  if (primary == SQLITE_INTERRUPT) return {Trouble::Kind::kPassing, path + ": the host gave the batch up"};
  std::string text = path + ": " + (database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) {
    const int system = database != nullptr ? sqlite3_system_errno(database) : 0;
    text += " (SQLite code " + std::to_string(code);
    if (system != 0) text += ", " + std::generic_category().message(system);
    text += ")";
  }
  if (const std::string_view hint = advice(primary); !hint.empty()) text.append("; ").append(hint);
  return {is_damage(primary) ? Trouble::Kind::kDamaged : Trouble::Kind::kPassing, std::move(text)};
}

}  // namespace weir::sqlite
