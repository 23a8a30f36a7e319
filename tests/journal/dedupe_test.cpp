// A repeated message is answered with the ids of its first time and stored once.
#include "journal/dedupe.h"

#include <gtest/gtest.h>

#include "journal_fixture.h"
#include "weir/batch.hpp"

namespace weir::journal {
namespace {

class JournalDedupe : public JournalTest {
 protected:
  // A block whose events have these keys, one each.
  static event::Block with_keys(uint64_t mark, const std::vector<std::string>& keys) {
    sdk::BatchBuilder builder;
    for (uint32_t i = 0; i < keys.size(); ++i) {
      weir_event_v1& event = builder.add();
      event.device_id = builder.text("device");
      event.sensor_type = builder.text("temperature");
      event.dedupe_key = builder.text(keys[i]);
      event.value_type = WEIR_I64;
      event.value.i64 = static_cast<int64_t>(content_of(mark, i));
    }
    return event::Block::copy(builder.finish());
  }
  static std::vector<event::Id> ids_of(const Settlement& settlement) {
    std::vector<event::Id> ids;
    for (const IdRun& run : settlement.ids) {
      for (uint32_t i = 0; i < run.count; ++i) ids.push_back(event::advance(run.first, i));
    }
    return ids;
  }
};

TEST_F(JournalDedupe, ARepeatedMessageIsADuplicateWithTheSameIds) {
  open();
  Settlement first = store(make_block(1, 3, "a")), again = store(make_block(1, 3, "a"));
  EXPECT_EQ(first.duplicates, 0u);
  EXPECT_EQ(again.duplicates, 3u);
  EXPECT_TRUE(again.durable);
  EXPECT_EQ(again.first_sequence, first.first_sequence);
  EXPECT_EQ(ids_of(again), ids_of(first));
  EXPECT_EQ(contents().size(), 3u);
}

TEST_F(JournalDedupe, IsRecognisedWithinOneTransaction) {
  open();
  journal_->note_relaxed_source();
  uint64_t first = offer(make_block(1, 3, "a"), true), again = offer(make_block(1, 3, "a"), false);
  EXPECT_EQ(settlements_.wait_for(again).duplicates, 3u);
  EXPECT_EQ(ids_of(settlements_.wait_for(again)), ids_of(settlements_.wait_for(first)));
  EXPECT_EQ(contents().size(), 3u);
}

// Regression: a key was looked up among earlier batches only.
TEST_F(JournalDedupe, IsRecognisedWithinOneBatch) {
  open();
  Settlement settlement = store(with_keys(1, {"a", "b", "a", "c", "b"}));
  EXPECT_EQ(settlement.duplicates, 2u);
  auto ids = ids_of(settlement);
  ASSERT_EQ(ids.size(), 5u);
  EXPECT_EQ(ids[2], ids[0]);
  EXPECT_EQ(ids[4], ids[1]);
  EXPECT_EQ(contents(), (std::vector<uint64_t>{1000, 1001, 1003}));
  auto stored = read_all(*journal_).value();
  EXPECT_EQ(stored[0].id, ids[0]);
  EXPECT_EQ(stored[1].id, ids[1]);
  EXPECT_EQ(stored[2].id, ids[3]);
}

TEST_F(JournalDedupe, NewAndKnownMessagesInOneBatchKeepTheirPlaces) {
  open();
  Settlement first = store(with_keys(1, {"a", "b"}));
  Settlement mixed = store(with_keys(2, {"x", "b", "", "a"}));
  EXPECT_EQ(mixed.count, 4u);
  EXPECT_EQ(mixed.duplicates, 2u);
  auto ids = ids_of(mixed);
  ASSERT_EQ(ids.size(), 4u);
  EXPECT_EQ(ids[1], ids_of(first)[1]);
  EXPECT_EQ(ids[3], ids_of(first)[0]);
  EXPECT_EQ(contents(), (std::vector<uint64_t>{1000, 1001, 2000, 2002}));
}

TEST_F(JournalDedupe, SurvivesARestartAndAPowerCut) {
  options_.segment_bytes = 32 << 10;
  open();
  Settlement first = store(make_block(1, 3, "a"));
  fill_segments(3);
  reopen();
  EXPECT_EQ(ids_of(store(make_block(1, 3, "a"))), ids_of(first));
  restart_after_cut();
  EXPECT_EQ(ids_of(store(make_block(1, 3, "a"))), ids_of(first));
}

TEST_F(JournalDedupe, AnotherNumberOfEventsUnderTheSameKeyIsAnotherMessage) {
  open();
  Settlement three = store(make_block(1, 3, "a")), two = store(make_block(2, 2, "a"));
  EXPECT_EQ(two.duplicates, 0u);
  // Regression: the second message was stored again each time it was repeated.
  EXPECT_EQ(ids_of(store(make_block(2, 2, "a"))), ids_of(two));
  EXPECT_EQ(ids_of(store(make_block(1, 3, "a"))), ids_of(three));
  reopen();
  EXPECT_EQ(ids_of(store(make_block(2, 2, "a"))), ids_of(two));
  EXPECT_EQ(ids_of(store(make_block(1, 3, "a"))), ids_of(three));
  EXPECT_EQ(contents().size(), 5u);
}

TEST_F(JournalDedupe, KeysOfDifferentSourcesAreDifferent) {
  EXPECT_NE(dedupe_key("api", "a"), dedupe_key("mqtt", "a"));
  EXPECT_NE(dedupe_key("ap", "ia"), dedupe_key("api", "a"));
}

TEST_F(JournalDedupe, ARefusedMessageIsNotKnown) {
  open();
  machine_.disk().inject({test::Operation::kWrite, 0, 1, "-wal"});
  EXPECT_FALSE(store(make_block(1, 3, "a")).durable);
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
  Settlement stored = store(make_block(1, 3, "a"));
  EXPECT_EQ(stored.duplicates, 0u);
  EXPECT_EQ(contents().size(), 3u);
}

TEST(DedupeWindow, ForgetsTheOldestFirst) {
  DedupeWindow window;
  auto entry = [](uint32_t n) {
    DedupeEntry made;
    made.key = dedupe_key("api", std::to_string(n));
    made.first_sequence = n + 1;
    made.count = 1;
    return made;
  };
  for (uint32_t n = 0; n < DedupeWindow::kMaxEntries + 10; ++n) window.add(entry(n));
  EXPECT_EQ(window.size(), DedupeWindow::kMaxEntries);
  EXPECT_FALSE(window.find(entry(9).key, 1));
  EXPECT_TRUE(window.find(entry(10).key, 1));
  EXPECT_FALSE(window.find(entry(10).key, 2));
}

}  // namespace
}  // namespace weir::journal
