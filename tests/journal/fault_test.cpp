// A disk that is full, that fails, or that lies about a sync: nothing acknowledged is lost, nothing refused counts twice,
// no number is given to two events, and the journal goes on by itself when the disk does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal_fixture.h"

namespace weir::journal {
namespace {

using test::Fault;
using test::Operation;
using testing::ElementsAre;
using testing::HasSubstr;

class JournalFaults : public JournalTest {
 protected:
  // Offers until the journal takes a batch again; returns the marks that were refused on the way.
  std::vector<uint64_t> store_when_possible(uint64_t mark) {
    std::vector<uint64_t> refused;
    EXPECT_TRUE(test::wait_until([&] { return journal_->healthy(); })) << journal_->statistics().trouble;
    while (!store(mark, 1).durable) {
      refused.push_back(mark++);
      if (refused.size() > 1000) break;
    }
    return refused;
  }
  void fill_disk() { machine_.disk().set_capacity(machine_.disk().used_bytes()); }
  // As a consumer that keeps up sees the journal: it never starts again.
  std::vector<uint64_t> contents_through(Reader& reader, uint64_t* at) {
    std::vector<uint64_t> contents;
    std::vector<StoredBatch> batches;
    while (*at <= journal_->head()) {
      batches.clear();
      EXPECT_OK(reader.read(*at, 1, &batches));
      if (batches.empty()) break;
      EXPECT_EQ(batches.front().first, *at) << "a hole";
      for (const StoredEvent& event : events_of(batches)) contents.push_back(event.content);
      *at = batches.back().last() + 1;
    }
    return contents;
  }
};

// Both answers that systems give to the question what a failed fsync leaves behind.
class JournalFailedSync : public JournalFaults, public testing::WithParamInterface<test::FailedSync> {
 protected:
  Fault failed_sync(uint64_t times = 1, const std::string& suffix = "-wal") {
    return {Operation::kSync, 0, times, suffix, GetParam()};
  }
};
INSTANTIATE_TEST_SUITE_P(Systems, JournalFailedSync,
                         testing::Values(test::FailedSync::kForgetsDirty, test::FailedSync::kKeepsDirty),
                         [](const auto& test) {
                           return test.param == test::FailedSync::kForgetsDirty ? "ForgetsDirty" : "KeepsDirty";
                         });

// ---- no space

TEST_F(JournalFaults, AFullDiskRefusesBatchesAndLosesNoneThatWasAcknowledged) {
  open();
  ASSERT_TRUE(store(1, 2).durable);
  fill_disk();
  EXPECT_FALSE(store(make_block(2, 50, "", 5000)).durable);
  EXPECT_FALSE(journal_->healthy());
  EXPECT_FALSE(journal_->has_room());
  machine_.disk().set_capacity(test::CrashDisk::kUnlimited);
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
  ASSERT_TRUE(store(3, 2).durable);
  reopen();
  EXPECT_THAT(contents(), ElementsAre(1000, 1001, 3000, 3001));
}

TEST_F(JournalFaults, AFullDiskIsNamedInTheTrouble) {
  open();
  fill_disk();
  ASSERT_FALSE(store(make_block(1, 50, "", 5000)).durable);
  std::string trouble = journal_->statistics().trouble;
  EXPECT_THAT(trouble, testing::AnyOf(HasSubstr("full"), HasSubstr("free"))) << trouble;
  EXPECT_THAT(trouble, HasSubstr("/data/journal"));
  machine_.disk().set_capacity(test::CrashDisk::kUnlimited);
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
  EXPECT_EQ(journal_->statistics().trouble, "");
}

TEST_F(JournalFaults, ABatchIsRefusedAtOnceWhileTheDiskIsFull) {
  open();
  fill_disk();
  ASSERT_FALSE(store(make_block(1, 50, "", 5000)).durable);
  auto began = base::now();
  for (uint64_t mark = 2; mark < 30; ++mark) EXPECT_FALSE(store(mark).durable);
  EXPECT_LT(base::now() - began, std::chrono::seconds(10)) << "a device waits for an answer";
}

// Regression: going on asked for a checkpoint of the whole segment first, which needs as much room again.
TEST_F(JournalFaults, GoesOnWhenALittleSpaceReturnsThoughTheSegmentIsLarge) {
  open();
  for (uint64_t mark = 1; mark <= 60; ++mark) ASSERT_TRUE(store(make_block(mark, 1, "", 100'000)).durable);
  fill_disk();
  // A checkpoint that was under way lets the log begin anew, in room that it has already.
  uint64_t taken = 60, mark = 100;
  for (; store(make_block(mark, 1, "", 100'000)).durable; ++mark) ASSERT_LT(++taken, 500u);
  machine_.disk().set_capacity(machine_.disk().used_bytes() + (3 << 20));
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); })) << journal_->statistics().trouble;
  EXPECT_TRUE(store(mark + 1, 1).durable);
  EXPECT_EQ(contents().size(), taken + 1);
}

TEST_F(JournalFaults, ConsumersGoOnWritingTheirStateOnAFullDisk) {
  open();
  ASSERT_TRUE(store(1, 20).durable);
  fill_disk();
  for (uint64_t last = 1; last <= 20; ++last) {
    journal_->state().post(delivered_up_to("store", last), {});
    ASSERT_OK(journal_->state().sync(test::kPatience));
  }
  machine_.disk().set_capacity(test::CrashDisk::kUnlimited);
  restart_after_cut();
  ASSERT_EQ(journal_->state().consumers().size(), 1u);
  EXPECT_EQ(journal_->state().consumers().front().counts.delivered, 20u);
}

TEST_F(JournalFaults, TheReserveOfTheStateFileIsMadeAgainWhenSpaceReturns) {
  open();
  fill_disk();
  journal_->state().post(delivered_up_to("store", 1), {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  machine_.disk().set_capacity(test::CrashDisk::kUnlimited);
  journal_->state().post(delivered_up_to("store", 2), {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  EXPECT_EQ(machine_.files().size("/data/journal/ballast").value(), State::kBallastBytes);
}

TEST_F(JournalFaults, TrimmingMakesRoomOnAFullDisk) {
  options_.segment_bytes = 64 << 10;
  options_.retention = base::Duration(0);
  open();
  uint64_t events = fill_segments(4);
  wait_for_checkpoints();
  fill_disk();
  store(make_block(9000, 50, "", 50'000));
  journal_->state().post(delivered_up_to("store", events), {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  journal_->maintain();
  ASSERT_TRUE(test::wait_until([&] { return journal_->statistics().segments.size() <= 2; }));
  // The reserve was used and a few hundred KiB were freed: not enough to go on, but nothing is stuck.
  machine_.disk().set_capacity(machine_.disk().used_bytes() + (2 << 20));
  store_when_possible(9100);
  EXPECT_TRUE(journal_->healthy());
}

TEST_F(JournalFaults, OpensOnAFullDiskAndServesWhatIsStored) {
  open();
  ASSERT_TRUE(store(1, 5).durable);
  close();
  fill_disk();
  open();
  ASSERT_NE(journal_, nullptr);
  EXPECT_EQ(contents().size(), 5u);
  machine_.disk().set_capacity(test::CrashDisk::kUnlimited);
  store_when_possible(2);
}

// ---- I/O errors

TEST_F(JournalFaults, AFailedWriteRefusesTheBatchAndTheNextOneIsTaken) {
  open();
  ASSERT_TRUE(store(1, 2).durable);
  machine_.disk().inject({Operation::kWrite, 0, 1, "-wal"});
  EXPECT_FALSE(store(2, 2).durable);
  EXPECT_TRUE(store_when_possible(3).empty());
  EXPECT_THAT(contents(), ElementsAre(1000, 1001, 3000));
  restart_after_cut();
  EXPECT_THAT(contents(), ElementsAre(1000, 1001, 3000));
}

TEST_F(JournalFaults, ADiskThatFailsEveryWriteIsTriedAgainUntilItWorks) {
  open();
  machine_.disk().inject({Operation::kWrite, 0, 12, ""});
  EXPECT_FALSE(store(1, 2).durable);
  store_when_possible(2);
  EXPECT_EQ(contents().size(), 1u);
}

// Regression: what the first part of a checkpoint had moved was in no later sync: SQLite moves it once, and the sync that
// failed let go of it.
TEST_F(JournalFaults, AFailedSyncAfterACheckpointInTwoPartsIsNotBelieved) {
  options_.segment_bytes = 64 << 10;
  open();
  store(make_block(1, 10, "", 2000));
  store(make_block(2, 10, "", 2000));
  auto reader = base::Database::open(path(1), base::OpenAs::kReader, machine_.vfs_name());
  ASSERT_OK(reader);
  uint64_t before = machine_.files().size(path(1)).value();
  ASSERT_OK(reader->execute("BEGIN"));
  ASSERT_OK(reader->query_integer("SELECT count(*) FROM batch"));  // up to here the log may be moved, and no further
  fill_segments(1);
  auto all = contents();
  ASSERT_TRUE(test::wait_until([&] {
    journal_->maintain();
    return machine_.files().size(path(1)).value() > before;
  }));
  machine_.disk().inject({Operation::kSync, 0, 1, "00000001.db"});
  ASSERT_OK(reader->execute("COMMIT"));
  reader->close();
  wait_for_checkpoints();
  restart_after_cut();
  EXPECT_EQ(contents(), all);
}

TEST_F(JournalFaults, AFailedCheckpointIsTriedAgain) {
  options_.segment_bytes = 32 << 10;
  open();
  machine_.disk().inject({Operation::kWrite, 0, 2, "00000001.db"});
  machine_.disk().inject({Operation::kSync, 0, 1, "00000001.db"});
  uint64_t events = fill_segments(2);
  EXPECT_EQ(contents().size(), events);
  for (int i = 0; i < 5; ++i) journal_->maintain();
  wait_for_checkpoints();
  machine_.disk().clear_faults();
  restart_after_cut();
  EXPECT_EQ(contents().size(), events);
}

TEST_F(JournalFaults, AFailedSyncOfTheFolderKeepsANewSegmentOutOfUse) {
  options_.segment_bytes = 32 << 10;
  open();
  uint64_t stored = fill_segments(1);
  machine_.disk().inject({Operation::kSyncDirectory, 0, 3, "journal"});
  std::vector<uint64_t> acknowledged;
  for (uint64_t mark = 1; mark < 40; ++mark) {
    EXPECT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
    if (store(make_block(mark, 1, "", 3000)).durable) acknowledged.push_back(content_of(mark, 0));
  }
  restart_after_cut();
  auto all = contents();
  ASSERT_EQ(all.size(), stored + acknowledged.size());
  EXPECT_TRUE(std::equal(acknowledged.begin(), acknowledged.end(), all.begin() + static_cast<std::ptrdiff_t>(stored)));
}

TEST_F(JournalFaults, AReadOnlyDiskIsRefusedWithAClearMessage) {
  open();
  close();
  machine_.disk().inject({Operation::kWrite, 0, UINT64_MAX, ""});
  machine_.disk().inject({Operation::kCreate, 0, UINT64_MAX, ""});
  options_.files = &machine_.files();
  auto journal = Journal::open(options_);
  if (journal.ok()) {
    EXPECT_FALSE((*journal)->healthy());
    EXPECT_THAT((*journal)->statistics().trouble, HasSubstr("/data/journal"));
  } else {
    EXPECT_THAT(journal.error().text(), HasSubstr("/data")) << journal.error().text();
  }
}

TEST_F(JournalFaults, StateThatCannotBeWrittenIsTroubleAndIsWrittenLater) {
  open();
  machine_.disk().inject({Operation::kWrite, 0, 6, "state.db-wal"});
  journal_->state().post(delivered_up_to("store", 7), {});
  EXPECT_OK(journal_->state().sync(test::kPatience));
  EXPECT_EQ(journal_->state().trouble(), "");
  restart_after_cut();
  ASSERT_EQ(journal_->state().consumers().size(), 1u);
  EXPECT_EQ(journal_->state().consumers().front().cursor.floor(), 8u);
}

// ---- a sync that fails

TEST_P(JournalFailedSync, RefusesTheBatchAndKeepsWhatWasAcknowledgedBeforeAndAfter) {
  open();
  ASSERT_TRUE(store(1, 1).durable);
  machine_.disk().inject(failed_sync());
  EXPECT_FALSE(store(2, 1).durable);
  store_when_possible(3);
  restart_after_cut();
  auto all = contents();
  std::erase(all, content_of(2, 0));  // refused, but its frames may have stayed
  EXPECT_THAT(all, ElementsAre(1000, 3000));
}

// Regression: the tail in memory went on behind events that came back, and readers stepped over them.
TEST_P(JournalFailedSync, ARefusedBatchThatCameBackIsReadByAConsumerThatKeepsUp) {
  open();
  ASSERT_TRUE(store(1, 1).durable);
  Reader reader(*journal_);
  uint64_t at = 1;
  EXPECT_THAT(contents_through(reader, &at), ElementsAre(1000));
  machine_.disk().inject(failed_sync());
  EXPECT_FALSE(store(2, 1).durable);
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
  uint64_t returned = journal_->statistics().writer.returned;
  ASSERT_TRUE(store(3, 1).durable);
  std::vector<uint64_t> expected = returned != 0 ? std::vector<uint64_t>{2000, 3000} : std::vector<uint64_t>{3000};
  EXPECT_EQ(contents_through(reader, &at), expected);
  EXPECT_EQ(journal_->head(), 2 + returned);
}

TEST_P(JournalFailedSync, ARefusedBatchThatCameBackIsKnownByItsKey) {
  open();
  ASSERT_TRUE(store(1, 1).durable);
  machine_.disk().inject(failed_sync());
  EXPECT_FALSE(store(make_block(2, 3, "key")).durable);
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
  uint64_t returned = journal_->statistics().writer.returned;
  Settlement again = store(make_block(2, 3, "key"));
  ASSERT_TRUE(again.durable);
  EXPECT_EQ(again.duplicates, returned);
  EXPECT_EQ(contents().size(), 4u) << "committed once";
}

// Regression: what recovery found in the WAL after a kill was taken for durable because a later sync worked, though
// the kernel had given up these pages before; a power cut then took what had been acknowledged behind them.
TEST_P(JournalFailedSync, WhatIsAcknowledgedAfterAKillSurvivesAPowerCut) {
  open();
  ASSERT_TRUE(store(1, 1).durable);
  // The journal's own recovery is kept from working, then the process is killed.
  machine_.disk().inject(failed_sync(UINT64_MAX, ""));
  EXPECT_FALSE(store(2, 1).durable);
  machine_.process_kill();
  machine_.disk().clear_faults();
  reopen();
  ASSERT_TRUE(store(3, 1).durable);
  uint64_t head = journal_->head();
  restart_after_cut();
  auto all = contents();
  std::erase(all, content_of(2, 0));
  EXPECT_THAT(all, ElementsAre(1000, 3000));
  EXPECT_EQ(journal_->head(), head);
}

TEST_P(JournalFailedSync, ARelaxedBatchThatWasAnsweredIsStoredOnce) {
  open();
  journal_->note_relaxed_source();
  ASSERT_TRUE(store(1, 1).durable);
  Settlement told = settlements_.wait_for(offer(make_block(2, 3), true));
  ASSERT_TRUE(told.durable);
  machine_.disk().inject(failed_sync());
  EXPECT_FALSE(store(3, 1).durable);
  store_when_possible(4);
  auto all = contents();
  EXPECT_EQ(std::count(all.begin(), all.end(), content_of(2, 0)), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), content_of(4, 0)), 1);
  restart_after_cut();
  EXPECT_EQ(contents(), all);
}

// Regression: a relaxed batch behind a refused one got that one's numbers, and its own were given to the next.
TEST_P(JournalFailedSync, ANumberThatARelaxedSourceWasToldIsNotGivenToAnotherEvent) {
  open();
  journal_->note_relaxed_source();
  machine_.disk().inject(failed_sync(2));
  uint64_t first = offer(make_block(1, 5), true);
  uint64_t second = offer(make_block(2, 5), false);
  uint64_t third = offer(make_block(3, 5), true);
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> numbers;
  auto claim = [&](uint64_t epoch, uint64_t sequence, uint64_t content) {
    EXPECT_EQ(numbers.emplace(std::pair(epoch, sequence), content).first->second, content) << sequence;
  };
  for (uint64_t token : {first, second, third}) {
    Settlement told = settlements_.wait_for(token);
    for (uint32_t i = 0; told.durable && i < 5; ++i) claim(told.epoch, told.first_sequence + i, content_of(token, i));
  }
  store_when_possible(10);
  auto events = read_all(*journal_);
  ASSERT_OK(events);
  for (const StoredEvent& event : *events) claim(event.epoch, event.sequence, event.content);
}

TEST_P(JournalFailedSync, OwedRelaxedBatchesOutliveSeveralFailuresInARow) {
  open();
  journal_->note_relaxed_source();
  for (uint64_t mark = 1; mark <= 5; ++mark) {
    ASSERT_TRUE(settlements_.wait_for(offer(make_block(mark, 1), true)).durable);
  }
  machine_.disk().inject(failed_sync(6));
  EXPECT_FALSE(store(6, 1).durable);
  ASSERT_TRUE(test::wait_until([&] { return journal_->healthy(); }));
  close();
  machine_.disk().clear_faults();
  open();
  auto all = contents();
  std::erase(all, content_of(6, 0));
  EXPECT_THAT(all, ElementsAre(1000, 2000, 3000, 4000, 5000));
}

TEST_P(JournalFailedSync, OfTheStateFileLosesNothingThatSyncConfirmed) {
  open();
  journal_->state().post(delivered_up_to("store", 5), {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  machine_.disk().inject(failed_sync(1, "state.db-wal"));
  DeadLetter letter;
  letter.consumer = "store";
  letter.sequence = 6;
  ConsumerState state = delivered_up_to("store", 5);
  state.counts.dead = state.cursor.settle(6, 6);
  journal_->state().post(state, {letter});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  restart_after_cut();
  EXPECT_EQ(journal_->state().consumers().at(0).cursor.floor(), 7u);
  auto letters = read_dead_letters(machine_.files(), journal_->state().path(), 0, 10);
  ASSERT_OK(letters);
  EXPECT_EQ(letters->size(), 1u) << "a dead letter is kept once";
}

TEST_F(JournalFaults, StopsInTimeWhileTheDiskIsFull) {
  open();
  fill_disk();
  ASSERT_FALSE(store(make_block(1, 50, "", 5000)).durable);
  auto began = base::now();
  close();
  EXPECT_LT(base::now() - began, std::chrono::seconds(5));
}

// Random faults of all kinds, then a kill or a cut, a few hundred times.
TEST(JournalRandomFaults, LoseNothingThatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    test::CrashVfs machine(seed);
    std::mt19937_64 random(seed);
    Options options;
    options.data_dir = "/data";
    options.segment_bytes = 24 << 10;
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> numbers;
    std::map<uint64_t, uint64_t> acknowledged;  // content to sequence
    uint64_t mark = 0;
    for (int life = 0; life < 4; ++life) {
      options.files = &machine.files();
      auto journal = Journal::open(options);
      ASSERT_OK(journal);
      auto events = read_all(**journal);
      ASSERT_OK(events);
      std::map<uint64_t, uint64_t> stored;
      for (const StoredEvent& event : *events) {
        EXPECT_TRUE(stored.emplace(event.content, event.sequence).second) << event.content << " is stored twice";
        EXPECT_EQ(numbers.emplace(std::pair(event.epoch, event.sequence), event.content).first->second, event.content);
      }
      for (const auto& [content, sequence] : acknowledged) {
        ASSERT_EQ(stored.count(content), 1u) << content << " was acknowledged";
        EXPECT_EQ(stored[content], sequence);
      }
      machine.disk().set_random_faults({0, 0.01, 0.05});
      Settlements settlements;
      std::map<uint64_t, uint64_t> marks;
      for (uint64_t token = 1; token <= 60; ++token) {
        Offer offer;
        offer.listener = &settlements;
        offer.source = (*journal)->intern("api");
        offer.block = make_block(++mark, 1, "", random() % 2 == 0 ? 0 : 1500);
        offer.token = token;
        offer.received_ns = base::wall_ns();
        (*journal)->offer(std::move(offer));
        marks[token] = mark;
        if (random() % 3 == 0) settlements.wait_for(token);
      }
      for (const Settlement& settlement : settlements.wait(60)) {
        if (!settlement.durable) continue;
        uint64_t content = content_of(marks[settlement.token], 0);
        acknowledged[content] = settlement.first_sequence;
        numbers.emplace(std::pair(settlement.epoch, settlement.first_sequence), content);
      }
      uint64_t end = random() % 3;
      if (end == 0) machine.power_cut(test::kAllCutModes[random() % 3]);
      if (end == 1) machine.process_kill();
      machine.disk().clear_faults();
      journal->reset();
    }
  }
}

}  // namespace
}  // namespace weir::journal
