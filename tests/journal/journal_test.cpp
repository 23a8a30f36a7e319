// What the journal does when nothing goes wrong: it stores in order, answers when it is durable, and gives back.
#include "journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <future>

#include "journal_fixture.h"

namespace weir::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JournalAppend : public JournalTest {};

// Holds the writer's thread inside a settlement until it is let go, so that offers queue up behind it.
class Gate : public SettlementListener {
 public:
  void settled(std::vector<Settlement>) override {
    entered_.set_value();
    let_go_.get_future().wait();
  }
  void wait_until_held() { entered_.get_future().wait(); }
  void let_go() { let_go_.set_value(); }

 private:
  std::promise<void> entered_, let_go_;
};

class HeadWaiter : public HeadListener {
 public:
  void head_moved() override {
    std::lock_guard lock(mutex_);
    ++moves_;
    wake_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, test::kPatience, [&] { return moves_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  int moves_ = 0;
};

TEST_F(JournalAppend, ReadsBackWhatItSettledAfterARestart) {
  open();
  Settlement first = store(1, 100), second = store(2, 100);
  EXPECT_EQ(first.first_sequence, 1u);
  EXPECT_EQ(second.first_sequence, 101u);
  uint64_t epoch = journal_->epoch();
  reopen();
  EXPECT_EQ(journal_->head(), 200u);
  EXPECT_EQ(journal_->epoch(), epoch) << "a clean stop keeps the epoch";
  auto events = read_all(*journal_);
  ASSERT_OK(events);
  ASSERT_EQ(events->size(), 200u);
  for (uint32_t i = 0; i < 100; ++i) {
    StoredEvent expected{epoch, 101 + i, content_of(2, i), event::advance(second.ids.at(0).first, i), "api"};
    EXPECT_EQ(events->at(100 + i), expected);
  }
}

TEST_F(JournalAppend, WorksOnTheRealDisk) {
  test::TempDir folder;
  Options options;
  options.data_dir = folder.path().string();
  uint64_t head = 0;
  for (int life = 0; life < 3; ++life) {
    auto journal = Journal::open(options);
    ASSERT_OK(journal);
    EXPECT_EQ((*journal)->head(), head);
    Offer offer;
    offer.listener = &settlements_;
    offer.source = (*journal)->intern("api");
    offer.block = make_block(1, 50);
    offer.token = ++tokens_;
    offer.received_ns = base::wall_ns();
    (*journal)->offer(std::move(offer));
    EXPECT_TRUE(settlements_.wait_for(tokens_).durable);
    head += 50;
    auto events = read_all(**journal);
    ASSERT_OK(events);
    EXPECT_EQ(events->size(), head);
  }
}

TEST_F(JournalAppend, WhatWaitsIsCommittedTogether) {
  open();
  Gate gate;
  Offer held;
  held.listener = &gate;
  held.source = journal_->intern("gate");
  held.block = make_block(1, 1);
  journal_->offer(std::move(held));
  gate.wait_until_held();
  uint64_t before = journal_->statistics().writer.commits;
  for (uint64_t mark = 2; mark <= 21; ++mark) offer(mark);
  gate.let_go();
  for (const Settlement& settlement : settlements_.wait(20)) EXPECT_TRUE(settlement.durable);
  EXPECT_EQ(journal_->statistics().writer.commits - before, 1u);
}

TEST_F(JournalAppend, KeepsTheOrderOfOffersFromOneThread) {
  open();
  for (uint64_t mark = 1; mark <= 200; ++mark) offer(mark, 1);
  settlements_.wait(200);
  auto all = contents();
  ASSERT_EQ(all.size(), 200u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST_F(JournalAppend, GivesEveryEventItsTimesItsIdAndItsTrace) {
  open();
  event::Block block = make_block(1, 2);
  block.event(0)->flags = WEIR_NO_DEVICE_TIME;
  block.event(1)->timestamp_ns = 12345;
  std::fill_n(block.event(1)->trace_id, 16, uint8_t{7});
  Settlement settlement = store(std::move(block));
  Reader reader(*journal_);
  std::vector<StoredBatch> batches;
  ASSERT_OK(reader.read(1, 1 << 20, &batches));
  const weir_event_v1& first = *batches.at(0).block->event(0);
  const weir_event_v1& second = *batches.at(0).block->event(1);
  EXPECT_EQ(first.timestamp_ns, first.received_ns) << "a device without a clock";
  EXPECT_TRUE(base::plausible(first.received_ns));
  EXPECT_EQ(second.timestamp_ns, 12345);
  EXPECT_EQ(std::memcmp(first.id, settlement.ids.at(0).first.data(), 16), 0);
  EXPECT_EQ(std::memcmp(first.trace_id, first.id, 16), 0);
  EXPECT_EQ(second.trace_id[0], 7) << "the device's own trace";
  EXPECT_EQ(second.sequence, first.sequence + 1);
}

TEST_F(JournalAppend, MarksEventsThatCameBeforeTheClockWasSet) {
  open();
  Offer offer;
  offer.listener = &settlements_;
  offer.source = journal_->intern("api");
  offer.block = make_block(1, 1);
  offer.token = 1;
  offer.received_ns = 5'000'000'000;  // five seconds into 1970
  journal_->offer(std::move(offer));
  ASSERT_TRUE(settlements_.wait_for(1).durable);
  Reader reader(*journal_);
  std::vector<StoredBatch> batches;
  ASSERT_OK(reader.read(1, 1 << 20, &batches));
  EXPECT_NE(batches.at(0).block->event(0)->flags & WEIR_CLOCK_SUSPECT, 0u);
}

TEST_F(JournalAppend, TellsListenersThatTheHeadMoved) {
  open();
  HeadWaiter waiter;
  journal_->add(&waiter);
  store(1);
  EXPECT_TRUE(waiter.wait());
  journal_->remove(&waiter);
}

TEST_F(JournalAppend, CommitsWhatWasOfferedBeforeItStops) {
  open();
  journal_->note_relaxed_source();
  for (uint64_t mark = 1; mark <= 20; ++mark) offer(make_block(mark, 1), mark % 2 == 0);
  reopen();
  for (const Settlement& settlement : settlements_.wait(20)) EXPECT_TRUE(settlement.durable);
  EXPECT_EQ(contents().size(), 20u);
}

TEST_F(JournalAppend, SaysHowManyEventsItHolds) {
  options_.segment_bytes = 32 << 10;
  open();
  uint64_t events = fill_segments(3);
  EXPECT_EQ(journal_->count_events(1, journal_->head()).value(), events);
  EXPECT_EQ(journal_->count_events(5, 24).value(), 20u);
  EXPECT_EQ(journal_->count_events(events, UINT64_MAX - 1).value(), 1u);
  EXPECT_EQ(journal_->count_events(events + 1, UINT64_MAX - 1).value(), 0u);
}

TEST_F(JournalAppend, TwoJournalsDoNotShareAFolder) {
  open();
  auto second = Journal::open(options_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().text(), HasSubstr("is using this folder"));
  EXPECT_THAT(second.error().text(), HasSubstr("use another data_dir"));
}

// ---- relaxed

TEST_F(JournalAppend, ARelaxedBatchIsAnsweredBeforeItIsOnDisk) {
  open();
  journal_->note_relaxed_source();
  Settlement settlement = settlements_.wait_for(offer(make_block(1, 5), true));
  EXPECT_TRUE(settlement.durable);
  EXPECT_EQ(settlement.first_sequence, 1u);
  EXPECT_EQ(journal_->head(), 0u) << "nothing is delivered before it is durable";
  restart_after_cut();
  EXPECT_THAT(contents(), ElementsAre());
}

TEST_F(JournalAppend, ARelaxedBatchIsOnDiskAfterItsFlushTime) {
  open();
  journal_->note_relaxed_source();
  ASSERT_TRUE(settlements_.wait_for(offer(make_block(1, 5), true, std::chrono::milliseconds(20))).durable);
  ASSERT_TRUE(test::wait_until([&] { return journal_->head() == 5; }));
  restart_after_cut();
  EXPECT_EQ(contents().size(), 5u);
}

TEST_F(JournalAppend, AStrictBatchTakesTheRelaxedOnesBeforeItAlong) {
  open();
  journal_->note_relaxed_source();
  settlements_.wait_for(offer(make_block(1, 1), true));
  store(2, 1);
  restart_after_cut();
  EXPECT_THAT(contents(), ElementsAre(1000, 2000));
}

TEST_F(JournalAppend, APowerCutWithRelaxedSourcesBeginsANewEpoch) {
  open();
  journal_->note_relaxed_source();
  uint64_t before = journal_->epoch();
  Settlement forgotten = settlements_.wait_for(offer(make_block(1, 5), true));
  restart_after_cut();
  Settlement next = store(2, 5);
  EXPECT_NE(next.epoch, before) << "number 1 was given out in the old one";
  EXPECT_EQ(next.first_sequence, forgotten.first_sequence);
}

// Regression: an epoch in which nothing was stored was forgotten by the next clean stop, and the one before it went on
// with numbers that it had lost.
TEST_F(JournalAppend, AnEpochThatEndedDoesNotComeBack) {
  open();
  journal_->note_relaxed_source();
  store(1, 5);
  Settlement forgotten = settlements_.wait_for(offer(make_block(2, 5), true));
  restart_after_cut();
  ASSERT_NE(journal_->epoch(), forgotten.epoch);
  reopen();
  Settlement next = store(3, 5);
  EXPECT_EQ(next.first_sequence, forgotten.first_sequence);
  EXPECT_NE(next.epoch, forgotten.epoch);
}

// Regression: that a relaxed source exists was written some time later, and a cut before that forgot it.
TEST_F(JournalAppend, ARelaxedBatchIsNotAnsweredEarlyBeforeTheDiskKnowsOfRelaxedSources) {
  open();
  machine_.disk().inject({test::Operation::kSync, 0, UINT64_MAX, "state.db-wal"});
  journal_->note_relaxed_source();
  ASSERT_TRUE(settlements_.wait_for(offer(make_block(1, 5), true)).durable);
  EXPECT_EQ(journal_->head(), 5u) << "it is treated as a strict one";
}

TEST_F(JournalAppend, ACleanStopWithRelaxedSourcesKeepsTheEpoch) {
  open();
  journal_->note_relaxed_source();
  uint64_t before = journal_->epoch();
  offer(make_block(1, 5), true);
  reopen();
  EXPECT_EQ(journal_->epoch(), before);
  EXPECT_EQ(contents().size(), 5u);
}

TEST_F(JournalAppend, APowerCutWithStrictSourcesAloneKeepsTheEpoch) {
  open();
  uint64_t before = journal_->epoch();
  store(1);
  restart_after_cut();
  EXPECT_EQ(journal_->epoch(), before);
}

// ---- reading

TEST_F(JournalAppend, ReadsTheSameFromMemoryAndFromTheFiles) {
  options_.segment_bytes = 32 << 10;
  open();
  fill_segments(4);
  auto mixed = read_all(*journal_, 1, 1);
  ASSERT_OK(mixed);
  auto at_once = read_all(*journal_, 1, 64 << 20);
  ASSERT_OK(at_once);
  options_.tail_bytes = 0;
  reopen();
  auto from_files = read_all(*journal_, 1, 1);
  ASSERT_OK(from_files);
  EXPECT_EQ(*mixed, *from_files);
  EXPECT_EQ(*at_once, *from_files);
}

TEST_F(JournalAppend, AReaderMayBeginInTheMiddleOfABatch) {
  for (size_t tail : {size_t{1} << 20, size_t{0}}) {
    options_.tail_bytes = tail;
    reopen();
    store(1, 10);
    Reader reader(*journal_);
    std::vector<StoredBatch> batches;
    ASSERT_OK(reader.read(journal_->head() - 3, 1, &batches));
    ASSERT_EQ(batches.size(), 1u);
    EXPECT_EQ(batches[0].first, journal_->head() - 9);
  }
}

TEST_F(JournalAppend, AReaderBeyondTheHeadGetsNothing) {
  open();
  store(1, 10);
  Reader reader(*journal_);
  std::vector<StoredBatch> batches;
  EXPECT_OK(reader.read(11, 1 << 20, &batches));
  EXPECT_TRUE(batches.empty());
}

TEST_F(JournalAppend, KeepsNoMoreThanItsTailInMemory) {
  options_.tail_bytes = 100'000;
  open();
  for (uint64_t mark = 1; mark <= 50; ++mark) store(make_block(mark, 10, "", 5000));
  EXPECT_LE(journal_->statistics().tail_bytes, 100'000u);
  EXPECT_GT(journal_->statistics().tail_bytes, 50'000u);
  EXPECT_EQ(contents().size(), 500u);
}

TEST(JournalTail, GivesNothingForWhatItDoesNotHold) {
  auto batch = [](uint64_t first, uint32_t count) {
    return StoredBatch{std::make_shared<const event::Block>(make_block(first, count)), first, count, "api"};
  };
  Tail tail(1 << 20);
  std::vector<StoredBatch> out, in{batch(5, 5)};
  EXPECT_FALSE(tail.read(5, 1, &out)) << "it is empty";
  tail.push(in);
  EXPECT_FALSE(tail.read(4, 1, &out));
  EXPECT_FALSE(tail.read(10, 1, &out));
  EXPECT_TRUE(tail.read(9, 1, &out));
  EXPECT_EQ(out.size(), 1u);
  in = {batch(20, 5)};
  tail.push(in);
  out.clear();
  EXPECT_FALSE(tail.read(12, 1, &out)) << "10 to 19 are on disk, if anywhere";
  EXPECT_TRUE(tail.read(5, 1 << 20, &out));
  EXPECT_EQ(out.size(), 1u) << "a run ends at a hole";
}

}  // namespace
}  // namespace weir::journal
