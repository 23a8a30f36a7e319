// One contract, two implementations: the journal's tests on the simulated disk are worth as much as it agrees
// with the real one.
#include "base/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/crash_vfs.h"
#include "support/process.h"
#include "support/result.h"
#include "support/temp_dir.h"

namespace weir::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum class Disk { kReal, kSimulated };

class FileSystemContract : public testing::TestWithParam<Disk> {
 protected:
  FileSystemContract() {
    if (GetParam() == Disk::kReal) {
      root_ = folder_.path().string();
    } else {
      files_ = &machine_.files();
      root_ = "/data";
      EXPECT_OK(files_->create_directories(root_));
    }
  }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  FileSystem& files() { return *files_; }

  test::TempDir folder_;
  test::CrashVfs machine_{1};
  FileSystem* files_ = &real_file_system();
  std::string root_;
};
INSTANTIATE_TEST_SUITE_P(Disks, FileSystemContract, testing::Values(Disk::kReal, Disk::kSimulated),
                         [](const auto& param) { return param.param == Disk::kReal ? "Real" : "Simulated"; });

TEST_P(FileSystemContract, ListsNamesSorted) {
  EXPECT_THAT(files().list(root_).value(), ElementsAre());
  for (const char* name : {"b", "a", "00000002.db", "00000001.db"}) {
    ASSERT_OK(files().write_file_durably(path(name), name));
  }
  ASSERT_OK(files().create_directories(path("folder/below")));
  EXPECT_THAT(files().list(root_).value(), ElementsAre("00000001.db", "00000002.db", "a", "b", "folder"));
}

TEST_P(FileSystemContract, ADurableWriteReplacesTheWholeFileAndLeavesNothingBeside) {
  ASSERT_OK(files().write_file_durably(path("f"), "a long old content"));
  ASSERT_OK(files().write_file_durably(path("f"), std::string_view("new\0", 4)));
  EXPECT_EQ(files().read_file(path("f")).value(), std::string("new\0", 4));
  EXPECT_EQ(files().size(path("f")).value(), 4U);
  EXPECT_THAT(files().list(root_).value(), ElementsAre("f"));
}

TEST_P(FileSystemContract, ALeftoverOfAnInterruptedWriteIsOverwritten) {
  ASSERT_OK(files().write_file_durably(path("f.tmp"), "a longer leftover of a crash"));
  ASSERT_OK(files().write_file_durably(path("f"), "new"));
  EXPECT_EQ(files().read_file(path("f")).value(), "new");
}

TEST_P(FileSystemContract, RemovesAndRenames) {
  ASSERT_OK(files().write_file_durably(path("a"), "1"));
  ASSERT_OK(files().write_file_durably(path("b"), "2"));
  ASSERT_OK(files().rename(path("a"), path("b")));
  EXPECT_EQ(files().read_file(path("b")).value(), "1");
  EXPECT_FALSE(files().exists(path("a")));
  ASSERT_OK(files().remove(path("b")));
  EXPECT_FALSE(files().exists(path("b")));
  ASSERT_OK(files().sync_directory(root_));
}

TEST_P(FileSystemContract, ReadsAndOverwritesAPartOfAFile) {
  ASSERT_OK(files().write_file_durably(path("a"), "0123456789"));
  ASSERT_OK(files().overwrite(path("a"), 3, std::string("\0bc", 3)));
  EXPECT_EQ(files().read_file(path("a")).value(), std::string("012\0bc6789", 10));
  EXPECT_EQ(files().read_at(path("a"), 5, 3).value(), "c67");
  EXPECT_EQ(files().read_at(path("a"), 8, 100).value(), "89");
  EXPECT_EQ(files().read_at(path("a"), 11, 1).value(), "");
  EXPECT_EQ(files().read_at(path("a"), 0, FileSystem::kMaxReadBytes + 1).error().code, Code::kInvalid);
  EXPECT_EQ(files().read_at(path("none"), 0, 1).error().code, Code::kNotFound);
  EXPECT_EQ(files().overwrite(path("none"), 0, "x").error().code, Code::kNotFound);
  EXPECT_FALSE(files().exists(path("none")));
}

TEST_P(FileSystemContract, WhatIsMissingIsNotFoundAndNamed) {
  std::string missing = path("missing");
  for (const Error& failure :
       {files().size(missing).error(), files().read_file(missing).error(), files().remove(missing).error(),
        files().rename(missing, path("x")).error(), files().list(missing).error(),
        files().sync_directory(missing).error(), files().write_file_durably(missing + "/f", "x").error(),
        files().reserve_file(missing + "/f", 1).error(), files().lock_file(missing + "/lock").error()}) {
    EXPECT_EQ(failure.code, Code::kNotFound) << failure.text();
    EXPECT_THAT(failure.where, HasSubstr(missing)) << failure.text();
    EXPECT_THAT(failure.text(), HasSubstr(": cannot "));
  }
  EXPECT_FALSE(files().exists(missing));
}

