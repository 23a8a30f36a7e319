// Write-ahead logs that are used again: what was in them before never comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/wal_file.h"
#include "journal_fixture.h"

namespace weir::journal {
namespace {

constexpr uint64_t kHeader = 32, kFrame = 24 + 4096;

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

TEST_F(JournalWal, TheThirdSegmentWritesIntoTheLogOfTheFirst) {
  open();
  fill_segments(1);
  wait_for_checkpoints();
  ASSERT_TRUE(test::wait_until([&] { return exists("/data/journal/spare.wal"); }));
  uint64_t spare = size("/data/journal/spare.wal");
  EXPECT_GE(spare, options_.segment_bytes / 2);
  EXPECT_FALSE(exists(path(1) + "-wal"));
  fill_segments(2, 2000);
  EXPECT_GE(size(path(3) + "-wal"), spare);
  EXPECT_LT(in_use(path(3) + "-wal"), spare);
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

TEST_F(JournalWal, ASpareThatIsNotEmptyIsNotTaken) {
  open();
  close();
  ASSERT_OK(machine_.files().rename(make_log("a.db", 9), "/data/journal/spare.wal"));
  open();
  EXPECT_FALSE(exists("/data/journal/spare.wal"));
}

TEST_F(JournalWal, TheSpareMakesRoomOnAFullDisk) {
  open();
  fill_segments(1);
  wait_for_checkpoints();
  ASSERT_TRUE(test::wait_until([&] { return exists("/data/journal/spare.wal"); }));
  machine_.disk().set_capacity(machine_.disk().used_bytes() + 1024);
  for (uint64_t mark = 1; exists("/data/journal/spare.wal"); ++mark) {
    store(make_block(mark, 10, "", 2000));
    ASSERT_LT(mark, 1000u);
  }
}

}  // namespace
}  // namespace weir::journal
