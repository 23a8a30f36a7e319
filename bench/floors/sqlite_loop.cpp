#include <sqlite3.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "floors/floors.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The database of one run; its files go away with it.
class BatchTable {
 public:
  explicit BatchTable(const std::string& folder) : path_(folder + "/floor.db") {
    remove_files();
    run(sqlite3_open(path_.c_str(), &database_));
    execute("PRAGMA journal_mode=WAL");
    execute("PRAGMA synchronous=FULL");
    execute("PRAGMA wal_autocheckpoint=1000");
    execute("CREATE TABLE batch(first INTEGER PRIMARY KEY, count INTEGER, body BLOB)");
    if (ok()) run(sqlite3_prepare_v2(database_, "INSERT INTO batch VALUES(?,?,?)", -1, &insert_, nullptr));
    if (ok()) run(sqlite3_prepare_v2(database_, "BEGIN IMMEDIATE", -1, &begin_, nullptr));
    if (ok()) run(sqlite3_prepare_v2(database_, "COMMIT", -1, &commit_, nullptr));
  }
  ~BatchTable() {
    for (sqlite3_stmt* statement : {insert_, begin_, commit_}) sqlite3_finalize(statement);
    sqlite3_close(database_);
    remove_files();
  }
  BatchTable(const BatchTable&) = delete;
  BatchTable& operator=(const BatchTable&) = delete;

  bool ok() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  void begin() { step(begin_); }
  void commit() { step(commit_); }
  void insert(int64_t first, uint32_t count, const std::string& body) {
    sqlite3_bind_int64(insert_, 1, first);
    sqlite3_bind_int64(insert_, 2, count);
    sqlite3_bind_blob64(insert_, 3, body.data(), body.size(), SQLITE_STATIC);
    step(insert_);
  }

 private:
  void run(int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW && ok()) {
      problem_ = path_ + ": " + sqlite3_errmsg(database_);
    }
  }
  void execute(const char* sql) {
    if (ok()) run(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr));
  }
  void step(sqlite3_stmt* statement) {
    if (!ok()) return;
    run(sqlite3_step(statement));
    sqlite3_reset(statement);
  }
  void remove_files() {
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix, ignored);
  }

  std::string path_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  std::string problem_;
};

// The queue between producers and committer.
struct Exchange {
  struct Request {
    const std::string* block;
    bool done = false;
  };
  std::mutex mutex;
  std::condition_variable queued;
  std::condition_variable committed;
  std::vector<Request*> queue;
  bool stop = false;
};

void produce(Exchange& exchange, const std::vector<std::string>& blocks, size_t first, std::vector<int64_t>& latencies) {
  for (size_t i = first;; ++i) {
    Exchange::Request request{&blocks[i % blocks.size()]};
    Clock::time_point begin = Clock::now();
    {
      std::unique_lock lock(exchange.mutex);
      if (exchange.stop) return;
      exchange.queue.push_back(&request);
      exchange.queued.notify_one();
      exchange.committed.wait(lock, [&] { return request.done; });
    }
    latencies.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
  }
}

}  // namespace

Floor run_sqlite_loop(const std::string& folder, const std::vector<std::string>& blocks, uint32_t events_per_block,
                      uint32_t producers, Seconds duration) {
  Floor floor;
  BatchTable table(folder);
  Exchange exchange;
  std::vector<std::vector<int64_t>> latencies(producers);
  std::vector<std::jthread> threads;
  for (uint32_t i = 0; i < producers; ++i) {
    threads.emplace_back([&, i] { produce(exchange, blocks, i * 7, latencies[i]); });
  }
  int64_t first = 1;
  uint64_t committed_blocks = 0;
  double cpu_before = thread_cpu_seconds();
  Clock::time_point start = Clock::now();
  Clock::time_point now = start;
  bool last = false;
  while (!last) {
    std::vector<Exchange::Request*> group;
    {
      std::unique_lock lock(exchange.mutex);
      // The group at the end is committed too, so that every producer comes back and sees the stop.
      last = now - start >= duration || !table.ok();
      exchange.stop = last;
      if (!last) exchange.queued.wait(lock, [&] { return !exchange.queue.empty(); });
      group.swap(exchange.queue);
    }
    table.begin();
    for (const Exchange::Request* request : group) {
      table.insert(first, events_per_block, *request->block);
      first += events_per_block;
    }
    table.commit();
    committed_blocks += group.size();
    {
      std::lock_guard lock(exchange.mutex);
      for (Exchange::Request* request : group) request->done = true;
    }
    exchange.committed.notify_all();
    now = Clock::now();
  }
  double cpu = thread_cpu_seconds() - cpu_before;
  threads.clear();

  std::vector<int64_t> all;
  for (const auto& some : latencies) all.insert(all.end(), some.begin(), some.end());
  auto events = static_cast<double>(committed_blocks * events_per_block);
  floor.events_per_second = events / Seconds(now - start).count();
  floor.cpu_us_per_event = events > 0 ? cpu * 1e6 / events : 0;
  floor.latency = summarize(all);
  floor.problem = table.problem();
  return floor;
}

}  // namespace weir::bench
