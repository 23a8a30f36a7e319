// What the tests of sqlite.sink share: a running sink on a temporary file, and a reader of that file.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/plugin_host.h"
#include "support/temp_dir.h"

namespace weir::test {

// A second program's connection. Throws std::runtime_error with SQLite's text.
class Connection {
 public:
  explicit Connection(const std::string& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(database_));
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { sqlite3_close(database_); }

  // The rows as text, NULL as "NULL".
  std::vector<std::vector<std::string>> rows(const std::string& sql) {
    std::vector<std::vector<std::string>> rows;
    char* message = nullptr;
    const int code = sqlite3_exec(
        database_, sql.c_str(),
        [](void* to, int columns, char** texts, char**) {
          auto& row = static_cast<std::vector<std::vector<std::string>>*>(to)->emplace_back();
          for (int i = 0; i < columns; ++i) row.emplace_back(texts[i] != nullptr ? texts[i] : "NULL");
          return 0;
        },
        &rows, &message);
    const std::string text = message != nullptr ? message : "";
    sqlite3_free(message);
    if (code != SQLITE_OK) throw std::runtime_error(text);
    return rows;
  }
  std::string value(const std::string& sql) { return rows(sql).at(0).at(0); }

 private:
  sqlite3* database_ = nullptr;
};

class SqliteSink : public ::testing::Test {
 protected:
  std::string file() const { return folder_ / "events.db"; }

  // A running sink. `more` is further configuration: R"(, "busy_timeout_ms": 20)".
  Instance& start(const std::string& path, const std::string& more = "") {
    sink_.emplace(library_, host_, "sqlite.sink", "{\"path\": \"" + path + "\"" + more + "}");
    sink_->prepare();
    sink_->start();
    return *sink_;
  }
  Instance& start() { return start(file()); }
  void end() { sink_.reset(); }

  std::string value(const std::string& sql) const { return Connection(file()).value(sql); }
  std::string count() const { return value("SELECT count(*) FROM events"); }

  TempDir folder_;
  PluginLibrary library_{plugin_path("sqlite")};
  PluginHost host_;
  std::optional<Instance> sink_;  // last: it must end before its host
};

inline void expect_delivered(const Completion& completion) {
  ASSERT_EQ(completion.results.size(), 1u);
  EXPECT_EQ(completion.of(0).outcome, WEIR_DELIVERED) << completion.of(0).reason;
}

}  // namespace weir::test
