// Write-ahead logs that are used again: what was in them before never comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "journal/reader.h"
#include "journal/spare_wal.h"
#include "journal/wal_file.h"
#include "journal_fixture.h"

namespace weir::journal {
namespace {

constexpr uint64_t kHeader = 32, kFrame = 24 + 4096;
constexpr const char* kFirstSpare = "/data/journal/spare-1.wal";

class JournalWal : public JournalTest {
 protected:
  JournalWal() { options_.segment_bytes = 64 << 10; }

  uint64_t in_use(const std::string& wal) {
    auto used = wal_bytes_in_use(machine_.files(), wal);
    EXPECT_OK(used);
    return used ? *used : 0;
  }
  uint64_t size(const std::string& file) { return machine_.files().size(file).value(); }
  bool exists(const std::string& file) { return machine_.files().exists(file); }
  // Fills segments until there is a spare log; its path.
  std::string make_spare() {
    for (uint64_t mark = 1; mark < 10'000; ++mark) {
      for (const std::string& name : files()) {
        if (name.starts_with("spare-")) return "/data/journal/" + name;
      }
      EXPECT_TRUE(store(make_block(mark, 10, "", 2000)).durable);
    }
    ADD_FAILURE() << "no spare log";
    return "";
  }
  uint32_t newest() { return journal_->statistics().segments.back().number; }
  // Stores until a segment has taken the spare log and holds an event; its number. The one that is made before the
  // spare is there has a log of its own, and is not listed before its first event either.
  uint32_t begin_segment_on(const std::string& spare) {
    while (exists(spare)) EXPECT_TRUE(store(make_block(9, 10, "", 2000)).durable);
    EXPECT_TRUE(store(8).durable);
    return newest();
  }
  // Until the spare is gone, and the journal goes on in the room that it left.
  void fill_the_disk_and_go_on(const std::string& spare) {
    machine_.disk().set_capacity(machine_.disk().used_bytes() + 1024);
    uint64_t mark = 20'000;
    for (; exists(spare); ++mark) {
      store(make_block(mark, 10, "", 2000));
      ASSERT_LT(mark, 21'000u) << "the spare stays";
    }
    EXPECT_TRUE(test::wait_until(
        [&] { return journal_->healthy() && store(make_block(++mark, 10, "", 2000)).durable; }));
  }
  // A database with a log of so many frames that are in use.
  std::string make_log(const std::string& name, int frames) {
    std::string database = "/data/journal/" + name;
    EXPECT_OK(machine_.files().create_directories("/data/journal"));
    auto writer = base::Database::open(database, base::OpenAs::kWriter, machine_.vfs_name());
    EXPECT_OK(writer);
    EXPECT_OK(writer->keep_off_the_wal());
    EXPECT_OK(writer->execute("PRAGMA journal_mode=WAL; CREATE TABLE t(x)"));  // two frames
    for (int i = 2; i < frames; ++i) EXPECT_OK(writer->execute("INSERT INTO t VALUES(1)"));
    return database + "-wal";
  }
};

TEST_F(JournalWal, KnowsWhatIsInUse) {
  std::string wal = make_log("a.db", 5);
  EXPECT_EQ(in_use(wal), kHeader + 5 * kFrame);
  EXPECT_EQ(in_use("/data/journal/none-wal"), 0u);
  ASSERT_OK(empty_wal(machine_.files(), wal));
  EXPECT_EQ(in_use(wal), 0u);
  EXPECT_EQ(size(wal), kHeader + 5 * kFrame) << "it keeps its blocks";
  ASSERT_OK(machine_.files().write_file_durably(wal, "rubbish"));
  EXPECT_EQ(in_use(wal), 0u);
}

TEST_F(JournalWal, WhatAnEarlierUseLeftIsNotInUse) {
  std::string wal = make_log("a.db", 9);
  ASSERT_OK(empty_wal(machine_.files(), wal));
  ASSERT_OK(machine_.files().remove("/data/journal/a.db"));
  std::string other = make_log("b.db", 2);
  {
    auto writer = base::Database::open("/data/journal/b.db", base::OpenAs::kWriter, machine_.vfs_name());
    ASSERT_OK(writer->keep_off_the_wal());
    ASSERT_OK(writer->query_integer("SELECT count(*) FROM t"));  // SQLite opens the log no earlier
    ASSERT_OK(writer->checkpoint_and_truncate());
  }
  ASSERT_OK(machine_.files().rename(wal, other));
  auto writer = base::Database::open("/data/journal/b.db", base::OpenAs::kWriter, machine_.vfs_name());
  ASSERT_OK(writer->keep_off_the_wal());
  ASSERT_OK(writer->execute("INSERT INTO t VALUES(7)"));
  EXPECT_EQ(in_use(other), kHeader + kFrame);
  EXPECT_EQ(size(other), kHeader + 9 * kFrame);
}

TEST_F(JournalWal, RewritingChangesNothing) {
  std::string wal = make_log("a.db", 400);  // more than is read at once
  std::string before = machine_.disk().contents(wal);
  ASSERT_OK(rewrite_wal(machine_.files(), wal));
  EXPECT_EQ(machine_.disk().contents(wal), before);
  EXPECT_OK(rewrite_wal(machine_.files(), "/data/journal/none-wal"));
}

TEST_F(JournalWal, ASegmentWritesIntoTheLogOfAnEarlierOne) {
  open();
  std::string spare = make_spare();
  uint64_t bytes = size(spare);
  EXPECT_GE(bytes, options_.segment_bytes / 2);
  std::string wal = path(begin_segment_on(spare)) + "-wal";
  EXPECT_FALSE(exists(spare));
  EXPECT_GE(size(wal), bytes);
  EXPECT_LT(in_use(wal), bytes);
}

TEST_F(JournalWal, WhatWasInItBeforeDoesNotComeBack) {
  open();
  uint64_t events = fill_segments(4);
  for (int i = 0; i < 3; ++i) {
    auto before = contents();
    EXPECT_EQ(before.size(), events);
    i == 1 ? restart_after_cut(test::CutMode::kTearSectors) : restart_after_kill();
    EXPECT_EQ(contents(), before);
    EXPECT_TRUE(store(7 + i).durable);
    events += 10;
  }
}

TEST_F(JournalWal, ACleanStopKeepsTheBlocksAndLeavesNothingInThem) {
  open();
  fill_segments(3);
  store(5);
  uint64_t blocks = size(path(4) + "-wal");
  auto before = contents();
  close();
  EXPECT_EQ(in_use(path(4) + "-wal"), 0u);
  EXPECT_EQ(size(path(4) + "-wal"), blocks);
  open();
  EXPECT_EQ(contents(), before);
}

TEST_F(JournalWal, ASpareThatIsNotEmptyOrTooLargeIsNotTaken) {
  open();
  close();
  ASSERT_OK(machine_.files().rename(make_log("a.db", 9), kFirstSpare));
  open();
  EXPECT_FALSE(exists(kFirstSpare));
  close();
  std::string large = make_log("b.db", 99);
  ASSERT_OK(empty_wal(machine_.files(), large));
  ASSERT_OK(machine_.files().rename(large, kFirstSpare));
  open();
  EXPECT_FALSE(exists(kFirstSpare));
}

TEST_F(JournalWal, KnowsAHeaderThatSqliteWouldNotTake) {
  std::string wal = make_log("a.db", 3);
  for (uint64_t at : {0, 5, 9, 17, 27, 31}) {
    SCOPED_TRACE(at);
    std::string before = machine_.disk().contents(wal);
    machine_.disk().damage(wal, at, std::string(1, static_cast<char>(before[at] ^ 4)));
    EXPECT_EQ(in_use(wal), 0u);
    EXPECT_FALSE(wal_is_empty(machine_.files(), wal).value());
    machine_.disk().damage(wal, at, before.substr(at, 1));
    EXPECT_EQ(in_use(wal), kHeader + 3 * kFrame);
  }
}

// Regression: the next one was put in the place of one that was given away and not renamed yet, and so was lost.
TEST_F(JournalWal, KeepsAnotherWhileOneIsGivenAway) {
  SpareWal spare(machine_.files(), "/data/journal", 1 << 20);
  std::string a = make_log("a.db", 5), b = make_log("b.db", 5), c = make_log("c.db", 5);
  spare.keep(a, 1);
  std::string taken = spare.take();
  spare.keep(b, 2);
  EXPECT_TRUE(exists(taken));
  std::string next = spare.take();
  EXPECT_NE(next, taken);
  EXPECT_TRUE(exists(next));
  spare.give_back(taken);
  spare.keep(c, 3);
  EXPECT_FALSE(exists(c)) << "one is enough";
  spare.drop();
  EXPECT_FALSE(exists(taken));
  EXPECT_EQ(spare.take(), "");
}

TEST_F(JournalWal, TheSpareMakesRoomOnAFullDisk) {
  options_.segment_bytes = 3 << 20;  // the writer wants a megabyte before it goes on
  open();
  fill_the_disk_and_go_on(make_spare());
}

// Regression: where the log needs no new blocks, a full disk strikes when the next segment is made, and the spare that
// it was to have stayed there for ever.
TEST_F(JournalWal, TheSpareMakesRoomWhenTheNextSegmentCannotBeMade) {
  options_.segment_bytes = 3 << 20;
  open();
  begin_segment_on(make_spare());
  fill_the_disk_and_go_on(make_spare());
}

// Regression: its tables are in the file from the beginning, so it looked as if it had never been used.
TEST_F(JournalWal, ASegmentWhoseLogHasADamagedHeaderIsSetAside) {
  options_.segment_bytes = 256 << 10;
  open();
  uint32_t newest = begin_segment_on(make_spare());
  uint64_t epoch = journal_->epoch(), head = journal_->head();
  machine_.process_kill();
  close();
  machine_.disk().damage(path(newest) + "-wal", 18, "rot");
  open();
  EXPECT_NE(journal_->epoch(), epoch) << "how far numbers went is not known";
  EXPECT_FALSE(files("/data/journal/damaged").empty());
  EXPECT_LT(contents().size(), head);
}

// The same disk, and a test that comes when the size of a file is asked for.
class WatchedFiles : public base::FileSystem {
 public:
  explicit WatchedFiles(base::FileSystem& files) : files_(files) {}
  std::function<void(const std::string& path)> on_size = [](const std::string&) {};

