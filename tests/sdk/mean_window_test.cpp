// plugin-sdk/examples/mean-window: a transform that remembers, with nothing but the installed SDK.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/time.h"
#include "sdk/outsider.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;
constexpr char kMeans[] = "device_id || ' ' || timestamp || ' ' || value || ' of ' || json_extract(metadata, '$.count')";

class MeanWindow : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    built_ = std::make_unique<Outsider>("mean-window");
    built_->build_with_cmake();
  }
  static void TearDownTestSuite() { built_.reset(); }

  // api -> mean (mean.window) -> store (sqlite.sink)
  explicit MeanWindow(const json& config = {{"window_s", 1}, {"lateness_s", 0}}) {
    site_.use(installed_weir(), {built_->built_plugins()});
    site_.main_line();
    site_.manifest("mean", {{"plugin", "mean.window"}, {"from", {"api"}}, {"isolation", GetParam()}, {"config", config}});
    site_.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"mean"}}, {"config", {{"path", "data/events.db"}}}});
  }
  static json reading(const std::string& device, int64_t timestamp, const json& value) {
    return {{"device_id", device}, {"sensor_type", "t"}, {"timestamp", timestamp}, {"value", value}};
  }
  std::string mean(const std::string& device, int64_t window, const std::string& value, int count) {
    return device + " " + std::to_string(window) + " " + value + " of " + std::to_string(count);
  }

  static inline std::unique_ptr<Outsider> built_;
  Site site_;
};

TEST_P(MeanWindow, SurvivesKillsInTheMiddleOfAWindow) {
  site_.start();
  // Far enough ahead that the kills are over when it ends, on a slow machine too.
  const int64_t window = (base::wall_ns() / kSecond + 12) * kSecond;
  ASSERT_EQ(site_.post({reading("a", window, 1), reading("b", window + 5, 10)}).status, 202);
  site_.kill();
  site_.start();
  ASSERT_EQ(site_.post({reading("a", window + 7, 2), reading("a", window + kSecond, 100)}).status, 202);
  ASSERT_TRUE(site_.wait_settled("mean", 4));
  site_.kill();
  site_.start();
  ASSERT_EQ(site_.post(reading("a", window + 8, 6)).status, 202);
  ASSERT_LT(base::wall_ns(), window) << "the machine is too slow for this test's windows";
  // Nothing comes any more: ticks close them.
  EXPECT_TRUE(wait_until([&] { return site_.stored(kMeans).size() == 3; })) << site_.status().dump(2);
  EXPECT_EQ(site_.stored(kMeans), (std::multiset<std::string>{mean("a", window, "3.0", 3), mean("b", window, "10.0", 1),
                                                              mean("a", window + kSecond, "100.0", 1)}));
  EXPECT_EQ(site_.status()["balanced"], true);
  EXPECT_TRUE(site_.stopped_cleanly()) << site_.log();
}

TEST_P(MeanWindow, SaysWhatItCannotTakeIntoAMean) {
  site_.start();
  ASSERT_EQ(site_.post({reading("a", base::wall_ns() - 60 * kSecond, 1), reading("a", base::wall_ns(), "warm")}).status, 202);
  ASSERT_TRUE(site_.wait_settled("mean", 2));
  const json by = site_.consumer("mean")["filtered_by"];
  EXPECT_EQ(by["mean: late"], 1) << by;
  EXPECT_EQ(by["mean: not a number"], 1) << by;
}

INSTANTIATE_TEST_SUITE_P(Isolation, MeanWindow, ::testing::ValuesIn(kIsolations), isolation_name);

TEST(MeanWindowContract, IsKept) {
  Outsider built("mean-window");
  built.build_with_cmake();
  Finished check = weir({"plugin", "check", built.built_plugins() + "/mean-window.so"});
  EXPECT_EQ(check.exit.code, 0) << check.output << check.errors;
}

}  // namespace
}  // namespace weir::test
