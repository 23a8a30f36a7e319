#include "base/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/result.h"
#include "support/temp_dir.h"

namespace weir::base {
namespace {

using testing::HasSubstr;

class Sqlite : public testing::Test {
 protected:
  Database open(OpenAs as = OpenAs::kWriter) {
    auto database = Database::open(path_, as, nullptr);
    EXPECT_OK(database);
    return std::move(*database);
  }

  test::TempDir folder_;
  std::string path_ = folder_ / "test.db";
};

TEST_F(Sqlite, KeepsWhatIsBound) {
  Database database = open();
  ASSERT_OK(database.execute("CREATE TABLE t(a, b, c, d)"));
  auto insert = database.prepare("INSERT INTO t VALUES(?, ?, ?, ?)");
  ASSERT_OK(insert);
  ASSERT_OK(insert->bind(1, UINT64_MAX).bind(2, "text\0more").bind_blob(3, "\0\1", 2).bind_null(4).run());
  EXPECT_EQ(database.changes(), 1);

  auto select = database.prepare("SELECT * FROM t");
  ASSERT_OK(select);
  ASSERT_TRUE(select->step().value());
  EXPECT_EQ(select->unsigned_integer(0), UINT64_MAX);
  EXPECT_EQ(select->text(1), "text");
  EXPECT_EQ(select->blob(2), std::string_view("\0\1", 2));
  EXPECT_TRUE(select->is_null(3));
  EXPECT_FALSE(select->step().value());
}

TEST_F(Sqlite, EmptyTextAndBlobsAreNotNull) {
  Database database = open();
  auto types = database.prepare("SELECT typeof(?1), typeof(?2)");
  ASSERT_OK(types);
  ASSERT_TRUE(types->bind(1, std::string_view()).bind_blob(2, nullptr, 0).step().value());
  EXPECT_EQ(types->text(0), "text");
  EXPECT_EQ(types->text(1), "blob");
}

TEST_F(Sqlite, AStatementIsUsableAgainAfterAnError) {
  Database database = open();
  ASSERT_OK(database.execute("CREATE TABLE t(a PRIMARY KEY)"));
  auto insert = database.prepare("INSERT INTO t VALUES(?)");
  ASSERT_OK(insert);
  ASSERT_OK(insert->bind(1, 1).run());
  Status again = insert->bind(1, 1).run();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::kInvalid);
  EXPECT_THAT(again.error().text(), HasSubstr("UNIQUE constraint failed: t.a (SQLite error 1555)"));
  EXPECT_OK(insert->bind(1, 2).run());
}

TEST_F(Sqlite, NoRowIsNotFound) {
  Database database = open();
  EXPECT_EQ(database.query_integer("SELECT 41 + 1").value(), 42);
  EXPECT_EQ(database.query_integer("SELECT 1 WHERE 0").error().code, Code::kNotFound);
  EXPECT_EQ(database.query_integer("SELECT NULL").error().code, Code::kNotFound);
}

TEST_F(Sqlite, APathMayHoldAnyCharacter) {
  path_ = folder_ / "100 % of?mode=ro#\xC3\xBC.db";
  ASSERT_OK(open().execute("CREATE TABLE t(a)"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

// Regression: what follows "//" in a URI is a host's name.
TEST_F(Sqlite, APathMayBeginWithTwoSlashes) {
  path_ = "/" + path_;
  ASSERT_OK(open().execute("CREATE TABLE t(a)"));
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_OK(Database::open(path_, OpenAs::kImmutable, nullptr));
}

TEST_F(Sqlite, APathMayBeRelative) {
  auto database = Database::open(std::filesystem::relative(path_).string(), OpenAs::kWriter, nullptr);
  ASSERT_OK(database);
  ASSERT_OK(database->execute("CREATE TABLE t(a)"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(Sqlite, SaysWhichFileCannotBeOpened) {
  auto missing = Database::open(folder_ / "none/test.db", OpenAs::kWriter, nullptr);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Code::kUnavailable);
  EXPECT_EQ(missing.error().where, folder_ / "none/test.db");
  EXPECT_FALSE(Database::open(folder_ / "none.db", OpenAs::kReader, nullptr).ok())
      << "a reader creates nothing";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db"));
}

TEST_F(Sqlite, AFileThatIsNoDatabaseIsDamaged) {
  folder_.write("test.db", std::string(8192, 'x'));
  Database database = open();
  Status status = database.execute("CREATE TABLE t(a)");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kDamaged);
  EXPECT_THAT(status.error().text(), HasSubstr("file is not a database"));
  EXPECT_EQ(status.error().where, path_);
}

TEST_F(Sqlite, AnotherWriterIsUnavailableNotAnError) {
  Database first = open(), second = open();
  ASSERT_OK(first.execute("BEGIN IMMEDIATE"));
  EXPECT_EQ(second.execute("BEGIN IMMEDIATE").error().code, Code::kUnavailable);
}

TEST_F(Sqlite, ACheckpointEmptiesTheWal) {
  Database database = open();
  ASSERT_OK(database.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1)"));
  EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), 0U);
  ASSERT_OK(database.checkpoint_and_truncate());
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0U);
  Database reader = open(OpenAs::kImmutable);
  EXPECT_EQ(reader.query_integer("SELECT a FROM t").value(), 1);
}

TEST_F(Sqlite, AReaderSeesWhatTheWriterCommits) {
  Database writer = open();
  ASSERT_OK(writer.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a)"));
  Database reader = open(OpenAs::kReader);
  EXPECT_EQ(reader.query_integer("SELECT count(*) FROM t").value(), 0);
  ASSERT_OK(writer.execute("INSERT INTO t VALUES(1)"));
  EXPECT_EQ(reader.query_integer("SELECT count(*) FROM t").value(), 1);
}

TEST_F(Sqlite, AConnectionKeptOffTheWalLeavesItToOthersWhenItCloses) {
  {
    Database writer = open();
    ASSERT_OK(writer.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1)"));
    ASSERT_OK(writer.keep_off_the_wal());
  }
  EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), 0U);
  Database next = open();
  EXPECT_EQ(next.query_integer("SELECT a FROM t").value(), 1);
}

TEST(SqliteCode, SaysWhatAFailureMeansForTheCaller) {
  EXPECT_EQ(sqlite_code(SQLITE_FULL), Code::kFull);
  EXPECT_EQ(sqlite_code(SQLITE_IOERR_FSYNC), Code::kUnavailable);
  EXPECT_EQ(sqlite_code(SQLITE_IOERR_READ), Code::kDamaged);
  EXPECT_EQ(sqlite_code(SQLITE_CORRUPT_INDEX), Code::kDamaged);
  EXPECT_EQ(sqlite_code(SQLITE_READONLY), Code::kDenied);
  EXPECT_EQ(sqlite_code(SQLITE_MISUSE), Code::kInternal);
}

}  // namespace
}  // namespace weir::base