  base::Result<uint64_t> size(const std::string& path) override {
    on_size(path);
    return files_.size(path);
  }
  base::Result<std::vector<std::string>> list(const std::string& folder) override { return files_.list(folder); }
  bool exists(const std::string& path) override { return files_.exists(path); }
  base::Result<std::string> read_file(const std::string& path) override { return files_.read_file(path); }
  base::Status write_file_durably(const std::string& path, std::string_view bytes) override {
    return files_.write_file_durably(path, bytes);
  }
  base::Status reserve_file(const std::string& path, uint64_t bytes) override { return files_.reserve_file(path, bytes); }
  base::Result<std::string> read_at(const std::string& path, uint64_t offset, uint64_t bytes) override {
    return files_.read_at(path, offset, bytes);
  }
  base::Status overwrite(const std::string& path, uint64_t offset, std::string_view bytes) override {
    return files_.overwrite(path, offset, bytes);
  }
  base::Status remove(const std::string& path) override { return files_.remove(path); }
  base::Status rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  base::Status create_directories(const std::string& path) override { return files_.create_directories(path); }
  base::Status sync_directory(const std::string& folder) override { return files_.sync_directory(folder); }
  base::Result<uint64_t> free_bytes(const std::string& folder) override { return files_.free_bytes(folder); }
  base::Result<std::unique_ptr<base::FileLock>> lock_file(const std::string& path) override {
    return files_.lock_file(path);
  }
  const char* sqlite_vfs() const override { return files_.sqlite_vfs(); }

