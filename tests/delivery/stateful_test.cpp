// The stateful engine on a real journal: what it derives, counts and remembers.
#include <gmock/gmock.h>

#include <random>

#include "stateful_fixture.h"

namespace weir::delivery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Stateful : public StatefulTest {
 protected:
  void SetUp() override {
    open();
    ASSERT_TRUE(start());
  }
  // So many commits into the newest segment work, then so many fail.
  void fail_commits(uint64_t work, uint64_t fail) {
    std::string name = journal::segment_name(journal_->statistics().segments.back().number);
    machine_.disk().inject({test::Operation::kSync, work, fail, name + "-wal"});
  }
};

TEST_F(Stateful, WhatItDerivesIsJournaledWithItsCause) {
  ASSERT_TRUE(store({{"a", 1, 5}, {"b", 2, 6}, {"a", 3, 7}}, 3));
  ASSERT_TRUE(store({{"a", 21, 1}}, 25));
  drain();
  EXPECT_THAT(brief(), ElementsAre("a sum 12 @0 by 4", "b sum 6 @0 by 4"));
  expect_as_without_fault();
}

TEST_F(Stateful, EachEventHasOneOutcomeInTheLedger) {
  ASSERT_TRUE(store({{"a", 1, 5}, {"a", 2, -1}, {"a", 3, 1, "pass"}}, 30));
  ASSERT_TRUE(store({{"a", 1, 5}}, 31, "elsewhere"));
  drain();
  ConsumerStatus now = status();
  EXPECT_EQ(now.state.counts.dead, 1u);
  EXPECT_EQ(now.state.counts.delivered, 1u);  // what was kept
  // The late one, the one from elsewhere, and its own.
  EXPECT_EQ(now.state.counts.filtered, 3u);
  EXPECT_EQ(now.state.filtered_by["sums: late"], 1u);
  EXPECT_EQ(now.state.filtered_by["not routed here"], 2u);
  EXPECT_THAT(brief(), ElementsAre("a pass 1 @3 by 3"));
  expect_as_without_fault();
}

TEST_F(Stateful, AFailedCallRejectsWhatHasNoDecisionAndGoesOn) {
  ASSERT_TRUE(store({{"a", 1, 5, "pass"}, {"a", 2, 1, "fail"}}, 3));
  drain();
  ASSERT_TRUE(store({{"a", 3, 1, "pass"}}, 4));
  drain();
  EXPECT_EQ(status().state.counts.dead, 1u);
  EXPECT_THAT(brief(), ElementsAre("a pass 5 @1 by 1", "a pass 1 @3 by 4"));
}

TEST_F(Stateful, ATickClosesAWindowWithoutAnEvent) {
  ASSERT_TRUE(store({{"a", 1, 5}}, 3));
  drain();
  EXPECT_THAT(brief(), IsEmpty());
  clock_ = 15;
  ASSERT_TRUE(test::wait_until([&] { return journal_->head() == 2; }));
  EXPECT_THAT(brief(), ElementsAre("a sum 5 @0 by 1"));
  // From now on the time is that of the tick, also for what was received before.
  ASSERT_TRUE(store({{"a", 2, 5}}, 4));
  drain();
  EXPECT_EQ(status().state.filtered_by["sums: late"], 1u);
  expect_as_without_fault();
}

TEST_F(Stateful, AnIdleEngineWritesNothing) {
  ASSERT_TRUE(store({{"a", 1, 5}}, 3));
  drain();
  clock_ = 4;
  ASSERT_OK(journal_->state().sync(test::kPatience));
  uint64_t before = machine_.disk().changes();
  // Many ticks pass.
  for (int64_t now = 5; now < 14; ++now) {
    clock_ = now;
    ASSERT_TRUE(test::wait_until([&, at = base::now()] { return base::now() - at > 3 * engine_options_.tick_every; }));
  }
  EXPECT_EQ(machine_.disk().changes(), before);
}

TEST_F(Stateful, ItsStateComesBackAfterARestart) {
  ASSERT_TRUE(store({{"a", 1, 5}}, 3));
  drain();
  stop();
  ASSERT_TRUE(start());
  ASSERT_TRUE(store({{"a", 2, 6}, {"a", 40, 1}}, 4));
  ASSERT_TRUE(store({{"a", 41, 1}}, 41));
  drain();
  EXPECT_THAT(brief(), ElementsAre("a sum 11 @0 by 4"));
  expect_as_without_fault();
}

TEST_F(Stateful, TheTimeItWasToldComesBackAfterARestart) {
  ASSERT_TRUE(store({{"a", 1, 5}}, 30));
  drain();
  stop();
  ASSERT_TRUE(start());
  ASSERT_TRUE(store({{"a", 2, 6}}, 3));  // the clock stepped back
  drain();
  EXPECT_EQ(status().state.filtered_by["sums: late"], 2u);
}

