// What a stateful transform leaves in the journal: rows with a stamp, and its state beside its cursor.
#include "journal/derived.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/sqlite.h"
#include "journal_fixture.h"

namespace weir::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class JournalDerived : public JournalTest {
 protected:
  Settlement derive(const std::string& instance, event::Block block, Derivation derivation) {
    Offer offer;
    offer.listener = &settlements_;
    offer.source = journal_->intern(instance);
    offer.block = std::move(block);
    offer.token = ++tokens_;
    offer.received_ns = 77;
    offer.derivation = derivation;
    journal_->offer(std::move(offer));
    return settlements_.wait_for(tokens_);
  }
  Settlement derive(const std::string& instance, Derivation derivation) {
    return derive(instance, make_block(++mark_, 2), derivation);
  }
  DerivedSoFar derived(const std::string& instance, uint64_t from = 1) {
    auto found = read_derived(*journal_, instance, from);
    EXPECT_OK(found);
    return found ? *found : DerivedSoFar();
  }
  std::vector<std::pair<std::string, std::string>> state_of(const std::string& instance) {
    std::vector<std::pair<std::string, std::string>> found;
    auto done = read_keyed_state(machine_.files(), journal_->state().path(), instance, [&](const KeyedState& state) {
      found.emplace_back(state.key, *state.value + " in format " + std::to_string(state.format));
      return base::Status();
    });
    EXPECT_OK(done);
    return found;
  }
  static KeyedState put(const std::string& key, std::optional<std::string> value, uint32_t format = 1) {
    return {"mean", key, format, std::move(value)};
  }
  uint64_t mark_ = 5000;
};

TEST_F(JournalDerived, ADerivedEventIsStoredAsItIsButForItsNumber) {
  open();
  event::Block block = make_block(1, 2);
  for (uint32_t i = 0; i < 2; ++i) {
    block.event(i)->id[0] = static_cast<uint8_t>(40 + i);
    block.event(i)->received_ns = 5;
    block.event(i)->timestamp_ns = 6;
    block.event(i)->flags = WEIR_DERIVED | WEIR_NO_DEVICE_TIME;
  }
  ASSERT_TRUE(store(10).durable);
  Settlement settlement = derive("mean", std::move(block), {10, 0});
  ASSERT_TRUE(settlement.durable);
  EXPECT_EQ(settlement.first_sequence, 11u);
  std::vector<StoredBatch> batches;
  Reader reader(*journal_);
  ASSERT_OK(reader.read(11, 1 << 20, &batches));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].source, "mean");
  for (uint32_t i = 0; i < 2; ++i) {
    const weir_event_v1& event = *batches[0].block->event(i);
    EXPECT_EQ(event.id[0], 40 + i);
    EXPECT_EQ(event.sequence, 11 + i);
    EXPECT_EQ(event.received_ns, 5);
    EXPECT_EQ(event.timestamp_ns, 6);
    EXPECT_EQ(event.flags, uint32_t{WEIR_DERIVED | WEIR_NO_DEVICE_TIME});
  }
}

TEST_F(JournalDerived, TheNewestStampOfAnInstanceIsThereWhereverItsRowsLie) {
  options_.segment_bytes = 48 << 10;
  open();
  fill_segments(1);
  ASSERT_TRUE(derive("mean", {3, 0}).durable);
  fill_segments(2, 2000);
  ASSERT_TRUE(derive("mean", {9, 0}).durable);
  ASSERT_TRUE(derive("dedupe", {12, 0}).durable);
  fill_segments(3, 3000);
  EXPECT_EQ(derived("mean").newest, (Derivation{9, 0}));
  EXPECT_EQ(derived("dedupe").newest, (Derivation{12, 0}));
  EXPECT_EQ(derived("nobody").newest, Derivation());
  wait_for_checkpoints();
  EXPECT_EQ(derived("mean").newest, (Derivation{9, 0}));
}

