// A real disk that is full, or that may not be written: clear answers, nothing lost, and it goes on by itself (P2).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "end_to_end/site.h"
#include "support/small_disk.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

json incompressible(size_t n, int salt) {
  json list = events(n);
  uint64_t state = static_cast<uint64_t>(salt) * 7919 + 1;
  for (json& event : list) {
    std::string text;
    for (int k = 0; k < 12; ++k) text += std::to_string(state = state * 6364136223846793005u + 1442695040888963407u);
    event["value"] = text;
  }
  return list;
}

TEST(Disk, TellsDevicesToWaitWhenItIsFullAndRecoversByItself) {
  auto result = run_on_small_disk(24 << 20, [](const std::string& folder) {
    Site site(folder);
    site.main_line();
    site.start();
    // Something else fills the disk.
    std::string hog = folder + "/hog";
    std::ofstream(hog) << std::string(14 << 20, 'x');
    size_t acknowledged = 0;
    HttpResponse answer;
    for (int i = 0; i < 2000 && answer.status != 503; ++i) {
      answer = site.post(incompressible(50, i));
      if (answer.status == 202) acknowledged += 50;
    }
    ASSERT_EQ(answer.status, 503) << acknowledged;
    EXPECT_FALSE(answer.header("Retry-After").empty());
    EXPECT_THAT(site.get("/health").value("storage", ""), HasSubstr("full"));
    fs::remove(hog);
    ASSERT_TRUE(wait_until([&] { return site.post(events(1)).status == 202; })) << site.log();
    ASSERT_TRUE(site.wait_settled("store", acknowledged + 1)) << site.status().dump(2);
    EXPECT_GE(site.stored("id").size(), acknowledged + 1);
    EXPECT_EQ(site.status()["balanced"], true);
    EXPECT_EQ(site.get("/health")["storage"], "ok");
  });
  if (result == OnSmallDisk::kNotPermitted) GTEST_SKIP() << "this machine lets nobody mount a tmpfs";
  EXPECT_EQ(result, OnSmallDisk::kPassed);
}

TEST(Disk, SaysWhatIsWrongWithADataFolderThatCannotBeMade) {
  Site site;
  std::ofstream(site.path("data")) << "a file where the folder should be";
  Finished gateway = site.weir({"run"});
  EXPECT_EQ(gateway.exit.code, 2) << "data_dir is wrong";
  EXPECT_THAT(gateway.errors, HasSubstr(site.path("data")));
}

TEST(Disk, RefusesASecondGatewayOnTheSameData) {
  Site site;
  site.main_line();
  site.start();
  Finished second = site.weir({"run"});
  EXPECT_EQ(second.exit.code, 1);
  EXPECT_THAT(second.errors, HasSubstr("lock"));
  EXPECT_EQ(site.post(events(1)).status, 202);
}

TEST(Disk, StartsWithADamagedSegmentAndServesTheRest) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(10)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 10));
  ASSERT_TRUE(site.stopped_cleanly());
  {
    std::fstream file(site.path("data/journal/00000001.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.write("not a database at all", 21);
  }
  site.start();
  EXPECT_TRUE(fs::exists(site.path("data/journal/damaged")));
  ASSERT_EQ(site.post(events(5)).status, 202);
  ASSERT_TRUE(wait_until([&] { return site.stored("id").size() == 15; }));
  std::multiset<std::string> epochs = site.stored("epoch");
  EXPECT_EQ(std::set<std::string>(epochs.begin(), epochs.end()).size(), 2u) << "numbers could have come again";
}

}  // namespace
}  // namespace weir::test
