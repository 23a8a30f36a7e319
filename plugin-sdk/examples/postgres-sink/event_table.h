// The table in the database, and the connection to it. One thread at a time.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>

namespace postgres_sink {

// Why a statement failed.
struct Trouble {
  std::string sqlstate;  // "" when the connection failed
  std::string text;      // one line
};

class EventTable {
 public:
  // connection: as for libpq (https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING).
  EventTable(std::string connection, const std::string& table);

  // Connects and makes the table when they are not there. False fills *trouble. deadline_ns: CLOCK_MONOTONIC.
  bool open(int64_t deadline_ns, Trouble* trouble);

  // Writes rows (event_rows()), all or none; rows whose key is there already are left as they are. Sets *written to the
  // number of new ones. False fills *trouble.
  bool insert(const std::string& rows, int64_t deadline_ns, uint64_t* written, Trouble* trouble);

  void close() { connection_.reset(); }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Clear>;

  bool limit_time(int64_t deadline_ns, Trouble* trouble);
  bool succeeded(const Answer& answer, Trouble* trouble);

  std::string connection_text_;
  std::string create_;
  std::string insert_;
  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace postgres_sink
