// enrich.mean: one event a window, when its time has come, whatever the order and the cuts.
#include <random>

#include "stateful_fixture.h"

namespace weir::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Mean : public StatefulEnrichTest {
 protected:
  static TestEvent at(int64_t seconds, TestValue value, const std::string& device = "d") {
    TestEvent event;
    event.device_id = device;
    event.timestamp_ns = kNoon + seconds * kSecond;
    event.value = std::move(value);
    event.unit = "Cel";
    return event;
  }
  static int64_t now(int64_t seconds) { return kNoon + seconds * kSecond; }
  // "device sensor mean unit @second xcount"
  static std::vector<std::string> brief(const std::vector<TestEvent>& events) {
    std::vector<std::string> out;
    for (const TestEvent& event : events) {
      char text[256];
      std::snprintf(text, sizeof text, "%s %s %g %s @%lld x%s", event.device_id.c_str(), event.sensor_type.c_str(),
                    std::get<double>(event.value), event.unit.c_str(),
                    static_cast<long long>((event.timestamp_ns - kNoon) / kSecond), event.metadata.at("count").c_str());
      out.push_back(text);
    }
    return out;
  }
};

TEST_F(Mean, AWindowIsGivenOutWhenAnEventTellsThatItsTimeHasCome) {
  make("enrich.mean");
  EXPECT_THAT(process({at(1, 1.0), at(59, 2.0), at(60, 7.0)}, now(60)), IsEmpty());
  EXPECT_THAT(process({at(61, 8.0)}, now(69)), IsEmpty());
  EXPECT_THAT(brief(process({at(62, int64_t{9})}, now(70))), ElementsAre("d temperature.mean 1.5 Cel @0 x2"));
  EXPECT_THAT(brief(tick(now(130))), ElementsAre("d temperature.mean 8 Cel @60 x3"));
  EXPECT_THAT(state_, IsEmpty());
}

TEST_F(Mean, EachDeviceSensorAndUnitHasItsOwn) {
  make("enrich.mean");
  TestEvent fahrenheit = at(3, 50.0), humidity = at(4, 60.0);
  fahrenheit.unit = "[degF]";
  humidity.sensor_type = "humidity";
  humidity.unit = "";
  process({at(1, 1.0, "b"), at(2, 2.0, "a"), fahrenheit, humidity}, now(5));
  EXPECT_THAT(brief(tick(now(70))),
              ElementsAre("a temperature.mean 2 Cel @0 x1", "b temperature.mean 1 Cel @0 x1",
                          "d humidity.mean 60  @0 x1", "d temperature.mean 50 [degF] @0 x1"));
}

TEST_F(Mean, WhatComesTooLateIsDropped) {
  make("enrich.mean", R"({"window": "10s", "lateness": "5s"})");
  process({at(1, 1.0)}, now(1));
  EXPECT_THAT(process({at(9, 3.0), at(2, 5.0)}, now(14)), IsEmpty());
  EXPECT_THAT(brief(process({at(3, 100.0)}, now(15))), ElementsAre("d temperature.mean 3 Cel @0 x3"));
  EXPECT_EQ(verdicts_[0].reason, "late");
}

TEST_F(Mean, AReadingThatIsNoNumberIsDropped) {
  make("enrich.mean");
  process({at(1, std::string("warm")), at(1, true)}, now(1));
  EXPECT_EQ(verdicts_[0].reason, "not a number");
  EXPECT_EQ(verdicts_[1].reason, "not a number");
  EXPECT_THAT(state_, IsEmpty());
}

TEST_F(Mean, ValuesTooLargeForAMeanAreRejectedAndTheOthersStand) {
  make("enrich.mean");
  process({at(1, 1.5e308), at(1, -1.5e308), at(1, 1.5e308)}, now(1));
  EXPECT_EQ(verdicts_[1].decision, Decision::kRejected);
  EXPECT_THAT(brief(tick(now(100))), ElementsAre("d temperature.mean 1.5e+308 Cel @0 x2"));
}

TEST_F(Mean, AWindowGoesOnAfterARestart) {
  make("enrich.mean");
  process({at(1, 1.0)}, now(1));
  restart();
  process({at(2, 2.0)}, now(2));
  restart();
  EXPECT_THAT(brief(tick(now(70))), ElementsAre("d temperature.mean 1.5 Cel @0 x2"));
  restart();
  EXPECT_THAT(tick(now(500)), IsEmpty());
}

TEST_F(Mean, ATickBeforeItsTimeLeavesNothingBehind) {
  make("enrich.mean");
  process({at(1, 1.0)}, now(1));
  auto before = state_;
  EXPECT_THAT(tick(now(69)), IsEmpty());
  EXPECT_EQ(state_, before);
  process({at(2, 3.0)}, now(2));
  EXPECT_THAT(brief(tick(now(70))), ElementsAre("d temperature.mean 2 Cel @0 x2"));
}

TEST_F(Mean, TimesBeforeTheEpochHaveWindowsToo) {
  make("enrich.mean", R"({"window": "10s", "lateness": "0s"})");
  TestEvent event = at(0, 4.0);
  event.timestamp_ns = -1;
  process({event}, -1);
  std::vector<TestEvent> out = tick(0);
  ASSERT_THAT(out, SizeIs(1));
  EXPECT_EQ(out[0].timestamp_ns, -10 * kSecond);
}

TEST_F(Mean, OpensNoMoreWindowsThanItMay) {
  make("enrich.mean", R"({"max_windows": 1})");
  process({at(1, 1.0), at(1, 1.0, "e"), at(2, 3.0)}, now(2));
  EXPECT_EQ(verdicts_[1].decision, Decision::kRejected);
  EXPECT_THAT(brief(tick(now(100))), ElementsAre("d temperature.mean 2 Cel @0 x2"));
}

TEST_F(Mean, TheMeansDoNotDependOnWhereBatchesAreCut) {
  std::mt19937 random(5);
  std::vector<std::vector<std::string>> outputs;
  for (int cuts = 0; cuts < 4; ++cuts) {
    state_.clear();
    make("enrich.mean", R"({"window": "10s", "lateness": "3s"})");
    std::mt19937 values(9);
    std::vector<std::string> means;
    for (int64_t second = 0; second < 100; ++second) {
      std::vector<TestEvent> events;
      for (int i = 0; i < 6; ++i) {
        events.push_back(at(second - static_cast<int64_t>(values() % 15), 0.1 * static_cast<double>(values() % 100),
                            values() % 2 == 0 ? "a" : "b"));
      }
      for (size_t first = 0, end = 0; first < events.size(); first = end) {
        end = cuts == 0 ? events.size() : std::min(events.size(), first + 1 + random() % 3);
        auto out = process({events.begin() + static_cast<ptrdiff_t>(first), events.begin() + static_cast<ptrdiff_t>(end)},
                           now(second));
        for (std::string& mean : brief(out)) means.push_back(std::move(mean));
      }
    }
    outputs.push_back(means);
  }
  EXPECT_GT(outputs[0].size(), 15u);
  for (const auto& output : outputs) EXPECT_EQ(output, outputs[0]);
}

TEST_F(Mean, RefusesAWrongConfiguration) {
  expect_refused("enrich.mean", R"({"window": "0s"})", "/window");
  expect_refused("enrich.mean", R"({"lateness": "-1s"})", "/lateness");
  expect_refused("enrich.mean", R"({"suffix": 4})", "/suffix");
  expect_refused("enrich.mean", R"({"max_windows": 0})", "/max_windows");
}

}  // namespace
}  // namespace weir::test
