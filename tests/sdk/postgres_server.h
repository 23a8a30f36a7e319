// A PostgreSQL server of a test: its own cluster in a temporary folder, on a port of this machine alone.
#pragma once

#include <memory>
#include <string>

#include "support/process.h"
#include "support/temp_dir.h"

namespace weir::test {

// PostgreSQL will not run as root: a test that does runs it as the user `postgres` of Debian's package.
class PostgresServer {
 public:
  PostgresServer();  // makes the cluster; start() is for the server
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() { stop(); }

  void start();  // and waits until it answers
  void stop();   // as an operator would: clients are sent away

  // For libpq. By TCP: local sockets are closed to a plugin in a process of its own.
  std::string connection() const { return "host=127.0.0.1 port=" + port_ + " user=weir dbname=postgres"; }
  // What psql prints for one statement, without the last newline. Throws std::runtime_error with its error.
  std::string query(const std::string& sql) const;

 private:
  TempDir folder_;
  std::string port_;  // the same one after each start
  std::unique_ptr<Process> server_;
};

}  // namespace weir::test
