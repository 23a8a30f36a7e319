// plugin-sdk/examples/rust-scale: a plugin in Rust, built with Debian's rustc and no crates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "sdk/outsider.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class RustScale : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    built_ = std::make_unique<Outsider>("rust-scale");
    built_->run({"./build.sh"});
  }
  static void TearDownTestSuite() { built_.reset(); }

  // api -> scale (rust.scale) -> store (sqlite.sink)
  RustScale() {
    site_.use(installed_weir(), {built_->folder() + "/build"});
    site_.main_line();
    site_.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"scale"}}, {"config", {{"path", "data/events.db"}}}});
  }
  void scale(const json& config) {
    site_.manifest("scale", {{"plugin", "rust.scale"}, {"from", {"api"}}, {"isolation", GetParam()}, {"config", config}});
  }
  int post(const json& value) {
    return site_.post({{"device_id", "d"}, {"sensor_type", "temperature"}, {"unit", "Cel"}, {"value", value}}).status;
  }

  static inline std::unique_ptr<Outsider> built_;
  Site site_;
};

TEST_P(RustScale, ScalesIntegersAndFractionsAndSetsTheUnit) {
  scale({{"factor", 1.8}, {"offset", 32}, {"unit", "[degF]"}});
  site_.start();
  ASSERT_EQ(post(100), 202);
  ASSERT_EQ(post(-17.5), 202);
  ASSERT_TRUE(site_.wait_settled("store", 2));
  EXPECT_EQ(site_.stored("value || ' ' || unit"), (std::multiset<std::string>{"212.0 [degF]", "0.5 [degF]"}));
}

TEST_P(RustScale, GivesWhatCannotBeScaledToTheDeadLetters) {
  scale({{"factor", 1e300}});
  site_.start();
  ASSERT_EQ(post("warm"), 202);
  ASSERT_EQ(post(1e300), 202);
  ASSERT_EQ(post(1), 202);
  ASSERT_TRUE(site_.wait_settled("store", 3));
  EXPECT_EQ(site_.consumer("store")["dead"], 2);
  EXPECT_EQ(site_.stored("unit"), std::multiset<std::string>{"Cel"});
  const std::string dead = site_.get("/api/v1/dead").dump();
  EXPECT_THAT(dead, HasSubstr("the value is not a number"));
  EXPECT_THAT(dead, HasSubstr("the scaled value is too large"));
}

TEST_P(RustScale, TakesANewConfigurationAndIsUnloadedAtTheEnd) {
  scale({{"factor", 2}});
  site_.start();
  ASSERT_EQ(post(1), 202);
  ASSERT_TRUE(site_.wait_settled("store", 1));
  scale({{"factor", 3}});
  site_.post_api("/api/v1/apply");
  ASSERT_EQ(post(1), 202);
  ASSERT_TRUE(site_.wait_settled("store", 2));
  EXPECT_EQ(site_.stored("value"), (std::multiset<std::string>{"2.0", "3.0"}));
  site_.main_line();
  site_.remove_manifest("scale");
  site_.post_api("/api/v1/apply");
  EXPECT_TRUE(site_.stopped_cleanly());
  EXPECT_THAT(site_.log(), Not(HasSubstr("did not unload")));
}

TEST_P(RustScale, NamesTheKeyOfAConfigurationThatIsWrong) {
  scale({{"factor", "two"}});
  Finished check = site_.weir({"check", site_.manifests()}, false);
  EXPECT_EQ(check.exit.code, 2);
  EXPECT_THAT(check.errors, HasSubstr("/config/factor"));
}

TEST_P(RustScale, PassesItsOwnUnitTests) {
  built_->run({"rustc", "--edition", "2021", "--test", "src/config.rs", "-o", "build/config-test"});
  EXPECT_THAT(built_->run({"build/config-test"}), HasSubstr("0 failed"));
}

INSTANTIATE_TEST_SUITE_P(Isolation, RustScale, ::testing::ValuesIn(kIsolations), isolation_name);

TEST(RustScaleContract, IsKept) {
  Outsider built("rust-scale");
  built.run({"sh", "build.sh"});
  Finished check = weir({"plugin", "check", built.folder() + "/build/rust-scale.so", "--cycles", "100"});
  EXPECT_EQ(check.exit.code, 0) << check.output << check.errors;
}

}  // namespace
}  // namespace weir::test
