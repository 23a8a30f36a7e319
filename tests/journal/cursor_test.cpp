#include "journal/cursor.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <utility>
#include <vector>

namespace weir::journal {
namespace {

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

Ranges unsettled(const Cursor& cursor, uint64_t head) {
  Ranges ranges;
  cursor.for_each_unsettled(head, [&](uint64_t first, uint64_t last) { ranges.emplace_back(first, last); });
  return ranges;
}

TEST(Cursor, MovesItsFloorWhenTheNextSequencesAreSettled) {
  Cursor cursor(10);
  EXPECT_EQ(cursor.settle(10, 19), 10u);
  EXPECT_EQ(cursor.floor(), 20u);
  EXPECT_EQ(cursor.intervals(), 0u);
  EXPECT_EQ(cursor.settled_above(), 0u);
}

TEST(Cursor, CountsASequenceOnceHoweverOftenItIsSettled) {
  Cursor cursor;
  EXPECT_EQ(cursor.settle(5, 7), 3u);
  EXPECT_EQ(cursor.settle(5, 7), 0u);
  EXPECT_EQ(cursor.settle(4, 8), 2u);
  EXPECT_EQ(cursor.settle(1, 8), 3u);
  EXPECT_EQ(cursor.settle(1, 3), 0u);
  EXPECT_EQ(cursor.floor(), 9u);
}

TEST(Cursor, JoinsNeighboursOnBothSides) {
  Cursor cursor;
  cursor.settle(3, 4);
  cursor.settle(6, 7);
  EXPECT_EQ(cursor.intervals(), 2u);
  EXPECT_EQ(cursor.settle(5, 5), 1u);
  EXPECT_EQ(cursor.intervals(), 1u);
  EXPECT_EQ(cursor.settled_above(), 5u);
}

TEST(Cursor, TakesTheFloorOverAnIntervalThatItReaches) {
  Cursor cursor;
  cursor.settle(3, 5);
  cursor.settle(9, 9);
  EXPECT_EQ(cursor.settle(1, 2), 2u);
  EXPECT_EQ(cursor.floor(), 6u);
  EXPECT_EQ(cursor.settled_above(), 1u);
}

TEST(Cursor, NamesTheUnsettledRangesUpToTheHead) {
  Cursor cursor;
  cursor.settle(3, 5);
  cursor.settle(9, 9);
  EXPECT_EQ(unsettled(cursor, 12), (Ranges{{1, 2}, {6, 8}, {10, 12}}));
  EXPECT_EQ(unsettled(cursor, 9), (Ranges{{1, 2}, {6, 8}}));
  EXPECT_EQ(unsettled(cursor, 7), (Ranges{{1, 2}, {6, 7}}));
  EXPECT_EQ(unsettled(cursor, 0), Ranges{});
  EXPECT_EQ(cursor.next_unsettled(1), 1u);
  EXPECT_EQ(cursor.next_unsettled(3), 6u);
  EXPECT_EQ(cursor.next_unsettled(6), 6u);
  EXPECT_EQ(cursor.next_unsettled(10), 10u);
}

TEST(Cursor, IsFullAtItsBoundAndStillRecordsWhatWasUnderWay) {
  Cursor cursor(1, 2);
  cursor.settle(3, 3);
  EXPECT_FALSE(cursor.full());
  cursor.settle(5, 5);
  EXPECT_TRUE(cursor.full());
  EXPECT_TRUE(cursor.would_overflow(7, 7));
  EXPECT_FALSE(cursor.would_overflow(6, 6));
  EXPECT_FALSE(cursor.would_overflow(4, 4));
  EXPECT_FALSE(cursor.would_overflow(1, 1));
  EXPECT_EQ(cursor.settle(7, 7), 1u);
  EXPECT_TRUE(cursor.is_settled(7));
  cursor.settle(1, 4);
  EXPECT_FALSE(cursor.full());
}

TEST(Cursor, WorksUpToTheLastSequence) {
  constexpr uint64_t kLast = ~uint64_t{0} - 1;
  Cursor cursor(kLast - 2);
  EXPECT_EQ(cursor.settle(kLast, kLast), 1u);
  EXPECT_TRUE(cursor.is_settled(kLast));
  auto read = Cursor::decode(cursor.encode());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, cursor);
  EXPECT_EQ(cursor.settle(0, kLast), 2u);
  EXPECT_EQ(cursor.floor(), kLast + 1);
}

// Any sequence of settles leaves the cursor as a plain set of sequences says.
TEST(Cursor, AgreesWithASetOfSequences) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const uint64_t head = 20 + random() % 300;
    const uint64_t start = 1 + random() % 5;
    Cursor cursor(start, 8);
    std::set<uint64_t> model;
    for (uint64_t s = 0; s < start; ++s) model.insert(s);
    for (int step = 0; step < 60; ++step) {
      uint64_t first = random() % (head + 1);
      uint64_t last = std::min<uint64_t>(head, first + random() % (step % 3 == 0 ? 40 : 4));
      if (random() % 4 == 0) first = cursor.floor(), last = std::max(first, last);
      const bool overflow = cursor.would_overflow(first, last);
      const size_t before = cursor.intervals();
      uint64_t added = 0;
      for (uint64_t s = first; s <= last; ++s) added += model.insert(s).second;
      ASSERT_EQ(cursor.settle(first, last), added);
      ASSERT_EQ(overflow, cursor.intervals() > 8 && cursor.intervals() > before);

      uint64_t floor = 0;
      while (model.count(floor) != 0) ++floor;
      ASSERT_EQ(cursor.floor(), floor);
      uint64_t above = 0;
      for (uint64_t s : model) above += s > floor;
      ASSERT_EQ(cursor.settled_above(), above);
      std::set<uint64_t> open;
      cursor.for_each_unsettled(head, [&](uint64_t a, uint64_t b) {
        ASSERT_LE(a, b);
        for (uint64_t s = a; s <= b; ++s) ASSERT_TRUE(open.insert(s).second);
      });
      for (uint64_t s = 0; s <= head; ++s) {
        ASSERT_EQ(cursor.is_settled(s), model.count(s) != 0) << s;
        ASSERT_EQ(open.count(s), 1 - model.count(s)) << s;
        uint64_t next = s;
        while (model.count(next) != 0) ++next;
        ASSERT_EQ(cursor.next_unsettled(s), next);
      }
      auto read = Cursor::decode(cursor.encode(), 8);
      ASSERT_TRUE(read.ok()) << read.error().text();
      ASSERT_EQ(*read, cursor);
      ASSERT_EQ(read->settled_above(), cursor.settled_above());
    }
  }
}

