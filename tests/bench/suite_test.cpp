// `bench/run --quick`, as bench/README.md shows it: one short round of everything, on a real gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "support/process.h"

namespace weir::bench {
namespace {

TEST(Suite, MeasuresEverythingInOneQuickRound) {
  test::TempDir folder;
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "weir-bench";
  auto result = test::run({program, "--quick", "--folder", folder / "data", "--json", folder / "report.json"}, {},
                          std::chrono::seconds(100));
  ASSERT_EQ(result.exit.code, 0) << result.output << result.errors;
  auto json = nlohmann::json::parse(test::read_file(folder / "report.json"));
  std::set<std::string> names;
  for (const auto& figure : json["figures"]) {
    names.insert(figure["name"]);
    EXPECT_GT(figure["median"], 0) << figure["name"];
  }
  for (const char* name : {"gateway / bare SQLite loop", "what the gateway's CPU cost allows / that",
                           "gateway / the lower of the two", "with / without", "journal / bare SQLite loop",
                           "RSS idle, after the start", "CPU time of an event"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

}  // namespace
}  // namespace weir::bench