TEST_F(Stateful, WithoutItsStateFileItWorksTheJournalAgainAndDerivesNothingTwice) {
  ASSERT_TRUE(store({{"a", 1, 5}, {"b", 2, 6}}, 3));
  clock_ = 20;
  ASSERT_TRUE(test::wait_until([&] { return journal_->head() == 4; }));
  clock_ = 0;
  ASSERT_TRUE(store({{"a", 31, 5}, {"a", 2, 1, "pass"}}, 32));
  drain();
  close();
  machine_.disk().damage("/data/journal/state.db", 0, std::string(200, 'x'));
  open();
  ASSERT_TRUE(start());
  ASSERT_TRUE(store({{"a", 33, 1}}, 51));
  drain();
  EXPECT_THAT(brief(), ElementsAre("a sum 5 @0 by 2", "b sum 6 @0 by 2", "a pass 1 @2 by 6", "a sum 5 @30 by 8"));
}

TEST_F(Stateful, WhatCannotBeJournaledWaitsAndComesOnce) {
  ASSERT_TRUE(store({{"a", 1, 5}}, 3));
  drain();
  for (int i = 0; i < 6; ++i) {
    // The event's own commit works. Whether that of what it derives is in the file, nobody knows at first.
    ASSERT_TRUE(store({{"a", 2, 5}}, 4, "elsewhere"));
    drain();
    fail_commits(1, 1);
    ASSERT_TRUE(store({{"a", 5, 10 + i, "pass"}}, 5)) << i;
    drain();
    machine_.disk().clear_faults();
  }
  expect_as_without_fault();
  EXPECT_EQ(brief().size(), 6u);
}

TEST_F(Stateful, StopsWhileTheDiskRefusesAndGoesOnLater) {
  ASSERT_TRUE(store({{"a", 1, 5, "pass"}}, 3));
  drain();
  fail_commits(1, 1000);
  ASSERT_TRUE(store({{"a", 2, 6, "pass"}}, 4));
  ASSERT_TRUE(test::wait_until([&] { return !journal_->can_append(); }));
  stop();
  machine_.disk().clear_faults();
  ASSERT_TRUE(start());
  drain();
  EXPECT_THAT(brief(), ElementsAre("a pass 5 @1 by 1", "a pass 6 @2 by 3"));
  expect_as_without_fault();
}

// Random events in one row, and in many with restarts.
class StatefulRecut : public StatefulTest, public testing::WithParamInterface<uint64_t> {
 protected:
  struct Group {  // received together
    std::vector<Reading> readings;
    int64_t received;
  };
  static std::vector<Group> groups(uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Group> groups;
    for (int64_t at = 10; groups.size() < 30; at += static_cast<int64_t>(random() % 4)) {
      Group& group = groups.emplace_back();
      group.received = at - static_cast<int64_t>(random() % 3);
      for (uint64_t n = 1 + random() % 20; n > 0; --n) {
        Reading reading;
        reading.device = std::string(1, static_cast<char>('a' + random() % 3));
        reading.timestamp = std::max<int64_t>(0, at - static_cast<int64_t>(random() % 25));
        reading.value = static_cast<int64_t>(random() % 50) - 2;
        reading.received = group.received;
        if (random() % 8 == 0) reading.sensor = "pass";
        group.readings.push_back(reading);
      }
    }
    return groups;
  }
  // Everything derived, with the events cut by chance and the engine restarted at times.
  std::vector<std::string> run(uint64_t seed, uint64_t cut_seed) {
    std::mt19937_64 random(cut_seed);
    machine_.power_cut(test::CutMode::kDropUnsynced);
    options_.data_dir = "/data-" + std::to_string(cut_seed);
    open();
    std::vector<Reading> all;
    for (Group& group : groups(seed)) {
      all.insert(all.end(), group.readings.begin(), group.readings.end());
      if (cut_seed == 0) continue;
      for (Reading& reading : group.readings) reading.received = 0;
      for (size_t first = 0, end = 0; first < group.readings.size(); first = end) {
        end = std::min<size_t>(group.readings.size(), first + 1 + random() % 6);
        EXPECT_TRUE(store({group.readings.begin() + static_cast<ptrdiff_t>(first),
                           group.readings.begin() + static_cast<ptrdiff_t>(end)}, group.received));
      }
    }
    if (cut_seed == 0) {
      EXPECT_TRUE(store(all, 0));
    }
    EXPECT_TRUE(start());
    for (int i = 0; i < 3 && cut_seed != 0; ++i) {
      stop();
      EXPECT_TRUE(start());
    }
    drain();
    clock_ = 1000;
    EXPECT_TRUE(test::wait_until([&] { return state_size() == 0; }));
    drain();
    expect_as_without_fault();
    std::vector<std::string> events = brief();
    clock_ = 0;
    close();
    return events;
  }
  uint64_t state_size() { return engine_->state_size().second; }
};

TEST_P(StatefulRecut, TheOutputDoesNotDependOnWhereBatchesAreCut) {
  std::vector<std::string> whole = run(GetParam(), 0);
  EXPECT_GT(whole.size(), 20u);
  for (uint64_t cut_seed = 1; cut_seed <= 3; ++cut_seed) EXPECT_EQ(run(GetParam(), cut_seed), whole) << cut_seed;
}

INSTANTIATE_TEST_SUITE_P(Seeds, StatefulRecut, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace weir::delivery
