// Damage of every kind: the journal opens, serves the rest, lists what is lost and keeps the evidence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sqlite.h"
#include "journal_fixture.h"

namespace weir::journal {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr size_t kPage = 4096;
constexpr uint32_t kEvents = 10;     // in a block
constexpr size_t kPadding = 2000;    // makes a row fill most of a page
constexpr uint64_t kFirstMark = 1000;

class JournalRepair : public JournalTest {
 protected:
  JournalRepair() { options_.segment_bytes = 100 << 10; }

  // Three sealed segments and an open one, all with one row a page; then the journal is stopped.
  void make_segments(uint32_t count = 3) {
    open();
    events_ = fill_segments(count, kFirstMark);
    epoch_ = journal_->epoch();
    close();
  }
  // The text in the block of `mark`, as the file holds it.
  static std::string text_of(uint64_t mark) {
    event::Block block = make_block(mark, 1, "", kPadding);
    return std::string(block.text(block.event(0)->unit)).substr(0, 64);
  }
  uint64_t offset_of(const std::string& file, uint64_t mark) {
    size_t at = machine_.disk().contents(file).rfind(text_of(mark));
    EXPECT_NE(at, std::string::npos) << "mark " << mark << " is not in " << file;
    return at;
  }
  void damage_row(const std::string& file, uint64_t mark) {
    std::string text = text_of(mark), other(1, static_cast<char>(text.front() ^ 1));
    std::string bytes = machine_.disk().contents(file);
    // A page that was split holds a copy that nothing points to.
    size_t at = bytes.find(text);
    ASSERT_NE(at, std::string::npos) << "mark " << mark << " is not in " << file;
    for (; at != std::string::npos; at = bytes.find(text, at + 1)) machine_.disk().damage(file, at, other);
  }
  void damage_page_of(const std::string& file, uint64_t mark) {
    machine_.disk().damage(file, offset_of(file, mark) / kPage * kPage, std::string(kPage, '\xA5'));
  }
  std::vector<uint64_t> marks_in(uint32_t segment) {
    std::vector<uint64_t> marks;
    std::string bytes = machine_.disk().contents(path(segment));
    for (uint64_t mark = kFirstMark; mark < kFirstMark + events_ / kEvents; ++mark) {
      if (bytes.find(text_of(mark)) != std::string::npos) marks.push_back(mark);
    }
    return marks;
  }
  // Reads as a consumer does: it reports what it cannot read and comes back. Returns the marks it got.
  std::vector<uint64_t> consume_all() {
    Reader reader(*journal_);
    std::vector<uint64_t> marks;
    std::vector<StoredBatch> batches;
    uint64_t at = 1;
    bool done = test::wait_until([&] {
      while (at <= journal_->head()) {
        batches.clear();
        if (auto read = reader.read(at, 1, &batches); !read) {
          if (read.error().code == base::Code::kDamaged) {
            journal_->report_damage(reader.damaged_segment(), read.error().what);
          }
          return false;
        }
        if (batches.empty()) return true;
        for (const StoredBatch& batch : batches) {
          marks.push_back(static_cast<uint64_t>(batch.block->event(0)->value.i64) / 1000);
          if (batch.first > at) holes_.emplace_back(at, batch.first - 1);
          at = batch.last() + 1;
        }
      }
      return true;
    });
    EXPECT_TRUE(done) << "the journal cannot be read to its end";
    return marks;
  }
  std::vector<uint64_t> all_marks_but(const std::vector<uint64_t>& missing) {
    std::vector<uint64_t> marks;
    for (uint64_t mark = kFirstMark; mark < kFirstMark + events_ / kEvents; ++mark) {
      if (std::find(missing.begin(), missing.end(), mark) == missing.end()) marks.push_back(mark);
    }
    return marks;
  }
  static std::pair<uint64_t, uint64_t> sequences(uint64_t first_mark, uint64_t last_mark) {
    return {(first_mark - kFirstMark) * kEvents + 1, (last_mark - kFirstMark + 1) * kEvents};
  }
  std::vector<std::pair<uint64_t, uint64_t>> lost() {
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const LostRange& range : journal_->state().lost()) ranges.emplace_back(range.first, range.last);
    return ranges;
  }
  std::vector<std::string> kept() { return files("/data/journal/damaged"); }

  uint64_t events_ = 0, epoch_ = 0;
  std::vector<std::pair<uint64_t, uint64_t>> holes_;
};

