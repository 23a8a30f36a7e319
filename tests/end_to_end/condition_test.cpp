// Conditions on edges in the real gateway: each event to whom its condition lets it, and nothing lost between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/site.h"
#include "support/wait.h"

namespace weir::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json reading(const std::string& device, double value, const std::string& unit = "Cel") {
  return {{"device_id", device}, {"sensor_type", "temperature"}, {"value", value}, {"unit", unit}};
}

class Conditions : public testing::Test {
 protected:
  // api -> units -> hot and cold, each with its condition.
  void hot_and_cold() {
    site_.main_line();
    site_.manifest("units", {{"plugin", "enrich.units"}, {"from", "api"}});
    sink("store", {{{"instance", "units"}, {"when", "sensor_type == 'temperature' && value > 80"}}}, "data/events.db");
    sink("cold", {{{"instance", "units"}, {"when", "value < 0"}}}, "data/cold.db");
  }
  void sink(const std::string& name, const json& from, const std::string& path) {
    site_.manifest(name, {{"plugin", "sqlite.sink"}, {"from", from}, {"config", {{"path", path}}}});
  }
  bool wait_for(const std::string& consumer, const std::string& count, uint64_t events) {
    return wait_until([&] { return site_.consumer(consumer).value(count, uint64_t{0}) == events; });
  }

  Site site_;
};

TEST_F(Conditions, SendEachEventWhereItBelongsAndHoldWhatMatchesNothing) {
  hot_and_cold();
  EXPECT_THAT(site_.weir({"check", site_.manifests()}, false).output, HasSubstr("note: what api sends and no condition"));
  site_.start();
  // 200 degF is hot and 0 degF is cold, once units has made them degrees Celsius.
  ASSERT_EQ(site_.post({reading("a", 90), reading("b", 20), reading("c", -5), reading("d", 200, "[degF]"),
                        reading("e", 0, "[degF]"), reading("f", 50)}).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 6));
  ASSERT_TRUE(site_.wait_settled("cold", 6));
  EXPECT_EQ(site_.stored("device_id"), (std::multiset<std::string>{"a", "d"}));
  EXPECT_EQ(site_.consumer("cold")["delivered"], 2);
  EXPECT_EQ(site_.consumer("cold")["filtered_by"]["cold: no condition holds"], 4);
  // b and f are nobody's.
  EXPECT_TRUE(wait_for("unrouted", "pending", 2)) << site_.consumer("unrouted");
  EXPECT_TRUE(wait_for("unrouted", "filtered", 4)) << site_.consumer("unrouted");
  EXPECT_EQ(site_.status()["balanced"], true);
  // They are still there after a kill, and whoever takes the rest from the beginning gets them.
  site_.kill();
  site_.start();
  EXPECT_TRUE(wait_for("unrouted", "pending", 2)) << site_.consumer("unrouted");
  site_.manifest("rest", {{"plugin", "sqlite.sink"}, {"from", "units"}, {"start", "oldest"},
                          {"config", {{"path", "data/rest.db"}}}});
  EXPECT_TRUE(wait_for("rest", "delivered", 6)) << site_.status().dump(2);
  EXPECT_TRUE(wait_for("unrouted", "pending", 0)) << site_.consumer("unrouted");
  EXPECT_EQ(site_.status()["balanced"], true);
  EXPECT_TRUE(site_.stopped_cleanly());
}

TEST_F(Conditions, AChangedOneHoldsForWhatComesFromThenOn) {
  hot_and_cold();
  site_.start();
  ASSERT_EQ(site_.post({reading("a", 70), reading("b", 90)}).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 2));
  ASSERT_TRUE(wait_for("unrouted", "pending", 1));
  sink("store", {{{"instance", "units"}, {"when", "value > 60"}}}, "data/events.db");
  ASSERT_TRUE(wait_until([&] { return site_.log().find("applied") != std::string::npos ||
                                      site_.weir({"apply"}).exit.code == 0; }));
  ASSERT_EQ(site_.post({reading("c", 70), reading("d", 50)}).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 4));
  EXPECT_EQ(site_.stored("device_id"), (std::multiset<std::string>{"b", "c"}));
  EXPECT_TRUE(wait_for("unrouted", "pending", 1)) << "d; a matches now and nobody is owed it: " << site_.consumer("unrouted");
  EXPECT_EQ(site_.status()["balanced"], true);
}

TEST_F(Conditions, AWrongOneIsRefusedWithItsColumnAndTheOldGraphRunsOn) {
  hot_and_cold();
  site_.start();
  sink("cold", {{{"instance", "units"}, {"when", "value <"}}}, "data/cold.db");
  Finished checked = site_.weir({"check", site_.manifests()}, false);
  EXPECT_EQ(checked.exit.code, 2);
  EXPECT_THAT(checked.output + checked.errors, HasSubstr("/from/0/when: at column 8 of the condition"));
  ASSERT_TRUE(wait_until([&] { return site_.log().find("at column 8 of the condition") != std::string::npos; }));
  ASSERT_EQ(site_.post({reading("a", -5)}).status, 202);
  EXPECT_TRUE(wait_for("cold", "delivered", 1));
}

}  // namespace
}  // namespace weir::test
