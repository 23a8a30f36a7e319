// The database file of a sqlite.sink: opening it, its table, one batch as one transaction.
//
// The table is WITHOUT ROWID: it is its primary key's tree, so that a row is written once instead of once in
// the table and once in the key's index. Measured with batches of 1,000: 8 to 19 % more events/s, 11 % fewer
// bytes. Rows arrive in the key's order, so the tree grows at its right end.
#pragma once

#include <sqlite3.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config.h"
#include "trouble.h"
#include "weir/batch.hpp"

namespace weir::sqlite {

// An event that cannot be stored, because this sink does not know the type of its value.
struct Refused {
  uint32_t index;
  uint32_t value_type;
};

// submit's thread, except cancel().
class EventDatabase {
 public:
  EventDatabase(Config config, std::string gateway_id);

  // Opens the file and makes the table, unless it is open and still the file at the path. Returns false and
  // says why in `trouble`. Waits for another program's lock until deadline_ns (CLOCK_MONOTONIC) or the busy
  // timeout.
  bool open(int64_t deadline_ns, Trouble& trouble);

  // Call it before a batch can be cancelled.
  void expect_batch() { cancelled_ = false; }
  // Inserts the events that are not there yet and commits; opens first when needed. False: nothing of the
  // batch may be counted as stored. Events that can never be stored are left out and listed in `refused` in
  // either case.
  bool insert(const weir_batch* batch, int64_t deadline_ns, std::vector<Refused>& refused, Trouble& trouble);

  // Rows written by the last insert(); the others were there already.
  uint64_t rows_written() const { return rows_written_; }

  // Makes insert() give up and returns when it no longer reads its batch: after one row at most. [any thread]
  void cancel();
  void close();

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Handle = std::unique_ptr<sqlite3, CloseDatabase>;
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  bool set_up(sqlite3* database, Trouble& trouble);
  bool check_table(sqlite3* database, Trouble& trouble);
  bool insert_rows(const weir_batch* batch, std::vector<Refused>& refused, int& code);
  // SQLite's result code.
  int insert_row(const sdk::EventView& event);
  bool execute(const char* sql, int& code);
  // True while the path names the file that is open.
  bool is_current() const;
  // Lets go of a file that was moved or deleted, without touching what has taken its place.
  void abandon();
  // Ends the transaction after a failure, and closes the file when going on needs a fresh start.
  Trouble give_up(int code);
  static int wait_while_busy(void* self, int attempt);
  void limit_waiting(int64_t deadline_ns);

  const Config config_;
  const std::string gateway_id_;
  const std::string file_;  // config_.path in a form that SQLite takes as nothing but a file name
  Handle database_;
  Statement insert_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int64_t give_up_ns_ = 0;  // when waiting for a lock ends, CLOCK_MONOTONIC
  uint64_t rows_written_ = 0;
  std::string metadata_;  // of the row at hand
  std::atomic<bool> cancelled_{false};
  std::mutex reading_;  // held while a row of the batch is read, and while database_ changes
};

}  // namespace weir::sqlite
