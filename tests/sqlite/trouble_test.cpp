// What the sink does when the file cannot take a batch: it asks to try again, says why, and goes on by itself
// when it can. No event is ever given up for the file's sake.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "sink_fixture.h"
#include "support/small_disk.h"

namespace weir::test {
namespace {

void expect_retry(const Completion& completion, const std::string& part_of_reason) {
  ASSERT_EQ(completion.results.size(), 1u);
  EXPECT_EQ(completion.of(0).outcome, WEIR_RETRY);
  EXPECT_NE(completion.of(0).reason.find(part_of_reason), std::string::npos) << completion.of(0).reason;
}

// Runs as a user that owns nothing here, because root may write everywhere.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) was_root_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool was_root_ = false;
};

TEST_F(SqliteSink, AsksToTryAgainWhileAnotherProgramHoldsTheWriteLock) {
  Instance& sink = start(file(), R"(, "busy_timeout_ms": 20)");
  const Block batch = make_batch({{}});
  Connection other(file());
  other.rows("BEGIN IMMEDIATE");
  expect_retry(sink.deliver(batch), "another program holds the write lock");
  EXPECT_EQ(sink.health().state, WEIR_HEALTH_DEGRADED);
  other.rows("COMMIT");
  expect_delivered(sink.deliver(batch));
  EXPECT_EQ(sink.health().state, WEIR_HEALTH_OK);
}

TEST_F(SqliteSink, WaitsForALockThatEndsInTime) {
  Instance& sink = start(file(), R"(, "busy_timeout_ms": 30000)");
  const Block batch = make_batch({{}});
  auto other = std::make_unique<Connection>(file());
  other->rows("BEGIN IMMEDIATE");
  std::thread deliverer([&] { sink.submit(batch, 1); });
  EXPECT_FALSE(host_.delivery.wait_for(1, std::chrono::milliseconds(30)).has_value());
  other->rows("COMMIT");
  deliverer.join();
  expect_delivered(host_.delivery.wait_for(1).value());
}

TEST_F(SqliteSink, WaitsForALockNoLongerThanTheDeadline) {
  Instance& sink = start(file(), R"(, "busy_timeout_ms": 60000)");
  const Block batch = make_batch({{}});
  Connection other(file());
  other.rows("BEGIN IMMEDIATE");
  const auto begin = std::chrono::steady_clock::now();
  sink.submit(batch, 1, std::chrono::milliseconds(20));
  expect_retry(host_.delivery.wait_for(1).value(), "write lock");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(SqliteSink, GivesABatchUpWhenItIsCancelled) {
  Instance& sink = start(file(), R"(, "busy_timeout_ms": 60000)");
  const Block batch = make_batch({{}});
  Connection other(file());
  other.rows("BEGIN IMMEDIATE");
  std::thread deliverer([&] { sink.submit(batch, 1, std::chrono::minutes(1)); });
  // Again and again, because only the sink knows when it has begun with the batch.
  EXPECT_TRUE(wait_until([&] {
    sink.cancel(1);
    return host_.delivery.wait_for(1, std::chrono::milliseconds(1)).has_value();
  }));
  deliverer.join();
  EXPECT_EQ(host_.delivery.wait_for(1)->of(0).outcome, WEIR_RETRY);
  other.rows("COMMIT");
  expect_delivered(sink.deliver(batch));
}

TEST_F(SqliteSink, LeavesNothingOfABatchThatIsCancelledBetweenTwoRows) {
  Instance& sink = start();
  const Block batch = make_batch(std::vector<TestEvent>(60'000));
  std::thread deliverer([&] { sink.submit(batch, 1); });
  EXPECT_TRUE(wait_until([&] {
    sink.cancel(1);
    return host_.delivery.wait_for(1, std::chrono::microseconds(10)).has_value();
  }));
  deliverer.join();
  expect_retry(host_.delivery.wait_for(1).value(), "the host gave the batch up");
  EXPECT_EQ(count(), "0");
  expect_delivered(sink.deliver(batch));
  EXPECT_EQ(count(), "60000");
}

TEST_F(SqliteSink, TakesNothingOfABatchOnAFullDiskAndGoesOnWhenThereIsSpace) {
  const OnSmallDisk result = run_on_small_disk(2 << 20, [&](const std::string& disk) {
    const std::string path = disk + "/events.db";
    Instance& sink = start(path);
    const Block small = make_batch({{}});
    expect_delivered(sink.deliver(small));
    const std::string ballast = disk + "/ballast";
    { std::ofstream(ballast) << std::string(3 << 20, 'b'); }  // as much as fits
    const Block medium = make_batch({{.value = std::string(100'000, 'x'), .sequence = 2}, {.sequence = 3}});
    expect_retry(sink.deliver(medium), path + ": database or disk is full; free some space");
    EXPECT_EQ(sink.health().state, WEIR_HEALTH_DEGRADED);
    EXPECT_EQ(Connection(path).value("SELECT count(*) FROM events"), "1");
    std::filesystem::remove(ballast);
    expect_delivered(sink.deliver(medium));
    EXPECT_EQ(sink.health().state, WEIR_HEALTH_OK);
    EXPECT_EQ(Connection(path).value("PRAGMA integrity_check"), "ok");
    end();
  });
  if (result == OnSmallDisk::kNotPermitted) GTEST_SKIP() << "nobody may mount a tmpfs here";
  EXPECT_EQ(result, OnSmallDisk::kPassed);
}

TEST_F(SqliteSink, CannotBePreparedInAFolderThatItMayNotWrite) {
  ::chmod(folder_.path().c_str(), 0555);
  const AsNobody nobody;
  try {
    start();
    FAIL() << "was prepared";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNAVAILABLE);
    EXPECT_EQ(failure.pointer, "/path");
    EXPECT_NE(std::string(failure.what()).find(file()), std::string::npos) << failure.what();
    EXPECT_NE(std::string(failure.what()).find("gateway's user may write"), std::string::npos)
        << failure.what();
  }
}

TEST_F(SqliteSink, CannotBePreparedOnAFileThatItMayNotWrite) {
  start();
  end();
  ::chmod(file().c_str(), 0444);
  ::chmod(folder_.path().c_str(), 0755);
  const AsNobody nobody;
  try {
    start();
    FAIL() << "was prepared";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNAVAILABLE);
    EXPECT_NE(std::string(failure.what()).find("must be allowed to write"), std::string::npos)
        << failure.what();
  }
}

TEST_F(SqliteSink, CannotBePreparedBelowAFile) {
  const std::string path = folder_.write("file", "no folder") + "/events.db";
  try {
    start(path);
    FAIL() << "was prepared";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNAVAILABLE);
    EXPECT_NE(std::string(failure.what()).find("cannot make the folder"), std::string::npos)
        << failure.what();
  }
}

TEST_F(SqliteSink, CannotBePreparedOnAFolder) {
  try {
    start(folder_.path().string());
    FAIL() << "was prepared";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNAVAILABLE);
    EXPECT_NE(std::string(failure.what()).find("check that it is a file"), std::string::npos)
        << failure.what();
  }
}

TEST_F(SqliteSink, CannotBePreparedOnAFileThatIsNoDatabase) {
  folder_.write("events.db", std::string(4096, 'x'));
  try {
    start();
    FAIL() << "was prepared";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_UNAVAILABLE);
    EXPECT_NE(std::string(failure.what()).find("file is not a database; move it away"), std::string::npos)
        << failure.what();
  }
}

class ForeignTable : public SqliteSink, public ::testing::WithParamInterface<const char*> {};

TEST_P(ForeignTable, IsRefusedAndLeftAsItIs) {
  Connection(file()).rows(GetParam());
  try {
    start();
    FAIL() << "was prepared";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_INVALID);
    EXPECT_NE(std::string(failure.what()).find("its table \"events\""), std::string::npos) << failure.what();
    EXPECT_NE(std::string(failure.what()).find("rename that table"), std::string::npos) << failure.what();
  }
  EXPECT_EQ(value("SELECT sql FROM sqlite_schema WHERE name = 'events'"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Each, ForeignTable,
    ::testing::Values(
        "CREATE TABLE events(id INTEGER PRIMARY KEY, text)",
        "CREATE TABLE events(gateway_id, epoch, sequence, part, id PRIMARY KEY, device_id, timestamp, "
        "received_at, "
        "sensor_type, value, unit, metadata, trace_id)",
        "CREATE TABLE events(gateway_id, epoch, sequence, part, id, device_id, timestamp, received_at, "
        "sensor_type, "
        "value, unit, metadata, trace_id, mine NOT NULL, PRIMARY KEY(gateway_id, epoch, sequence, part))"));

TEST_F(SqliteSink, AcceptsATableThatHasFurtherColumns) {
  Connection(file()).rows(
      "CREATE TABLE events(note, gateway_id, epoch, sequence, part, id, device_id, timestamp, received_at, "
      "sensor_type, value, unit, metadata, trace_id, mine NOT NULL DEFAULT 7, "
      "PRIMARY KEY(gateway_id, epoch, sequence, part))");
  expect_delivered(start().deliver(make_batch({{}})));
  EXPECT_EQ(value("SELECT mine FROM events"), "7");
}

TEST_F(SqliteSink, MakesANewFileWhenItsFileWasDeleted) {
  Instance& sink = start();
  expect_delivered(sink.deliver(make_batch({{}, {}}, 1, 1)));
  std::filesystem::remove(file());
  expect_delivered(sink.deliver(make_batch({{}}, 1, 3)));
  EXPECT_EQ(value("SELECT group_concat(sequence) FROM events"), "3");
}

TEST_F(SqliteSink, LeavesAWholeFileBehindWhenItsFileWasMovedAway) {
  Instance& sink = start();
  expect_delivered(sink.deliver(make_batch({{}, {}}, 1, 1)));
  const std::string moved = folder_ / "archive.db";
  std::filesystem::rename(file(), moved);
  expect_delivered(sink.deliver(make_batch({{}}, 1, 3)));
  EXPECT_EQ(value("SELECT group_concat(sequence) FROM events"), "3");
  EXPECT_EQ(Connection(moved).value("SELECT group_concat(sequence) FROM events"), "1,2");
}

TEST_F(SqliteSink, GoesOnInAFileThatWasPutInTheOldOnesPlace) {
  const std::string spare = folder_ / "spare.db";
  expect_delivered(start(spare).deliver(make_batch({{}}, 1, 1)));
  end();
  Instance& sink = start();
  expect_delivered(sink.deliver(make_batch({{}, {}}, 1, 2)));
  std::filesystem::rename(spare, file());
  expect_delivered(sink.deliver(make_batch({{}}, 1, 4)));
  EXPECT_EQ(value("SELECT group_concat(sequence) FROM events"), "1,4");
  EXPECT_EQ(value("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteSink, MakesItsTableAgainWhenItWasDropped) {
  Instance& sink = start();
  expect_delivered(sink.deliver(make_batch({{}}, 1, 1)));
  Connection(file()).rows("DROP TABLE events");
  const Block batch = make_batch({{}}, 1, 2);
  EXPECT_TRUE(wait_until([&] { return sink.deliver(batch).of(0).outcome == WEIR_DELIVERED; }));
  EXPECT_EQ(value("SELECT group_concat(sequence) FROM events"), "2");
}

TEST_F(SqliteSink, SaysThatItsFileIsDamagedAndGoesOnWhenItIsMovedAway) {
  start();
  end();
  {
    std::fstream damage(file(), std::ios::in | std::ios::out | std::ios::binary);
    damage << std::string(4096, 'x');
  }
  const Block batch = make_batch({{}});
  EXPECT_THROW(start(), CallFailed);
  expect_retry(sink_->deliver(batch), "file is not a database; move it away");
  EXPECT_EQ(sink_->health().state, WEIR_HEALTH_FAILED);
  EXPECT_NE(sink_->health().text.find(file()), std::string::npos);
  std::filesystem::rename(file(), folder_ / "damaged");
  expect_delivered(sink_->deliver(batch));
  EXPECT_EQ(sink_->health().state, WEIR_HEALTH_OK);
}

TEST_F(SqliteSink, KeepsTheBacklogWhenRulesOfTheTableRefuseAnEvent) {
  Instance& sink = start();
  Connection(file()).rows(
      "CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'only on Sundays'); END");
  const Block batch = make_batch({{}});
  expect_retry(sink.deliver(batch), "only on Sundays; the table has rules of its own");
  EXPECT_EQ(sink.health().state, WEIR_HEALTH_FAILED);
  Connection(file()).rows("DROP TRIGGER no");
  expect_delivered(sink.deliver(batch));
}

TEST_F(SqliteSink, RejectsAnUnknownKindOfValueAlsoWhenTheRestMustBeTriedAgain) {
  Instance& sink = start();
  Connection(file()).rows(
      "CREATE TRIGGER no BEFORE INSERT ON events WHEN new.value = 3.0 "
      "BEGIN SELECT RAISE(ABORT, 'not this'); END");
  const Completion completion =
      sink.deliver(make_batch({{.value = 1.0}, {.value = UnknownValue{}}, {.value = 3.0}}));
  ASSERT_EQ(completion.results.size(), 3u);
  EXPECT_EQ(completion.of(0).outcome, WEIR_RETRY);
  EXPECT_EQ(completion.of(1).outcome, WEIR_REJECT);
  EXPECT_EQ(completion.of(2).outcome, WEIR_RETRY);
  EXPECT_EQ(count(), "0");
}

}  // namespace
}  // namespace weir::test
