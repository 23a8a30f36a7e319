// The report: medians, verdicts, and the two forms in which it is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "suite/report.h"
#include "support/temp_dir.h"

namespace weir::bench {
namespace {

using ::testing::HasSubstr;

TEST(Median, IsTheMiddleOneOrTheMeanOfTwo) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), 0);
}

TEST(Report, CountsWhatMissedItsBound) {
  Report report;
  report.add({"s", "fast enough", "", {0.5, 0.7, 0.9}, 0.6, {}});
  report.add({"s", "too slow", "", {0.5, 0.5, 0.9}, 0.6, {}});
  report.add({"s", "too large", "MiB", {65}, {}, 64});
  report.add({"s", "without a bound", "", {0}, {}, {}});
  EXPECT_EQ(report.missed(), 2);
}

TEST(Report, IsIncompleteWhenSomethingCouldNotBeMeasured) {
  Report report;
  EXPECT_TRUE(report.complete());
  report.note("s", "the gateway ended by itself");
  EXPECT_FALSE(report.complete());
}

TEST(Report, ShowsMedianSpreadAndVerdict) {
  Report report;
  report.add({"Section", "gateway", "events/s", {312345.4, 290000, 400000}, {}, {}});
  report.add({"Section", "ratio", "", {0.512}, 0.6, {}});
  ::testing::internal::CaptureStdout();
  report.print_text();
  std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(text, HasSubstr("312,345 events/s"));
  EXPECT_THAT(text, HasSubstr("[290,000 .. 400,000]"));
  EXPECT_THAT(text, HasSubstr("0.512"));
  EXPECT_THAT(text, HasSubstr(">= 0.600  MISSED"));
}

TEST(Report, WritesJsonForPrograms) {
  test::TempDir folder;
  Report report;
  report.add({"s", "ratio", "", {0.5, 0.7}, 0.6, {}});
  ASSERT_TRUE(report.write_json(folder / "report.json"));
  auto json = nlohmann::json::parse(test::read_file(folder / "report.json"));
  EXPECT_EQ(json["figures"][0]["median"], 0.6);
  EXPECT_EQ(json["figures"][0]["rounds"].size(), 2u);
  EXPECT_EQ(json["figures"][0]["reached"], true);
  EXPECT_FALSE(report.write_json("/nowhere/report.json"));
}

}  // namespace
}  // namespace weir::bench
