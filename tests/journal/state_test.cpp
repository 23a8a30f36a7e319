// state.db: what consumers, repairs and plugins report is on disk soon, together, and comes back.
#include "journal/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal_fixture.h"

namespace weir::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class JournalState : public JournalTest {
 protected:
  void SetUp() override { open(); }
  State& state() { return journal_->state(); }
  void sync() { ASSERT_OK(state().sync(test::kPatience)); }
  static DeadLetter letter(const std::string& consumer, uint64_t sequence, uint32_t part = 0) {
    DeadLetter made;
    made.consumer = consumer;
    made.epoch = UINT64_MAX - 1;
    made.sequence = sequence;
    made.part = part;
    made.id[3] = 9;
    made.device_id = "device";
    made.source = "api";
    made.by = "store";
    made.plugin = "sqlite.sink";
    made.version = "1.2.3";
    made.code = 7;
    made.reason = "a reason\nin two lines";
    made.attempts = 3;
    made.at_ns = 123;
    made.body = std::string("body\0body", 9);
    return made;
  }
  std::vector<DeadLetter> letters() { return read_dead_letters(machine_.files(), state().path(), 0, 100).value(); }
};

TEST_F(JournalState, AConsumersPlaceAndLedgerSurviveAPowerCutAfterSync) {
  ConsumerState consumer;
  consumer.name = "store";
  consumer.origin = 5;
  consumer.cursor = Cursor(5);
  consumer.counts.delivered = consumer.cursor.settle(5, 9);
  consumer.counts.filtered = consumer.cursor.settle(20, 22);
  consumer.filtered_by["rule: too hot"] = 3;
  consumer.detached = true;
  state().post(consumer, {});
  sync();
  restart_after_cut();
  ASSERT_EQ(state().consumers().size(), 1u);
  ConsumerState back = state().consumers().front();
  EXPECT_EQ(back.name, "store");
  EXPECT_EQ(back.origin, 5u);
  EXPECT_EQ(back.cursor, consumer.cursor);
  EXPECT_EQ(back.counts.delivered, 5u);
  EXPECT_EQ(back.counts.filtered, 3u);
  EXPECT_THAT(back.filtered_by, ElementsAre(Pair("rule: too hot", 3)));
  EXPECT_TRUE(back.detached);
}

TEST_F(JournalState, IsWrittenByItselfAfterAWhile) {
  state().post(delivered_up_to("store", 3), {});
  ASSERT_TRUE(test::wait_until([&] { return state().settled_floor() == 4; }));
  restart_after_cut();
  EXPECT_EQ(state().consumers().size(), 1u);
}

TEST_F(JournalState, TheSettledFloorIsTheLowestThatIsOnDisk) {
  EXPECT_EQ(state().settled_floor(), 0u);
  state().post(delivered_up_to("a", 10), {});
  sync();
  EXPECT_EQ(state().settled_floor(), 11u);
  state().post(delivered_up_to("b", 4), {});
  EXPECT_EQ(state().settled_floor(), 0u) << "b is not on disk and needs everything";
  sync();
  EXPECT_EQ(state().settled_floor(), 5u);
  state().forget("b");
  EXPECT_EQ(state().settled_floor(), 11u);
}

TEST_F(JournalState, AForgottenConsumerIsGoneAndCanComeBackFromTheStart) {
  state().post(delivered_up_to("store", 10), {});
  sync();
  state().forget("store");
  state().post(delivered_up_to("store", 2), {});
  sync();
  // Regression: forgetting and beginning again in one write left no floor at all.
  EXPECT_EQ(state().settled_floor(), 3u);
  state().forget("store");
  sync();
  reopen();
  EXPECT_THAT(state().consumers(), IsEmpty());
}