TEST(Cursor, RefusesBytesOfAnotherVersionOrLength) {
  Cursor cursor(100);
  cursor.settle(200, 300);
  const std::string bytes = cursor.encode();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Cursor::decode(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(Cursor::decode(bytes + '\0').ok());
  std::string newer = bytes;
  newer[0] = 2;
  auto refused = Cursor::decode(newer);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::Code::kDamaged);
  EXPECT_NE(refused.error().text().find("version"), std::string::npos);
}

// Damaged bytes are an error or another well-formed cursor, which encodes to those very bytes.
TEST(Cursor, ReadsDamagedBytesAsAnErrorOrAsAWellFormedCursor) {
  std::mt19937 random(7);
  size_t refused = 0, read = 0;
  for (int round = 0; round < 20000; ++round) {
    Cursor cursor(random() % 3 == 0 ? ~uint64_t{0} - 1 - random() % 500 : random() % 1000);
    const uint64_t floor = cursor.floor();
    for (int i = random() % 6; i > 0; --i) {
      uint64_t first = floor + random() % 200;
      if (first >= floor && first < ~uint64_t{0} - 30) cursor.settle(first, first + random() % 20);
    }
    std::string bytes = cursor.encode();
    for (int i = random() % 4; i >= 0; --i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 4), '\x7f');
    auto result = Cursor::decode(bytes);
    if (!result.ok()) {
      ++refused;
      continue;
    }
    ++read;
    ASSERT_EQ(result->encode(), bytes);
    uint64_t above = 0, end = result->floor();
    result->for_each_unsettled(~uint64_t{0} - 1, [&](uint64_t first, uint64_t last) {
      above += first - end;
      end = last + 1;
    });
    ASSERT_LE(above, result->settled_above());
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(read, 1000u);
}

}  // namespace
}  // namespace weir::journal