TEST_F(JournalDerived, StampsSurviveAPowerCutWithTheirRows) {
  open();
  ASSERT_TRUE(store(1).durable);
  ASSERT_TRUE(derive("mean", {4, 0}).durable);
  ASSERT_TRUE(derive("mean", {4, 123}).durable);
  for (test::CutMode mode : test::kAllCutModes) {
    restart_after_cut(mode);
    EXPECT_EQ(derived("mean").newest, (Derivation{4, 123}));
    EXPECT_THAT(derived("mean").ticks, ElementsAre(Derivation{4, 123}));
  }
}

TEST_F(JournalDerived, ATickComesAfterTheEventsOfItsPositionAndBeforeTheNext) {
  EXPECT_LT((Derivation{4, 0}), (Derivation{4, 123}));
  EXPECT_LT((Derivation{4, 123}), (Derivation{5, 0}));
}

TEST_F(JournalDerived, ARepairKeepsTheStampsOfTheRowsItSaves) {
  options_.segment_bytes = 96 << 10;
  open();
  ASSERT_TRUE(derive("mean", {7, 0}).durable);
  fill_segments(1);
  wait_for_checkpoints();
  close();
  event::Block lost = make_block(1001, 1, "", 2000);
  std::string text = std::string(lost.text(lost.event(0)->unit)).substr(0, 64);
  std::string file = path(1), bytes = machine_.disk().contents(file);
  for (size_t at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
    machine_.disk().damage(file, at, std::string(1, static_cast<char>(text.front() ^ 1)));
  }
  open();
  journal_->report_damage(1, "the test says so");
  ASSERT_TRUE(test::wait_until([&] { return !journal_->state().lost().empty(); }));
  ASSERT_TRUE(test::wait_until([&] { return read_derived(*journal_, "mean", 1).ok(); }));
  EXPECT_EQ(derived("mean").newest, (Derivation{7, 0}));
}

TEST_F(JournalDerived, ASegmentOfAnEarlierVersionHasNoStampsAndTakesThem) {
  open();
  ASSERT_TRUE(store(1).durable);
  close();
  {
    auto database = base::Database::open(path(1), base::OpenAs::kWriter, machine_.files().sqlite_vfs());
    ASSERT_OK(database);
    ASSERT_OK(database->execute("DROP TABLE derived"));
  }
  open();
  EXPECT_EQ(derived("mean").newest, Derivation());
  ASSERT_TRUE(derive("mean", {2, 0}).durable);
  EXPECT_EQ(derived("mean").newest, (Derivation{2, 0}));
}

TEST_F(JournalDerived, StateAndPlaceAreOnDiskAsOne) {
  open();
  State& state = journal_->state();
  state.post(delivered_up_to("mean", 5), {}, {put("a", "1"), put("b", "2")});
  state.post(delivered_up_to("mean", 6), {}, {put("a", std::nullopt), put("c", std::string("\0x", 2), 2)});
  ASSERT_OK(state.sync(test::kPatience));
  // Not on disk, neither of them.
  state.post(delivered_up_to("mean", 7), {}, {put("b", "3")});
  restart_after_cut();
  ASSERT_EQ(journal_->state().consumers().size(), 1u);
  bool all = journal_->state().consumers().front().cursor.floor() == 8;
  ASSERT_OK(journal_->state().sync(test::kPatience));
  EXPECT_THAT(state_of("mean"), ElementsAre(Pair("b", all ? "3 in format 1" : "2 in format 1"),
                                            Pair("c", std::string("\0x", 2) + " in format 2")));
}

TEST_F(JournalDerived, ForgettingAConsumerForgetsItsStateAndNoOthers) {
  open();
  State& state = journal_->state();
  state.post(delivered_up_to("mean", 5), {}, {put("a", "1"), KeyedState{"dedupe", "a", 1, "9"}});
  ASSERT_OK(state.sync(test::kPatience));
  state.post(delivered_up_to("mean", 6), {}, {put("b", "2")});
  state.forget("mean");
  ASSERT_OK(state.sync(test::kPatience));
  EXPECT_THAT(state_of("mean"), IsEmpty());
  EXPECT_THAT(state_of("dedupe"), ElementsAre(Pair("a", "9 in format 1")));
}

}  // namespace
}  // namespace weir::journal