TEST_F(JournalState, DeadLettersComeBackWithAllTheyHad) {
  state().post(delivered_up_to("store", 1), {letter("store", 1)});
  sync();
  reopen();
  ASSERT_EQ(letters().size(), 1u);
  DeadLetter back = letters().front(), expected = letter("store", 1);
  EXPECT_EQ(back.consumer, expected.consumer);
  EXPECT_EQ(back.epoch, expected.epoch);
  EXPECT_EQ(back.id, expected.id);
  EXPECT_EQ(back.reason, expected.reason);
  EXPECT_EQ(back.body, expected.body);
  EXPECT_EQ(back.attempts, 3u);
  EXPECT_EQ(back.version, "1.2.3");
  EXPECT_EQ(read_dead_letter(machine_.files(), state().path(), back.number).value().sequence, 1u);
  EXPECT_EQ(read_dead_letter(machine_.files(), state().path(), 99).error().code, base::Code::kNotFound);
}

TEST_F(JournalState, DeadLettersAreCountedByEventNotByPart) {
  state().post(delivered_up_to("store", 2), {letter("store", 1, 0), letter("store", 1, 1), letter("store", 2)});
  sync();
  EXPECT_THAT(count_dead_letters(machine_.files(), state().path()).value(), ElementsAre(Pair("store", 2)));
  EXPECT_EQ(dead_letters_of(machine_.files(), state().path(), 1).value().size(), 2u);
  EXPECT_EQ(state().pending_dead_letters(), 0u);
}

TEST_F(JournalState, PagesOfDeadLettersGoFromTheNewestBack) {
  std::vector<DeadLetter> many;
  for (uint64_t sequence = 1; sequence <= 5; ++sequence) many.push_back(letter("store", sequence));
  state().post(delivered_up_to("store", 5), many);
  sync();
  auto page = read_dead_letters(machine_.files(), state().path(), 0, 2).value();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].sequence, 5u);
  page = read_dead_letters(machine_.files(), state().path(), page[1].number, 2).value();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].sequence, 3u);
}

TEST_F(JournalState, KeyValuesSurviveARestartAndTheLastOneWins) {
  state().put({"window", "a", "1"});
  state().put({"window", "b", std::string("\0bytes", 6)});
  state().put({"window", "a", "2"});
  state().put({"window", "c", "gone"});
  state().put({"window", "c", std::nullopt});
  state().put({"other", "a", "3"});
  sync();
  restart_after_cut();
  EXPECT_THAT(state().key_values("window"), ElementsAre(Pair("a", "2"), Pair("b", std::string("\0bytes", 6))));
  EXPECT_THAT(state().key_values("other"), ElementsAre(Pair("a", "3")));
  EXPECT_THAT(state().key_values("none"), IsEmpty());
}

TEST_F(JournalState, LostRangesSurviveARestartAndAreListedOnce) {
  for (int i = 0; i < 2; ++i) state().post(LostRange{7, 10, 19, "00000001.db", "damage", 123});
  state().post(LostRange{8, 10, 19, "00000002.db", "damage", 124});
  EXPECT_EQ(state().lost().size(), 2u);
  sync();
  restart_after_cut();
  ASSERT_EQ(state().lost().size(), 2u);
  EXPECT_EQ(state().lost().at(0).segment, "00000001.db");
}

TEST_F(JournalState, StopWritesWhatWasPosted) {
  state().post(delivered_up_to("store", 3), {});
  close();
  machine_.power_cut(test::CutMode::kDropUnsynced);
  open();
  EXPECT_EQ(state().consumers().size(), 1u);
}

TEST_F(JournalState, ASyncThatCannotBeDoneSaysWhy) {
  machine_.disk().inject({test::Operation::kWrite, 0, UINT64_MAX, "state.db-wal"});
  state().put_meta("a", "b");
  test::wait_until([&] { return !state().trouble().empty(); });
  auto done = state().sync(std::chrono::milliseconds(20));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, base::Code::kTimeout);
  EXPECT_THAT(done.error().text(), testing::HasSubstr("disk I/O error"));
  EXPECT_FALSE(journal_->healthy());
}

}  // namespace
}  // namespace weir::journal