TEST_P(FileSystemContract, AFolderIsNotAFile) {
  EXPECT_EQ(files().size(root_).error().code, Code::kInvalid);
  ASSERT_OK(files().write_file_durably(path("f"), "x"));
  EXPECT_EQ(files().create_directories(path("f")).error().code, Code::kInvalid);
  EXPECT_EQ(files().create_directories(path("f/below")).error().code, Code::kInvalid);
}

TEST_P(FileSystemContract, CreatesFoldersWithTheirParentsAndOnlyOnce) {
  ASSERT_OK(files().create_directories(path("a/b/c")));
  ASSERT_OK(files().create_directories(path("a/b/c/")));
  EXPECT_TRUE(files().exists(path("a/b")));
  ASSERT_OK(files().write_file_durably(path("a/b/c/f"), "x"));
}

TEST_P(FileSystemContract, AReservedFileHasItsSizeAndCanGrow) {
  ASSERT_OK(files().reserve_file(path("ballast"), 10'000));
  EXPECT_EQ(files().size(path("ballast")).value(), 10'000U);
  ASSERT_OK(files().reserve_file(path("ballast"), 20'000));
  ASSERT_OK(files().reserve_file(path("ballast"), 5'000));
  EXPECT_EQ(files().size(path("ballast")).value(), 20'000U);
}

TEST_P(FileSystemContract, TellsFreeSpace) { EXPECT_GT(files().free_bytes(root_).value(), 1U << 20); }

TEST_P(FileSystemContract, RefusesToReadAHugeFileWhole) {
  ASSERT_OK(files().reserve_file(path("f"), FileSystem::kMaxReadBytes));
  EXPECT_EQ(files().read_file(path("f")).value().size(), FileSystem::kMaxReadBytes);
  ASSERT_OK(files().reserve_file(path("f"), FileSystem::kMaxReadBytes + 1));
  EXPECT_EQ(files().read_file(path("f")).error().code, Code::kInvalid);
}

TEST_P(FileSystemContract, ALockIsHeldOnceUntilItsObjectIsGone) {
  auto lock = files().lock_file(path("lock"));
  ASSERT_OK(lock);
  auto second = files().lock_file(path("lock"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  EXPECT_THAT(second.error().text(), HasSubstr("is using this folder (stop it first"));
  lock.value().reset();
  EXPECT_OK(files().lock_file(path("lock")));
}

TEST(RealFileSystem, ALockNamesTheProcessThatHoldsIt) {
  test::TempDir folder;
  auto lock = real_file_system().lock_file(folder / "lock");
  ASSERT_OK(lock);
  EXPECT_THAT(real_file_system().lock_file(folder / "lock").error().text(),
              HasSubstr("process " + std::to_string(::getpid()) + " is using"));
}

TEST(RealFileSystem, AChildProcessDoesNotInheritTheLock) {
  test::TempDir folder;
  auto lock = real_file_system().lock_file(folder / "lock");
  ASSERT_OK(lock);
  test::Process child({"sh", "-c", "echo up; exec sleep 600"});
  ASSERT_TRUE(child.wait_for_output("up"));
  lock.value().reset();
  EXPECT_OK(real_file_system().lock_file(folder / "lock"));
  EXPECT_TRUE(child.running());
}

TEST(RealFileSystem, AFullDiskIsSaidToBeFullAndTheOldFileStays) {
  test::TempDir folder;
  folder.write("f", "old");
  std::filesystem::create_symlink("/dev/full", folder / "f.tmp");
  Status written = real_file_system().write_file_durably(folder / "f", "new");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Code::kFull);
  EXPECT_THAT(written.error().text(), HasSubstr("No space left on device (free space"));
  EXPECT_EQ(test::read_file(folder / "f"), "old");
}

TEST(RealFileSystem, AFolderThatMayNotBeWrittenIsDenied) {
  // sysfs refuses new files to everybody, root included.
  Status written = real_file_system().write_file_durably("/sys/weir-test", "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Code::kDenied) << written.error().text();
}

TEST(ParentDirectory, OfEveryFormOfPath) {
  EXPECT_EQ(parent_directory("a/b/c"), "a/b");
  EXPECT_EQ(parent_directory("a/b/"), "a");
  EXPECT_EQ(parent_directory("a//b"), "a");
  EXPECT_EQ(parent_directory("a"), ".");
  EXPECT_EQ(parent_directory(""), ".");
  EXPECT_EQ(parent_directory("/a"), "/");
  EXPECT_EQ(parent_directory("/"), "/");
}

}  // namespace
}  // namespace weir::base
