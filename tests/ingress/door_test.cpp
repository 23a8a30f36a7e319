#include "ingress/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "support/temp_dir.h"
#include "support/wait.h"
#include "weir/batch.hpp"

namespace weir::ingress {
namespace {

using ::testing::HasSubstr;

// The plugin's side of a source: what it was told.
struct Source {
  std::mutex mutex;
  std::condition_variable wake;
  struct Told {
    uint64_t token;
    uint32_t state, count, duplicates;
    std::vector<event::Id> ids;
  };
  std::vector<Told> told;
  bool hang = false;

  static void settled(void* self, const weir_settlement* settlements, uint32_t n) {
    auto& source = *static_cast<Source*>(self);
    std::unique_lock lock(source.mutex);
    for (uint32_t i = 0; i < n; ++i) {
      Told one{settlements[i].token, settlements[i].state, settlements[i].count, settlements[i].duplicates, {}};
      for (uint32_t k = 0; settlements[i].ids != nullptr && k < one.count; ++k) {
        event::Id id;
        std::copy(settlements[i].ids[k], settlements[i].ids[k] + 16, id.begin());
        one.ids.push_back(id);
      }
      source.told.push_back(std::move(one));
    }
    source.wake.notify_all();
    source.wake.wait(lock, [&] { return !source.hang; });
  }
  static void credit(void*, uint64_t, uint64_t) {}
  bool wait(size_t n) {
    std::unique_lock lock(mutex);
    return wake.wait_for(lock, test::kPatience, [&] { return told.size() >= n; });
  }
};
constexpr weir_source_v1 kTable{&Source::settled, &Source::credit};

class DoorTest : public ::testing::Test {
 protected:
  DoorTest() {
    journal::Options options;
    options.data_dir = folder_.path().string();
    journal_ = std::move(journal::Journal::open(options).value());
  }
  void open(const Door::Options& options) {
    door_ = std::make_unique<Door>(*journal_, budget_, "api", options);
    door_->open(&kTable, &source_);
  }
  uint32_t emit(uint32_t events, uint64_t token, const std::string& key = "", const std::string& device = "d") {
    builder_.clear();
    for (uint32_t i = 0; i < events; ++i) {
      weir_event_v1& event = builder_.add();
      event.device_id = builder_.text(device);
      event.sensor_type = builder_.text("t");
      event.dedupe_key = builder_.text(key);
      event.value_type = WEIR_BOOL;
    }
    result_ = {};
    result_.message = message_;
    result_.message_capacity = sizeof message_;
    return door_->emit(builder_.finish(), token, &result_);
  }
  void expect_balance() {
    DoorCounts counts = door_->counts();
    EXPECT_EQ(counts.admitted, counts.committed + counts.duplicates + counts.refused + counts.in_flight);
  }