TEST_F(JournalRepair, ADamagedRowInASealedSegmentIsLostAloneAndListed) {
  make_segments();
  uint64_t victim = marks_in(2).at(2);
  damage_row(path(2), victim);
  open();
  EXPECT_EQ(consume_all(), all_marks_but({victim}));
  EXPECT_THAT(lost(), ElementsAre(sequences(victim, victim)));
  EXPECT_EQ(holes_, lost()) << "what readers step over is what is listed";
  EXPECT_EQ(journal_->state().lost().at(0).epoch, epoch_);
  EXPECT_EQ(journal_->state().lost().at(0).segment, "00000002.db");
  EXPECT_EQ(journal_->epoch(), epoch_) << "numbering is not in doubt";
}

TEST_F(JournalRepair, TheDamagedFileIsKeptWithAReport) {
  make_segments();
  damage_row(path(1), kFirstMark + 1);
  open();
  consume_all();
  EXPECT_THAT(kept(), Contains(testing::AllOf(StartsWith("00000001-"), EndsWith(".db"))));
  std::string report;
  ASSERT_TRUE(test::wait_until([&] {
    for (const std::string& name : kept()) {
      if (name.ends_with(".txt")) report = machine_.files().read_file("/data/journal/damaged/" + name).value();
    }
    return !report.empty();
  }));
  EXPECT_THAT(report, HasSubstr("00000001.db"));
  EXPECT_THAT(report, HasSubstr("11..20")) << "the lost range";
}

TEST_F(JournalRepair, ADamagedPageCostsItsRowsAndNoOthers) {
  make_segments();
  uint64_t victim = marks_in(2).at(3);
  damage_page_of(path(2), victim);
  open();
  auto marks = consume_all();
  EXPECT_EQ(marks, all_marks_but({victim}));
  EXPECT_EQ(holes_, lost());
}

// Regression: rows were read from both ends only, up to the first damaged page.
TEST_F(JournalRepair, RowsBetweenTwoDamagedPagesAreSaved) {
  make_segments();
  auto marks = marks_in(2);
  ASSERT_GE(marks.size(), 7u);
  damage_page_of(path(2), marks[1]);
  damage_page_of(path(2), marks[5]);
  open();
  EXPECT_EQ(consume_all(), all_marks_but({marks[1], marks[5]}));
  EXPECT_THAT(lost(), ElementsAre(sequences(marks[1], marks[1]), sequences(marks[5], marks[5])));
}

TEST_F(JournalRepair, ADestroyedHeaderCostsThatSegmentOnly) {
  make_segments();
  auto marks = marks_in(2);
  machine_.disk().damage(path(2), 0, std::string(kPage, '\xFF'));
  open();
  EXPECT_EQ(consume_all(), all_marks_but(marks));
  EXPECT_THAT(lost(), ElementsAre(sequences(marks.front(), marks.back())));
  EXPECT_THAT(kept(), Contains(StartsWith("00000002-")));
}

TEST_F(JournalRepair, AMissingSegmentIsListedAndTheRestIsServed) {
  make_segments();
  auto marks = marks_in(2);
  ASSERT_OK(machine_.files().remove(path(2)));
  open();
  EXPECT_EQ(consume_all(), all_marks_but(marks));
  EXPECT_THAT(lost(), ElementsAre(sequences(marks.front(), marks.back())));
  EXPECT_THAT(journal_->state().lost().at(0).reason, HasSubstr("missing"));
}

TEST_F(JournalRepair, WhatIsLostIsListedOnceHoweverOftenItIsFound) {
  make_segments();
  auto marks = marks_in(2);
  ASSERT_OK(machine_.files().remove(path(2)));
  for (int i = 0; i < 3; ++i) reopen();
  EXPECT_THAT(lost(), ElementsAre(sequences(marks.front(), marks.back())));
  damage_row(path(1), kFirstMark);
  reopen();
  consume_all();
  journal_->report_damage(1, "again");
  journal_->report_damage(1, "and again");
  ASSERT_OK(journal_->state().sync(test::kPatience));
  EXPECT_EQ(lost().size(), 2u);
}

TEST_F(JournalRepair, ADestroyedNewestSegmentBeginsANewEpoch) {
  make_segments();
  uint32_t newest = 4;
  ASSERT_TRUE(machine_.files().exists(path(newest)));
  machine_.disk().damage(path(newest), 0, std::string(2 * kPage, '\xFF'));
  open();
  EXPECT_NE(journal_->epoch(), epoch_) << "how far its numbers went is not known";
  Settlement stored = store(make_block(1, 1));
  EXPECT_TRUE(stored.durable);
  EXPECT_EQ(stored.epoch, journal_->epoch());
  consume_all();
}

