#include "manifest/watch.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>

#include "base/time.h"
#include "support/temp_dir.h"
#include "support/wait.h"

namespace weir::manifest {
namespace {

namespace fs = std::filesystem;

class Watch : public testing::Test {
 protected:
  Watch() {
    fs::create_directory(folder);
    auto opened = FolderWatch::open(folder);
    EXPECT_TRUE(opened.ok());
    watch = std::move(*opened);
  }

  // True when a change is reported; gives up after the patience of a test that fails.
  bool reports() {
    pollfd ready{watch->fd(), POLLIN, 0};
    const auto deadline = base::now() + test::kPatience;
    while (base::now() < deadline) {
      if (::poll(&ready, 1, 1000) == 1 && watch->drain()) return true;
    }
    return false;
  }
  // True when nothing of what was done so far is reported: inotify keeps the order, so a change made now is
  // the first.
  bool reports_nothing() {
    const bool early = watch->drain();
    write("fence.json", "{}");
    return !early && reports();
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }

  test::TempDir home;
  const fs::path folder = home.path() / "manifests";
  std::unique_ptr<FolderWatch> watch;
};

TEST_F(Watch, SeesAFileThatIsWrittenInPlace) {
  write("api.json", "{}");
  EXPECT_TRUE(reports());
  write("api.json", "{ }");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, SeesAFileThatIsRenamedIntoPlace) {
  write("api.json.tmp", "{}");
  EXPECT_FALSE(watch->drain());
  fs::rename(folder / "api.json.tmp", folder / "api.json");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, SeesAFileThatComesFromAnotherFolder) {
  home.write("api.json", "{}");
  fs::rename(home.path() / "api.json", folder / "api.json");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, SeesAFileThatIsDeletedOrMovedAway) {
  write("a.json", "{}");
  write("b.json", "{}");
  ASSERT_TRUE(reports());
  fs::remove(folder / "a.json");
  EXPECT_TRUE(reports());
  fs::rename(folder / "b.json", home.path() / "b.json");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, SeesALinkThatIsMade) {
  home.write("one.json", "{}");
  fs::create_symlink(home.path() / "one.json", folder / "api.json");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, SeesALinkThatIsLedElsewhere) {
  fs::create_symlink("one", folder / "api.json");
  ASSERT_TRUE(reports());
  fs::create_symlink("two", folder / ".next");
  EXPECT_FALSE(watch->drain());
  fs::rename(folder / ".next", folder / "api.json");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, SeesAMountedConfigurationThatIsExchanged) {
  fs::create_directory(folder / "..v1");
  fs::create_symlink("..v1", folder / "..data");
  ASSERT_TRUE(reports());
  fs::create_symlink("..v2", folder / "..data_next");
  watch->drain();
  fs::rename(folder / "..data_next", folder / "..data");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, DoesNotMindEditorsAndOtherNeighbours) {
  for (const char* name : {".api.json.swp", "api.json~", "#api.json#", "api.json.new"}) {
    write(name, "x");
    fs::remove(folder / name);
  }
  home.write("other/api.json", "{}");
  home.write("data", "x");
  EXPECT_TRUE(reports_nothing());
}

TEST_F(Watch, DoesNotMindReading) {
  write("api.json", "{}");
  ASSERT_TRUE(reports());
  while (watch->drain()) {
  }
  EXPECT_EQ(test::read_file(folder / "api.json"), "{}");
  EXPECT_TRUE(reports_nothing());
}

TEST_F(Watch, ReportsAFolderThatIsDeletedAndComesBack) {
  fs::remove_all(folder);
  EXPECT_TRUE(reports());
  while (watch->folder_exists() && reports()) {
  }
  EXPECT_FALSE(watch->folder_exists());

  fs::create_directory(folder);
  EXPECT_TRUE(reports());
  EXPECT_TRUE(watch->folder_exists());
  write("api.json", "{}");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, ReportsAFolderThatIsExchanged) {
  fs::rename(folder, home.path() / "old");
  fs::create_directory(folder);
  EXPECT_TRUE(reports());
  EXPECT_TRUE(watch->folder_exists());
  while (watch->drain()) {
  }
  std::ofstream(home.path() / "old" / "api.json") << "{}";
  EXPECT_FALSE(watch->drain());
  write("api.json", "{}");
  EXPECT_TRUE(reports());
}

TEST_F(Watch, WaitsForAFolderThatIsNotThereYet) {
  auto later = FolderWatch::open(home.path() / "later");
  ASSERT_TRUE(later.ok());
  EXPECT_FALSE((*later)->folder_exists());
  EXPECT_FALSE((*later)->drain());
  fs::create_directory(home.path() / "later");
  EXPECT_TRUE((*later)->drain());
  EXPECT_TRUE((*later)->folder_exists());
}

TEST_F(Watch, FollowsAFolderThatIsALink) {
  home.write("v1/api.json", "{}");
  home.write("v2/api.json", "{}");
  fs::create_directory_symlink("v1", home.path() / "link");
  auto linked = FolderWatch::open(home.path() / "link");
  ASSERT_TRUE(linked.ok());
  fs::create_directory_symlink("v2", home.path() / "next");
  (*linked)->drain();
  fs::rename(home.path() / "next", home.path() / "link");
  EXPECT_TRUE((*linked)->drain());
  home.write("v2/api.json", "{ }");
  EXPECT_TRUE((*linked)->drain());
  home.write("v1/api.json", "{ }");
  EXPECT_FALSE((*linked)->drain());
}

TEST(WatchAlone, SaysWhatCannotBeWatched) {
  auto watch = FolderWatch::open("/none/manifests");
  ASSERT_FALSE(watch.ok());
  EXPECT_EQ(watch.error().text(),
            "/none/manifests: cannot watch the folder around it: No such file or directory (changes are not "
            "noticed; see "
            "fs.inotify.max_user_instances and max_user_watches)");
}

}  // namespace
}  // namespace weir::manifest