  test::TempDir folder_;
  Budget budget_{1 << 20};
  Source source_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Door> door_;
  sdk::BatchBuilder builder_;
  weir_emit_result result_{};
  char message_[128] = "";
};

TEST_F(DoorTest, SettlesEachAcceptedBatchOnceWithItsIds) {
  open({});
  for (uint64_t token = 1; token <= 50; ++token) ASSERT_EQ(emit(3, token), uint32_t{WEIR_ACCEPTED});
  ASSERT_TRUE(source_.wait(50));
  std::set<uint64_t> tokens;
  std::set<event::Id> ids;
  for (const auto& told : source_.told) {
    EXPECT_EQ(told.state, uint32_t{WEIR_DURABLE});
    tokens.insert(told.token);
    ids.insert(told.ids.begin(), told.ids.end());
  }
  EXPECT_EQ(tokens.size(), 50u);
  EXPECT_EQ(ids.size(), 150u);
  EXPECT_EQ(door_->counts().committed, 150u);
  EXPECT_EQ(door_->counts().in_flight, 0u);
  EXPECT_EQ(budget_.bytes, 0u);
  expect_balance();
}

TEST_F(DoorTest, CountsDuplicatesApartAndGivesTheirFirstIds) {
  open({});
  ASSERT_EQ(emit(2, 1, "key"), uint32_t{WEIR_ACCEPTED});
  ASSERT_TRUE(source_.wait(1));
  ASSERT_EQ(emit(2, 2, "key"), uint32_t{WEIR_ACCEPTED});
  ASSERT_TRUE(source_.wait(2));
  EXPECT_EQ(source_.told[1].ids, source_.told[0].ids);
  EXPECT_EQ(door_->counts().committed, 2u);
  EXPECT_EQ(door_->counts().duplicates, 2u);
  expect_balance();
}

TEST_F(DoorTest, NamesTheEventAndFieldThatIsWrongAndTakesNothing) {
  open({});
  EXPECT_EQ(emit(3, 1, "", ""), uint32_t{WEIR_INVALID});
  EXPECT_EQ(result_.index, 0u);
  EXPECT_STREQ(result_.field, "device_id");
  EXPECT_STREQ(message_, "must not be empty");
  EXPECT_EQ(emit(0, 2), uint32_t{WEIR_INVALID});
  EXPECT_EQ(door_->counts().admitted, 0u);
  EXPECT_EQ(door_->counts().invalid, 2u);
  EXPECT_EQ(journal_->head(), 0u);
}

TEST_F(DoorTest, SaysBusyWhenTheSourceIsFasterThanItsLimit) {
  Door::Options options;
  options.events_per_second = 10;
  open(options);
  ASSERT_EQ(emit(10, 1), uint32_t{WEIR_ACCEPTED});
  EXPECT_EQ(emit(5, 2), uint32_t{WEIR_BUSY});
  EXPECT_GT(result_.retry_after_ms, 100u);
  EXPECT_LE(result_.retry_after_ms, 501u);
  EXPECT_EQ(door_->counts().busy, 5u);
}

TEST_F(DoorTest, TakesABatchLargerThanItsBoundWhenNothingElseIsInFlight) {
  Door::Options options;
  options.bytes_in_flight = 100;
  open(options);
  EXPECT_EQ(emit(10, 1), uint32_t{WEIR_ACCEPTED});
  ASSERT_TRUE(source_.wait(1));
}

TEST_F(DoorTest, KeepsTheJournalGoingWhenASourceHangsInSettled) {
  source_.hang = true;
  open({});
  ASSERT_EQ(emit(1, 1), uint32_t{WEIR_ACCEPTED});
  ASSERT_TRUE(source_.wait(1));
  for (uint64_t token = 2; token <= 10; ++token) ASSERT_EQ(emit(1, token), uint32_t{WEIR_ACCEPTED});
  EXPECT_TRUE(test::wait_until([&] { return journal_->head() == 10; }));
  EXPECT_FALSE(door_->close(std::chrono::milliseconds(20))) << "a hanging source is reported, not waited for";
  {
    std::lock_guard lock(source_.mutex);
    source_.hang = false;
    source_.wake.notify_all();
  }
  EXPECT_TRUE(door_->close(test::kPatience));
  EXPECT_EQ(source_.told.size(), 10u);
}

TEST_F(DoorTest, LetsNothingInBeforeItIsOpenAndAfterItIsClosed) {
  door_ = std::make_unique<Door>(*journal_, budget_, "api", Door::Options{});
  EXPECT_EQ(emit(1, 1), uint32_t{WEIR_BUSY});
  door_->open(&kTable, &source_);
  EXPECT_EQ(emit(1, 2), uint32_t{WEIR_ACCEPTED});
  EXPECT_TRUE(door_->close(test::kPatience));
  EXPECT_EQ(emit(1, 3), uint32_t{WEIR_BUSY});
  EXPECT_GT(result_.retry_after_ms, 0u);
  EXPECT_EQ(budget_.bytes, 0u);
  EXPECT_EQ(source_.told.size(), 1u);
  expect_balance();
}

TEST_F(DoorTest, WaitsForWhatTheJournalStillHas) {
  open({});
  for (uint64_t token = 1; token <= 200; ++token) ASSERT_EQ(emit(1, token), uint32_t{WEIR_ACCEPTED});
  ASSERT_TRUE(door_->close(test::kPatience));
  EXPECT_EQ(source_.told.size(), 200u) << "the journal would come back to a door that is gone";
  EXPECT_EQ(door_->counts().in_flight, 0u);
}

}  // namespace
}  // namespace weir::ingress
