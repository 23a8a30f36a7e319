// The simulated disk must lose exactly what a real one may lose: no more, or the journal's tests would demand
// the impossible; no less, or they would prove nothing.
#include "support/crash_vfs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/sqlite.h"
#include "support/result.h"

namespace weir::test {
namespace {

using base::Code;
using base::Database;
using base::OpenAs;

constexpr char kPath[] = "/data/j.db";
constexpr char kFull[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=20";
constexpr char kNormal[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=20";
constexpr char kCreate[] = "CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b)";
constexpr char kInsert[] = "INSERT INTO t(b) VALUES(randomblob(1500))";

Database open(CrashVfs& machine, const char* settings = kFull, const std::string& path = kPath) {
  EXPECT_OK(machine.files().create_directories("/data"));
  auto database = Database::open(path, OpenAs::kWriter, machine.vfs_name());
  EXPECT_TRUE(database.ok()) << database.error().text();
  if (!database.ok()) return {};
  // On a machine that is about to lose power both may fail.
  static_cast<void>(database->execute(settings));
  static_cast<void>(database->execute(kCreate));
  return std::move(*database);
}

int64_t rows(Database& database) { return database.query_integer("SELECT count(*) FROM t").value(); }

std::string integrity(Database& database) {
  auto check = database.prepare("PRAGMA integrity_check");
  if (!check.ok()) return check.error().text();
  auto row = check->step();
  return row.ok() ? std::string(check->text(0)) : row.error().text();
}

bool failed_with(const base::Status& status, int sqlite_code) {
  return !status.ok() &&
         status.error().what.find("SQLite error " + std::to_string(sqlite_code) + ")") != std::string::npos;
}

struct Tally {
  int lost = 0;     // runs in which an acknowledged transaction was gone
  int damaged = 0;  // runs in which integrity_check complained
};

// Inserts until the power goes at a random change of the disk, in the middle of whatever SQLite does just
// then.
Tally cut_at_random(const char* settings, CutMode mode, int runs) {
  Tally tally;
  for (int run = 0; run < runs; ++run) {
    CrashVfs machine(static_cast<uint64_t>(run) + 1);
    std::mt19937_64 random(static_cast<uint64_t>(run));
    Database before = open(machine, settings);
    machine.disk().power_off_at(random() % 150);
    int64_t acknowledged = 0;
    while (before.execute(kInsert).ok()) ++acknowledged;
    machine.power_cut(mode);

    Database after = open(machine, settings);
    if (after.query_integer("SELECT coalesce(max(a), 0) FROM t").value() < acknowledged) ++tally.lost;
    if (integrity(after) != "ok") ++tally.damaged;
  }
  return tally;
}

class CrashVfsCuts : public testing::TestWithParam<CutMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, CrashVfsCuts, testing::ValuesIn(kAllCutModes), [](const auto& param) {
  std::string name = name_of(param.param);
  std::erase(name, ' ');
  return name;
});

TEST_P(CrashVfsCuts, SynchronousFullKeepsEveryAcknowledgedTransaction) {
  Tally tally = cut_at_random(kFull, GetParam(), 400);
  EXPECT_EQ(tally.lost, 0);
  EXPECT_EQ(tally.damaged, 0);
}

TEST_P(CrashVfsCuts, SynchronousNormalLosesSomeSoTheDiskCanFailATest) {
  Tally tally = cut_at_random(kNormal, GetParam(), 100);
  EXPECT_GT(tally.lost, 30);
  EXPECT_EQ(tally.damaged, 0);
}

TEST(CrashVfs, SynchronousOffDamagesDatabases) {
  int damaged = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CrashVfs machine(seed);
    Database before = open(machine, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    for (int i = 0; i < 20; ++i) ASSERT_OK(before.execute(kInsert));
    ASSERT_OK(before.execute("PRAGMA synchronous=OFF; PRAGMA wal_checkpoint(TRUNCATE)"));
    for (int i = 0; i < 60; ++i) ASSERT_OK(before.execute(kInsert));
    ASSERT_OK(before.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    machine.power_cut(CutMode::kTearSectors);
    Database after = open(machine);
    auto kept = after.query_integer("SELECT count(*) FROM t");
    if (!kept.ok() || *kept < 20 || integrity(after) != "ok") ++damaged;
  }
  EXPECT_GT(damaged, 5);
}

TEST(CrashVfs, IsDeterministicForASeed) {
  auto image = [] {
    CrashVfs machine(7);
    Database before = open(machine);
    machine.disk().power_off_at(90);
    while (before.execute(kInsert).ok()) {
    }
    machine.power_cut(CutMode::kTearSectors);
    return machine.disk().contents(kPath) + machine.disk().contents(std::string(kPath) + "-wal");
  };
  std::string first = image();
  EXPECT_GT(first.size(), 4096U);
  EXPECT_EQ(first, image());
}

TEST(CrashVfs, ConnectionsFromBeforeACutAreDead) {
  CrashVfs machine(1);
  Database before = open(machine);
  ASSERT_OK(before.execute(kInsert));
  std::string old_name = machine.vfs_name();
  machine.power_cut(CutMode::kDropUnsynced);
  std::string image = machine.disk().contents(kPath);

  EXPECT_TRUE(failed_with(before.execute(kInsert), SQLITE_IOERR));
  EXPECT_FALSE(before.query_integer("SELECT count(*) FROM t").ok());
  EXPECT_FALSE(Database::open(kPath, OpenAs::kWriter, old_name.c_str()).ok());
  before.close();
  EXPECT_EQ(machine.disk().contents(kPath), image);
  Database after = open(machine);
  EXPECT_EQ(rows(after), 1);
}

TEST(CrashVfs, ClosingAnOldRollbackJournalConnectionLeavesTheNewFilesAlone) {
  CrashVfs machine(1);
  Database before = open(machine, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; PRAGMA cache_size=1");
  for (int i = 0; i < 30; ++i) ASSERT_OK(before.execute(kInsert));
  ASSERT_OK(before.execute("BEGIN; UPDATE t SET b = randomblob(1500)"));  // spills: the journal is hot
  machine.process_kill();
  std::string journal = std::string(kPath) + "-journal";
  ASSERT_TRUE(machine.files().exists(journal));
  before.close();
  EXPECT_TRUE(machine.files().exists(journal));
  Database after = open(machine, "PRAGMA synchronous=FULL");
  EXPECT_EQ(rows(after), 30);
  EXPECT_EQ(integrity(after), "ok");
}

TEST(CrashVfs, KillKeepsWhatWasWrittenButNotSynced) {
  CrashVfs machine(1);
  Database before = open(machine, kNormal);
  for (int i = 0; i < 5; ++i) ASSERT_OK(before.execute(kInsert));
  machine.process_kill();
  {
    Database after = open(machine, kNormal);
    EXPECT_EQ(rows(after), 5);
    EXPECT_FALSE(before.execute(kInsert).ok());
    machine.power_cut(CutMode::kDropUnsynced);  // the kill has synced nothing
  }
  Database last = open(machine);
  EXPECT_LT(rows(last), 5);
}

TEST(CrashVfs, FilesNeverSyncedCanVanishAndRemovedOnesComeBack) {
  std::set<bool> created, removed, renamed;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CrashVfs machine(seed);
    ASSERT_OK(machine.files().create_directories("/data"));
    ASSERT_OK(machine.files().write_file_durably("/data/old", "x"));
    ASSERT_OK(machine.files().write_file_durably("/data/a", "y"));
    Database fresh = open(machine, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", "/data/new.db");
    ASSERT_OK(machine.files().remove("/data/old"));
    ASSERT_OK(machine.files().rename("/data/a", "/data/b"));
    machine.power_cut(CutMode::kKeepSubset);
    created.insert(machine.files().exists("/data/new.db"));
    removed.insert(!machine.files().exists("/data/old"));
    renamed.insert(machine.files().exists("/data/b"));
    EXPECT_NE(machine.files().exists("/data/a"), machine.files().exists("/data/b")) << "a rename is atomic";
  }
  EXPECT_EQ(created.size(), 2U);
  EXPECT_EQ(removed.size(), 2U);
  EXPECT_EQ(renamed.size(), 2U);
}

TEST(CrashVfs, SyncingTheFolderMakesNamesDurable) {
  CrashVfs machine(1);
  base::FileSystem& files = machine.files();
  ASSERT_OK(files.create_directories("/data"));
  ASSERT_OK(files.write_file_durably("/data/gone", "x"));
  ASSERT_OK(files.write_file_durably("/data/a", "y"));
  ASSERT_OK(files.remove("/data/gone"));
  ASSERT_OK(files.rename("/data/a", "/data/b"));
  ASSERT_OK(files.sync_directory("/data"));
  machine.power_cut(CutMode::kDropUnsynced);
  EXPECT_EQ(machine.files().list("/data").value(), std::vector<std::string>{"b"});
  EXPECT_EQ(machine.files().read_file("/data/b").value(), "y");
}

TEST(CrashVfs, ADurableWriteIsOldOrNewWhereverThePowerGoes) {
  std::set<std::string> seen;
  for (uint64_t at = 0; at < 8; ++at) {
    for (CutMode mode : kAllCutModes) {
      CrashVfs machine(at + 1);
      ASSERT_OK(machine.files().create_directories("/data"));
      ASSERT_OK(machine.files().write_file_durably("/data/f", std::string(3000, 'o')));
      machine.disk().power_off_at(at);
      bool done = machine.files().write_file_durably("/data/f", std::string(3000, 'n')).ok();
      machine.power_cut(mode);
      std::string content = machine.files().read_file("/data/f").value();
      ASSERT_EQ(content, std::string(3000, content[0])) << name_of(mode) << " at " << at;
      if (done) {
        EXPECT_EQ(content[0], 'n');
      }
      seen.insert(content.substr(0, 1) + (done ? " done" : ""));
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"o", "n", "n done"}));
}

TEST(CrashVfs, FullDiskFailsTheCommitAndWorksAgainWhenSpaceReturns) {
  CrashVfs machine(1);
  Database database = open(machine, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  for (int i = 0; i < 5; ++i) ASSERT_OK(database.execute(kInsert));
  machine.disk().set_capacity(machine.disk().used_bytes() + 6000);
  base::Status status = database.execute("INSERT INTO t(b) VALUES(randomblob(9000))");
  EXPECT_TRUE(failed_with(status, SQLITE_FULL)) << status.error().text();
  EXPECT_EQ(machine.files().free_bytes("/data").value(), 0U);
  EXPECT_EQ(machine.files().write_file_durably("/data/f", "x").error().code, Code::kFull);
  EXPECT_FALSE(machine.files().exists("/data/f.tmp"));
  EXPECT_EQ(rows(database), 5);

  machine.disk().set_capacity(CrashDisk::kUnlimited);
  EXPECT_OK(database.execute("INSERT INTO t(b) VALUES(randomblob(9000))"));
  EXPECT_EQ(rows(database), 6);
  EXPECT_EQ(integrity(database), "ok");
}

TEST(CrashVfs, RemovingABallastMakesRoom) {
  CrashVfs machine(1);
  base::FileSystem& files = machine.files();
  ASSERT_OK(files.create_directories("/data"));
  machine.disk().set_capacity(1 << 20);
  ASSERT_OK(files.reserve_file("/data/ballast", 1 << 19));
  EXPECT_EQ(files.reserve_file("/data/more", 1 << 20).error().code, Code::kFull);
  EXPECT_FALSE(files.exists("/data/more"));
  EXPECT_EQ(files.free_bytes("/data").value(), 1U << 19);
  ASSERT_OK(files.remove("/data/ballast"));
  EXPECT_EQ(files.free_bytes("/data").value(), 1U << 20);
}

TEST(CrashVfs, FailingSyncFailsTheCommitAndTheNextOneWorks) {
  CrashVfs machine(1);
  Database database = open(machine);
  ASSERT_OK(database.execute(kInsert));
  machine.disk().inject({.operation = Operation::kSync, .path_suffix = "-wal"});
  EXPECT_TRUE(failed_with(database.execute(kInsert), SQLITE_IOERR_FSYNC));
  EXPECT_EQ(rows(database), 1);
  EXPECT_OK(database.execute(kInsert));
  EXPECT_EQ(rows(database), 2);
}

TEST(CrashVfs, AFailedCommitComesBackAfterAKillWithoutAPowerCut) {
  CrashVfs machine(1);
  Database before = open(machine);
  ASSERT_OK(before.execute(kInsert));
  machine.disk().inject({.operation = Operation::kSync, .path_suffix = "-wal"});
  ASSERT_FALSE(before.execute(kInsert).ok());
  machine.process_kill();
  Database after = open(machine);
  EXPECT_EQ(rows(after), 2);
}

TEST(CrashVfs, AFailedSyncThatForgetsIsNotMadeGoodByTheNextOne) {
  for (FailedSync failed : {FailedSync::kForgetsDirty, FailedSync::kKeepsDirty}) {
    CrashVfs machine(1);
    CrashDisk& disk = machine.disk();
    CrashDisk::Boot boot = disk.boot();
    CrashDisk::NodePtr node;
    ASSERT_EQ(disk.open(boot, "/f", true, false, node), DiskError::kNone);
    ASSERT_EQ(disk.sync_directory(boot, "/"), DiskError::kNone);
    ASSERT_EQ(disk.write(boot, *node, 0, "first"), DiskError::kNone);
    disk.inject({.operation = Operation::kSync, .failed_sync = failed});
    ASSERT_EQ(disk.sync(boot, *node), DiskError::kInputOutput);
    ASSERT_EQ(disk.write(boot, *node, 5, "second"), DiskError::kNone);
    ASSERT_EQ(disk.sync(boot, *node), DiskError::kNone);
    EXPECT_EQ(disk.contents("/f"), "firstsecond");
    machine.power_cut(CutMode::kDropUnsynced);
    bool forgets = failed == FailedSync::kForgetsDirty;
    EXPECT_EQ(disk.contents("/f"), (forgets ? std::string(5, '\0') : "first") + "second");
  }
}

TEST(CrashVfs, AFailingSyncInACheckpointLosesNothing) {
  CrashVfs machine(1);
  Database before =
      open(machine, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0");
  for (int i = 0; i < 30; ++i) ASSERT_OK(before.execute(kInsert));
  machine.disk().inject({.operation = Operation::kSync, .path_suffix = "j.db"});
  EXPECT_TRUE(failed_with(before.checkpoint_and_truncate(), SQLITE_IOERR_FSYNC));
  machine.power_cut(CutMode::kTearSectors);
  Database after = open(machine);
  EXPECT_EQ(rows(after), 30);
  EXPECT_EQ(integrity(after), "ok");
}

TEST(CrashVfs, ReadAndWriteErrorsComeWhenPlanned) {
  CrashVfs machine(1);
  Database database = open(machine);
  for (int i = 0; i < 40; ++i) ASSERT_OK(database.execute(kInsert));
  machine.disk().inject({.operation = Operation::kWrite, .skip = 2, .path_suffix = "-wal"});
  EXPECT_TRUE(failed_with(database.execute(kInsert), SQLITE_IOERR_WRITE));
  ASSERT_OK(database.execute(kInsert));
  database = open(machine);  // with an empty cache
  machine.disk().inject({.operation = Operation::kRead, .times = 1000});
  auto sum = database.query_integer("SELECT sum(length(b)) FROM t");
  ASSERT_FALSE(sum.ok());
  EXPECT_NE(sum.error().what.find("SQLite error " + std::to_string(SQLITE_IOERR_READ)), std::string::npos);
  machine.disk().clear_faults();
  EXPECT_EQ(database.query_integer("SELECT sum(length(b)) FROM t").value(), 41 * 1500);
}

TEST(CrashVfs, RandomFaultsNeverMakeAnAcknowledgedTransactionVanish) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    CrashVfs machine(seed);
    int64_t acknowledged = 0;
    {
      Database before = open(machine);
      machine.disk().set_random_faults({.read = 0.01, .write = 0.02, .sync = 0.05});
      for (int i = 0; i < 50; ++i) {
        // A failed commit is the end of this file's trust, as it is in the journal.
        if (!before.execute(kInsert).ok()) break;
        ++acknowledged;
      }
      machine.disk().clear_faults();
      machine.power_cut(CutMode::kTearSectors);
    }
    Database after = open(machine);
    EXPECT_GE(rows(after), acknowledged) << "seed " << seed;
    EXPECT_EQ(integrity(after), "ok") << "seed " << seed;
  }
}

TEST(CrashVfs, DamageIsFoundByIntegrityCheck) {
  CrashVfs machine(1);
  {
    Database database = open(machine);
    for (int i = 0; i < 40; ++i) ASSERT_OK(database.execute(kInsert));
    ASSERT_OK(database.checkpoint_and_truncate());
  }
  machine.disk().damage(kPath, 4096, std::string(4096, '\xA5'));
  Database database = open(machine);
  EXPECT_NE(integrity(database), "ok");
}

TEST(CrashVfs, ReadersAndAWriterOnThreadsShareOneDatabase) {
  CrashVfs machine(1);
  Database writer = open(machine);
  constexpr int64_t kRows = 300;
  std::atomic<bool> failed{false};
  auto read_until_all = [&] {
    auto reader = Database::open(kPath, OpenAs::kReader, machine.vfs_name());
    if (!reader.ok() || !reader->execute("PRAGMA busy_timeout=10000").ok()) {
      failed = true;
      return;
    }
    for (int64_t seen = 0; seen < kRows && !failed;) {
      auto count = reader->query_integer("SELECT count(*) FROM t");
      if (!count.ok() || *count < seen) failed = true;
      if (count.ok()) seen = *count;
    }
  };
  {
    std::jthread first(read_until_all), second(read_until_all);
    for (int64_t i = 0; i < kRows && !failed; ++i) {
      if (!writer.execute(kInsert).ok()) failed = true;
    }
  }
  EXPECT_FALSE(failed);
  EXPECT_EQ(rows(writer), kRows);
  EXPECT_EQ(integrity(writer), "ok");
}

TEST(CrashVfs, TwoWritersExcludeEachOther) {
  CrashVfs machine(1);
  Database first = open(machine), second = open(machine);
  ASSERT_OK(first.execute("BEGIN IMMEDIATE"));
  EXPECT_TRUE(failed_with(second.execute("BEGIN IMMEDIATE"), SQLITE_BUSY));
  ASSERT_OK(first.execute("COMMIT"));
  EXPECT_OK(second.execute("BEGIN IMMEDIATE"));
}

TEST(CrashVfs, TheLastCloseRemovesTheWal) {
  CrashVfs machine(1);
  {
    Database first = open(machine), second = open(machine);
    ASSERT_OK(first.execute(kInsert));
    EXPECT_TRUE(machine.files().exists("/data/j.db-wal"));
  }
  EXPECT_EQ(machine.files().list("/data").value(), std::vector<std::string>{"j.db"});
}

TEST(CrashVfs, ALockIsHeldOnceAndEndsWithTheProcess) {
  CrashVfs machine(1);
  ASSERT_OK(machine.files().create_directories("/data"));
  auto held = machine.files().lock_file("/data/lock");
  ASSERT_OK(held);
  EXPECT_EQ(machine.files().lock_file("/data/lock").error().code, Code::kUnavailable);
  machine.process_kill();
  auto again = machine.files().lock_file("/data/lock");
  ASSERT_OK(again);
  held.value().reset();  // the dead process' object must not release it
  EXPECT_FALSE(machine.files().lock_file("/data/lock").ok());
}

}  // namespace
}  // namespace weir::test
