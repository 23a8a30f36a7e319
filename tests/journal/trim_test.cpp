// What every consumer has settled goes, when its time has come or room is needed; nothing else does.
#include <gtest/gtest.h>

#include "journal_fixture.h"

namespace weir::journal {
namespace {

class JournalTrim : public JournalTest {
 protected:
  JournalTrim() { options_.segment_bytes = 32 << 10; }
  void deliver(const std::string& consumer, uint64_t last) {
    journal_->state().post(delivered_up_to(consumer, last), {});
    ASSERT_OK(journal_->state().sync(test::kPatience));
    journal_->maintain();
  }
  size_t segments() { return journal_->statistics().segments.size(); }
  bool wait_for_segments(size_t at_most) {
    return test::wait_until([&] {
      journal_->maintain();
      return segments() <= at_most;
    });
  }
};

class JournalTrimBehind : public JournalTrim, public testing::WithParamInterface<const char*> {};
// By their names the journal knows them in different orders.
INSTANTIATE_TEST_SUITE_P(Names, JournalTrimBehind, testing::Values("alpha", "omega"));

TEST_P(JournalTrimBehind, RemovesWhatEveryConsumerHasSettledAfterTheRetention) {
  options_.retention = base::Duration(0);
  open();
  uint64_t events = fill_segments(5);
  deliver(GetParam(), 0);  // first: the journal waits for the consumers that it knows
  deliver("middle", events);
  for (int i = 0; i < 3; ++i) journal_->maintain();
  reopen();  // waits for the maintenance
  EXPECT_EQ(segments(), 6u);
  EXPECT_EQ(contents().size(), events);
  deliver(GetParam(), events);
  ASSERT_TRUE(wait_for_segments(1));
  EXPECT_EQ(journal_->head(), events) << "the newest stays: it knows how far numbering went";
  // A segment's files go after the segment itself. Behind the newest there may be one without events: that one was old.
  std::vector<std::string> left;
  EXPECT_TRUE(test::wait_until([&] {
    left = files();
    std::erase_if(left, [](const std::string& name) { return name > "00000005.db-wal"; });
    return left.empty();
  })) << testing::PrintToString(left);
}

TEST_F(JournalTrim, KeepsSettledEventsForTheRetention) {
  open();
  uint64_t events = fill_segments(3);
  deliver("store", events);
  for (int i = 0; i < 3; ++i) journal_->maintain();
  reopen();
  EXPECT_EQ(contents().size(), events);
}

TEST_F(JournalTrim, LetsGoBeforeTheRetentionWhenItGetsFull) {
  options_.max_bytes = 400 << 10;
  open();
  uint64_t events = fill_segments(9);
  deliver("store", events);
  ASSERT_TRUE(test::wait_until([&] { return journal_->statistics().bytes <= options_.max_bytes * 8 / 10; }));
  EXPECT_GT(segments(), 2u) << "and keeps what there is room for";
}

TEST_F(JournalTrim, WithoutConsumersNothingIsRemoved) {
  options_.retention = base::Duration(0);
  open();
  uint64_t events = fill_segments(3);
  for (int i = 0; i < 3; ++i) journal_->maintain();
  reopen();
  EXPECT_EQ(contents().size(), events);
}

TEST_F(JournalTrim, WaitsUntilTheCursorIsOnDisk) {
  options_.retention = base::Duration(0);
  open();
  uint64_t events = fill_segments(3);
  machine_.disk().inject({test::Operation::kSync, 0, UINT64_MAX, "state.db-wal"});
  journal_->state().post(delivered_up_to("store", events), {});
  EXPECT_FALSE(journal_->state().sync(std::chrono::milliseconds(20)).ok());
  for (int i = 0; i < 3; ++i) journal_->maintain();
  EXPECT_EQ(journal_->state().settled_floor(), 0u);
  EXPECT_EQ(contents().size(), events);
}

TEST_F(JournalTrim, HasNoRoomAtMaxBytesAndSomeAgainWhenConsumersCaughtUp) {
  options_.max_bytes = 200 << 10;
  open();
  uint64_t events = 0;
  for (uint64_t mark = 1; journal_->has_room(); ++mark) {
    ASSERT_TRUE(store(make_block(mark, 10, "", 2000)).durable);
    ASSERT_LT(events += 10, 10'000u);
  }
  EXPECT_TRUE(journal_->healthy()) << "full is not broken";
  deliver("store", events);
  EXPECT_TRUE(test::wait_until([&] { return journal_->has_room(); }));
}

// Regression: the size on disk was the estimate of the bodies alone; many small batches took several times as much.
TEST_F(JournalTrim, CountsWhatTheFilesReallyTake) {
  options_.segment_bytes = 1 << 20;
  open();
  for (uint64_t mark = 1; mark <= 300; ++mark) offer(make_block(mark, 1));
  settlements_.wait(300);
  uint64_t on_disk = machine_.files().size(path(1)).value() + machine_.files().size(path(1) + "-wal").value();
  uint64_t counted = journal_->statistics().bytes;
  EXPECT_GT(counted, on_disk / 2);
  EXPECT_LT(counted, on_disk * 2);
}

TEST_F(JournalTrim, ARetentionOfNothingDoesNotMakeASegmentOfEveryBatch) {
  options_.segment_bytes = 64 << 20;
  options_.retention = base::Duration(0);
  open();
  for (uint64_t mark = 1; mark <= 10; ++mark) store(mark);
  EXPECT_EQ(segments(), 1u);
}

}  // namespace
}  // namespace weir::journal