 private:
  base::FileSystem& files_;
};

// Regression: between the checkpoint of a segment and the next use of its log, a reader took the log for the segment's,
// and read the events of another one.
TEST_F(JournalWal, AReaderThatComesAfterTheCheckpointReadsItsOwnSegment) {
  WatchedFiles watched(machine_.files());
  options_.files = &watched;
  journal_ = std::move(Journal::open(options_).value());
  std::mutex mutex;
  std::optional<base::Result<base::Database>> reader;
  watched.on_size = [&](const std::string& asked) {
    // After the checkpoint, and before anybody may know of it.
    auto segment = journal_->segments().with_number(1);
    std::lock_guard lock(mutex);
    if (asked == path(1) && segment && segment->sealed && !reader) reader = open_for_reading(*journal_, *segment);
  };
  std::string spare = make_spare();
  ASSERT_TRUE(reader.has_value());
  ASSERT_OK(*reader);
  begin_segment_on(spare);
  fill_segments(4, 3000);  // overwrites what was in the logs
  auto rows = (*reader)->prepare("SELECT first_sequence, count, codec, crc32c, body FROM batch ORDER BY first_sequence");
  ASSERT_OK(rows);
  uint64_t next = 1;
  for (;;) {
    auto row = rows->step();
    ASSERT_OK(row);
    if (!*row) break;
    EXPECT_EQ(rows->unsigned_integer(0), next);
    auto block = decode(static_cast<uint32_t>(rows->integer(2)), static_cast<uint32_t>(rows->integer(3)), rows->blob(4));
    ASSERT_OK(block);
    EXPECT_EQ(block->event(0)->sequence, next);
    next += rows->unsigned_integer(1);
  }
  EXPECT_EQ(next, journal_->segments().with_number(1)->facts.last + 1);
  rows = base::Statement();
  reader.reset();
  close();
}

// The same by chance, under load.
TEST_F(JournalWal, ReadersReadTheirOwnSegmentWhileLogsChangeHands) {
  options_.segment_bytes = 40 << 10;
  options_.tail_bytes = 1;  // so that readers open the files
  open();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0}, wrong{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&, i] {
      std::mt19937_64 random(static_cast<uint64_t>(i));
      while (!stop) {
        uint64_t head = journal_->head();
        if (head < 100) continue;
        Reader reader(*journal_);  // opens the segment anew
        std::vector<StoredBatch> batches;
        uint64_t from = head - random() % std::min<uint64_t>(head, 200);
        // A segment that has just been set aside or moved is tried again, as consumers do.
        if (!reader.read(from, 1, &batches) || batches.empty()) continue;
        for (const StoredEvent& event : events_of(batches)) {
          ++reads;
          // Ten events a batch, marks from 1 on: the content tells the sequence.
          uint64_t sequence = (event.content / 1000 - 1) * 10 + event.content % 1000 + 1;
          wrong += sequence == event.sequence && batches.front().first <= from ? 0 : 1;
        }
      }
    });
  }
  for (uint64_t mark = 1; mark <= 1500; ++mark) ASSERT_TRUE(store(make_block(mark, 10, "", 500)).durable);
  stop = true;
  readers.clear();
  EXPECT_EQ(wrong, 0u) << "of " << reads;
  EXPECT_GT(reads, 1000u);
  EXPECT_TRUE(journal_->state().lost().empty());
  EXPECT_EQ(contents().size(), 15'000u);
}

}  // namespace
}  // namespace weir::journal
