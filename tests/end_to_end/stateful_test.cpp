// Stateful transforms in the real gateway: kill -9 in the middle of windows changes nothing, and a removed one comes back
// with what it remembered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "base/time.h"
#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;

constexpr int64_t kSecond = 1'000'000'000;

// api -> once (enrich.dedupe) -> means (enrich.mean, windows of a second) -> store.
void means_line(Site& site) {
  site.main_line();
  site.manifest("once", {{"plugin", "enrich.dedupe"}, {"from", {"api"}}, {"config", {{"window", "1h"}}}});
  site.manifest("means", {{"plugin", "enrich.mean"},
                          {"from", {"once"}},
                          {"config", {{"window", "1s"}, {"lateness", "0s"}}}});
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"means"}}, {"config", {{"path", "data/events.db"}}}});
}

TEST(StatefulTransforms, KillsInTheMiddleOfWindowsLeaveTheSameMeans) {
  Site site;
  means_line(site);
  site.start();
  std::mt19937 random(7);
  // Windows that end when all has been sent, on a slow machine too: nothing is late, so what must come out is known.
  const int64_t start = (base::wall_ns() / kSecond + 15) * kSecond;
  std::map<std::pair<int64_t, int>, std::pair<int64_t, int64_t>> sums;  // window, device -> sum, count
  json before;
  for (int round = 0; round < 12; ++round) {
    json batch = json::array();
    for (int i = 0; i < 20; ++i) {
      const auto device = static_cast<int>(random() % 3), value = static_cast<int>(random() % 64);
      const int64_t window = start + static_cast<int64_t>(random() % 3) * kSecond;
      // A timestamp of its own, so that no two are the same.
      batch.push_back({{"device_id", "d" + std::to_string(device)},
                       {"sensor_type", "t"},
                       {"timestamp", window + round * 1000 + i},
                       {"value", value}});
      auto& [sum, count] = sums[{window, device}];
      sum += value;
      ++count;
    }
    ASSERT_EQ(site.post(batch).status, 202);
    // What came before comes again.
    if (round % 3 == 1) {
      ASSERT_EQ(site.post(before).status, 202);
    }
    before = batch;
    if (round % 2 == 0) continue;
    site.kill();
    site.start();
  }
  ASSERT_LT(base::wall_ns(), start) << "the machine is too slow for this test's windows";
  std::multiset<std::string> expected;
  for (const auto& [key, value] : sums) {
    char mean[64];
    const double exact = static_cast<double>(value.first) / static_cast<double>(value.second);
    std::snprintf(mean, sizeof mean, "%.9f", exact);
    expected.insert("d" + std::to_string(key.second) + " t.mean " + std::to_string(key.first) + " " + mean + " x" +
                    std::to_string(value.second));
  }
  const std::string row = "device_id || ' ' || sensor_type || ' ' || timestamp || ' ' || printf('%.9f', value) || ' x' "
                          "|| json_extract(metadata, '$.count')";
  // The first windows' end is waited for with a kill in between: nobody sends any more, so ticks give them out.
  ASSERT_TRUE(wait_until([&] { return !site.stored(row).empty(); })) << site.status().dump(2);
  site.kill();
  site.start();
  ASSERT_TRUE(wait_until([&] { return site.stored(row).size() >= expected.size(); })) << site.status().dump(2);
  for (const char* name : {"once", "means", "store"}) ASSERT_TRUE(site.wait_settled(name));
  EXPECT_EQ(site.stored(row), expected);
  const json status = site.status();
  EXPECT_EQ(status["balanced"], true) << status.dump(2);
  EXPECT_EQ(site.get("/api/v1/journal/recount")["agrees"], true);
  const json once = site.consumer("once");
  EXPECT_EQ(once["role"], "transform");
  EXPECT_EQ(once["filtered_by"]["once: duplicate"], 80);
  EXPECT_EQ(once["delivered"], 240);
  EXPECT_EQ(site.consumer("means")["filtered_by"].value("means: late", 0), 0);
}

TEST(StatefulTransforms, ARemovedOneComesBackWithWhatItRemembered) {
  Site site;
  site.main_line();
  site.manifest("once", {{"plugin", "enrich.dedupe"}, {"from", {"api"}}});
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"once"}}, {"config", {{"path", "data/events.db"}}}});
  site.start();
  const json reading = {{{"device_id", "d"}, {"sensor_type", "t"}, {"value", 1}, {"timestamp", base::wall_ns()}}};
  ASSERT_EQ(site.post(reading).status, 202);
  ASSERT_TRUE(wait_until([&] { return site.stored("id").size() == 1; })) << site.status().dump(2);
  // The store goes with it, for what it takes from must be there.
  site.remove_manifest("store");
  site.remove_manifest("once");
  ASSERT_TRUE(wait_until([&] { return site.consumer("once")["role"] == "detached"; })) << site.status().dump(2);
  ASSERT_EQ(site.post(reading).status, 202);
  site.manifest("once", {{"plugin", "enrich.dedupe"}, {"from", {"api"}}});
  ASSERT_TRUE(wait_until([&] { return site.consumer("once")["role"] == "transform"; })) << site.status().dump(2);
  ASSERT_TRUE(site.wait_settled("once", 3));
  EXPECT_EQ(site.consumer("once")["filtered_by"]["once: duplicate"], 1) << site.consumer("once").dump(2);
  // Forgotten, it begins anew.
  site.remove_manifest("once");
  ASSERT_TRUE(wait_until([&] { return site.consumer("once")["role"] == "detached"; }));
  EXPECT_EQ(site.weir({"forget", "once"}).exit.code, 0);
  site.manifest("once", {{"plugin", "enrich.dedupe"}, {"from", {"api"}}});
  ASSERT_TRUE(wait_until([&] { return site.consumer("once")["role"] == "transform"; }));
  ASSERT_EQ(site.post(reading).status, 202);
  ASSERT_TRUE(wait_until([&] { return site.consumer("once").value("delivered", 0) == 1; })) << site.status().dump(2);
}

}  // namespace
}  // namespace weir::test