TEST_F(JournalRepair, TheNumbersOfADestroyedNewestSegmentAreInDoubtUntilOthersAreStored) {
  make_segments();
  machine_.disk().damage(path(4), 0, std::string(2 * kPage, '\xFF'));
  open();
  for (int i = 0; i < 3; ++i) reopen();
  EXPECT_NE(store(make_block(1, 1)).epoch, epoch_);
}

// Regression: an empty file was taken for one that was never used, and its numbers were given out again.
TEST_F(JournalRepair, ANewestSegmentThatBecameEmptyBeginsANewEpoch) {
  make_segments();
  machine_.disk().truncate_silently(path(4), 0);
  machine_.disk().truncate_silently(path(4) + "-wal", 0);
  open();
  EXPECT_NE(journal_->epoch(), epoch_);
  EXPECT_TRUE(store(make_block(1, 1)).durable);
}

TEST_F(JournalRepair, TheNewestSegmentMissingWhileCursorsAreAheadBeginsANewEpochBehindThem) {
  make_segments();
  open();
  ConsumerState state = delivered_up_to("store", events_);
  journal_->state().post(state, {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  close();
  auto marks = marks_in(4);
  ASSERT_OK(machine_.files().remove(path(4)));
  open();
  EXPECT_NE(journal_->epoch(), epoch_);
  Settlement stored = store(make_block(1, 1));
  EXPECT_EQ(stored.first_sequence, events_ + 1);
  EXPECT_THAT(lost(), ElementsAre(sequences(marks.front(), events_ / kEvents + kFirstMark - 1)));
}

// Regression: only floors were looked at; the numbers that a consumer had settled above its floor were given to new
// events, which it would have taken for settled.
TEST_F(JournalRepair, NewNumbersBeginBehindWhatAConsumerSettledAboveItsFloor) {
  make_segments();
  open();
  ConsumerState state = delivered_up_to("store", 5);
  state.counts.delivered += state.cursor.settle(events_ + 20, events_ + 30);
  journal_->state().post(state, {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  reopen();
  EXPECT_NE(journal_->epoch(), epoch_);
  EXPECT_EQ(store(make_block(1, 1)).first_sequence, events_ + 31);
}

TEST_F(JournalRepair, WithoutAnySegmentTheNumbersOfTheCursorsAreNotUsedAgain) {
  make_segments();
  open();
  journal_->state().post(delivered_up_to("fast", 40), {});
  journal_->state().post(delivered_up_to("slow", 10), {});
  ASSERT_OK(journal_->state().sync(test::kPatience));
  close();
  for (const std::string& name : files()) {
    if (!segment_number(name)) continue;
    ASSERT_OK(machine_.files().remove("/data/journal/" + name));
  }
  open();
  EXPECT_EQ(store(make_block(1, 1)).first_sequence, 41u);
  EXPECT_THAT(lost(), ElementsAre(std::pair<uint64_t, uint64_t>(11, 40))) << "owed to the slow one";
}

TEST_F(JournalRepair, ADamagedStateFileIsKeptAndEveryEventIsServed) {
  make_segments();
  open();
  journal_->state().post(delivered_up_to("store", 30), {});
  close();
  machine_.disk().damage("/data/journal/state.db", 0, std::string(3 * kPage, '\xEE'));
  open();
  EXPECT_THAT(journal_->state().consumers(), IsEmpty());
  EXPECT_EQ(consume_all(), all_marks_but({}));
  EXPECT_THAT(kept(), Contains(StartsWith("state-")));
  journal_->state().post(delivered_up_to("store", 20), {});
  EXPECT_OK(journal_->state().sync(test::kPatience));
}

TEST_F(JournalRepair, AStateFileThatIsGoneBeginsANewEpochAndServesEveryEvent) {
  make_segments();
  ASSERT_OK(machine_.files().remove("/data/journal/state.db"));
  open();
  EXPECT_NE(journal_->epoch(), epoch_) << "what relaxed sources were told was in it";
  EXPECT_EQ(consume_all(), all_marks_but({}));
}

// ---- found while it runs

TEST_F(JournalRepair, DamageThatAppearsAtRunTimeIsRepairedAndTheReaderGoesOn) {
  make_segments();
  open();
  ASSERT_EQ(consume_all(), all_marks_but({}));
  uint64_t victim = marks_in(1).at(4);
  damage_row(path(1), victim);
  EXPECT_EQ(consume_all(), all_marks_but({victim}));
  EXPECT_EQ(journal_->count_events(1, journal_->head()).value(), events_ - kEvents);
}

// Regression: the writer was asked to let go of the file, but only looked when the next batch came.
TEST_F(JournalRepair, DamageInTheOpenSegmentIsRepairedThoughNothingMoreIsOffered) {
  options_.tail_bytes = 0;
  options_.segment_bytes = 64 << 20;
  open();
  for (uint64_t mark = kFirstMark; mark < kFirstMark + 10; ++mark) store(make_block(mark, kEvents, "", kPadding));
  events_ = 10 * kEvents;
  damage_row(path(1) + "-wal", kFirstMark + 4);
  EXPECT_EQ(consume_all(), all_marks_but({kFirstMark + 4}));
  EXPECT_THAT(lost(), ElementsAre(sequences(kFirstMark + 4, kFirstMark + 4)));
  EXPECT_TRUE(store(make_block(1, 1)).durable);
}

// Regression: a reader that recovered the WAL itself saw the rows before the damage only, and went on to the next
// segment as if the others had been given up.
TEST_F(JournalRepair, RowsThatAreHiddenAtTheEndOfASegmentAreNotSteppedOver) {
  make_segments();
  open();
  wait_for_checkpoints();
  {
    auto database = base::Database::open(path(2), base::OpenAs::kWriter, machine_.vfs_name());
    ASSERT_OK(database);
    ASSERT_OK(database->execute("DELETE FROM batch WHERE first_sequence = (SELECT max(first_sequence) FROM batch)"));
    ASSERT_OK(database->checkpoint_and_truncate());
  }
  uint64_t gone = marks_in(3).front() - 1;
  EXPECT_EQ(consume_all(), all_marks_but({gone}));
  EXPECT_THAT(lost(), ElementsAre(sequences(gone, gone))) << "it is listed";
}

// Regression: a read that failed once had the sound file rewritten, and what could not be read just then was lost.
TEST_F(JournalRepair, AReadErrorThatPassesSetsNothingAside) {
  make_segments();
  open();
  machine_.disk().inject({test::Operation::kRead, 2, 1, "00000002.db"});
  EXPECT_EQ(consume_all(), all_marks_but({}));
  EXPECT_THAT(lost(), IsEmpty());
  EXPECT_THAT(kept(), Not(Contains(EndsWith(".db"))));
}

// Regression: between taking the old file out of the table of contents and putting the new one in, readers took the
// whole segment for lost.
TEST_F(JournalRepair, ReadersNeverTakeASegmentUnderRepairForLost) {
  make_segments();
  uint64_t victim = marks_in(1).at(1);
  for (int round = 0; round < 20; ++round) {
    open();
    if (round == 0) damage_row(path(1), victim);
    std::atomic<bool> stop{false};
    std::thread reporter([&] {
      while (!stop) journal_->report_damage(1, "suspected");
    });
    for (int i = 0; i < 5; ++i) {
      auto marks = consume_all();
      EXPECT_EQ(marks, all_marks_but({victim}));
    }
    stop = true;
    reporter.join();
    close();
  }
  open();
  EXPECT_THAT(lost(), ElementsAre(sequences(victim, victim)));
}

TEST_F(JournalRepair, KeysOfSavedEventsAreStillKnown) {
  open();
  Settlement first = store(make_block(1, 3, "key"));
  ASSERT_TRUE(store(make_block(kFirstMark, 1, "", kPadding)).durable);
  fill_segments(1, 2000);
  wait_for_checkpoints();
  close();
  damage_row(path(1), kFirstMark);
  open();
  consume_all();
  ASSERT_THAT(lost(), ElementsAre(std::pair<uint64_t, uint64_t>(4, 4)));
  reopen();
  Settlement again = store(make_block(1, 3, "key"));
  EXPECT_EQ(again.duplicates, 3u);
  EXPECT_EQ(again.ids.at(0).first, first.ids.at(0).first);
}

// ---- cut short

// Regression: the damaged file's WAL was moved away before the file, and the file alone was taken for an unused one;
// saved rows waited under a name that the next start removed.
TEST_F(JournalRepair, ARepairThatLosesPowerAtAnyMomentLosesNothingMore) {
  for (test::CutMode mode : test::kAllCutModes) {
    bool finished = false;
    for (uint64_t n = 0; !finished && n < 400 && !HasFailure(); n += 1 + n / 30) {
      SCOPED_TRACE(std::string(test::name_of(mode)) + ", change " + std::to_string(n));
      test::CrashVfs machine(n + 1);
      Options options;
      options.data_dir = "/data";
      options.segment_bytes = 56 << 10;
      options.files = &machine.files();
      uint64_t last_mark = kFirstMark, victim_head = 0;
      {
        auto journal = Journal::open(options).value();
        Settlements settlements;
        for (; journal->statistics().segments.size() < 3; ++last_mark) {
          Offer offer;
          offer.listener = &settlements;
          offer.source = "api";
          offer.block = make_block(last_mark, kEvents, "", kPadding);
          offer.token = last_mark;
          offer.received_ns = base::wall_ns();
          journal->offer(std::move(offer));
          settlements.wait_for(last_mark);
        }
        victim_head = journal->statistics().segments.at(1).facts.last;
        journal->stop();
      }
      // The cut would bring a WAL back whose removal is not durable, and with it the undamaged page.
      ASSERT_OK(machine.files().sync_directory("/data/journal"));
      // The page of segment 2's last row: the survey itself finds it.
      uint64_t victim = kFirstMark + victim_head / kEvents - 1;
      size_t at = machine.disk().contents(path(2)).rfind(text_of(victim));
      ASSERT_NE(at, std::string::npos);
      machine.disk().damage(path(2), at / kPage * kPage, std::string(kPage, '\xA5'));
      machine.disk().power_off_at(n);
      { static_cast<void>(Journal::open(options)); }
      finished = !machine.disk().off();
      machine.power_cut(mode);
      options.files = &machine.files();
      auto journal = Journal::open(options);
      ASSERT_OK(journal);
      auto events = read_all(**journal);
      ASSERT_OK(events);
      EXPECT_EQ(events->size(), (last_mark - kFirstMark - 1) * kEvents);
      auto lost = (*journal)->state().lost();
      ASSERT_EQ(lost.size(), 1u);
      EXPECT_EQ(lost[0].first, sequences(victim, victim).first);
      EXPECT_EQ(lost[0].last, sequences(victim, victim).second);
    }
    EXPECT_TRUE(finished);
  }
}

TEST_F(JournalRepair, AnUnusedSpareIsRemovedAndNumberingGoesOn) {
  open();
  ASSERT_TRUE(store(1, 5).durable);
  uint64_t epoch = journal_->epoch();
  close();
  { ASSERT_OK(Segment::create(machine_.files(), path(7))); }
  open();
  EXPECT_FALSE(machine_.files().exists(path(7)));
  EXPECT_EQ(journal_->epoch(), epoch);
  EXPECT_EQ(store(2).first_sequence, 6u);
}

TEST_F(JournalRepair, RemainsOfAnUnfinishedRepairAreRemoved) {
  open();
  ASSERT_TRUE(store(1, 5).durable);
  close();
  { ASSERT_OK(Segment::create(machine_.files(), path(1) + ".tmp")); }
  open();
  for (const std::string& name : files()) EXPECT_THAT(name, Not(HasSubstr(".tmp")));
  EXPECT_EQ(contents().size(), 5u);
}

TEST_F(JournalRepair, AWalWithoutItsFileIsRemoved) {
  open();
  ASSERT_TRUE(store(1, 5).durable);
  close();
  ASSERT_OK(machine_.files().write_file_durably(path(3) + "-wal", "rubbish"));
  open();
  EXPECT_FALSE(machine_.files().exists(path(3) + "-wal"));
}

TEST_F(JournalRepair, ASegmentOfANewerVersionIsLeftAloneAndNamed) {
  make_segments(1);
  {
    auto database = base::Database::open(path(1), base::OpenAs::kWriter, machine_.vfs_name());
    ASSERT_OK(database);
    ASSERT_OK(database->execute("UPDATE segment SET format = 99"));
  }
  auto journal = Journal::open(options_);
  ASSERT_FALSE(journal.ok());
  EXPECT_THAT(journal.error().text(), HasSubstr("format 99"));
  EXPECT_THAT(journal.error().text(), HasSubstr("00000001.db"));
  EXPECT_TRUE(machine_.files().exists(path(1)));
}

}  // namespace
}  // namespace weir::journal
