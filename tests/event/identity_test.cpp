#include "event/identity.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::event {
namespace {

constexpr int64_t kTime = 1'700'000'000'123'456'789;

TEST(IdSource, MakesUuidsOfVersion7) {
  IdSource source;
  Id id = source.next(kTime, 1);
  EXPECT_EQ(id[6] >> 4, 7);
  EXPECT_EQ(id[8] >> 6, 2);
  EXPECT_EQ(unix_ms(id), kTime / 1'000'000);
}

TEST(IdSource, NeverRepeatsAnIdWithinARunOrBetweenRuns) {
  IdSource source;
  std::set<Id> ids;
  for (int run = 0; run < 100; ++run) {
    Id first = source.next(kTime, 100);
    for (uint32_t n = 0; n < 100; ++n) {
      Id id = event::advance(first, n);
      EXPECT_TRUE(ids.insert(id).second);
      EXPECT_EQ(id[6] >> 4, 7);
      EXPECT_EQ(id[8] >> 6, 2);
    }
  }
}

TEST(IdSource, GrowsWithinARunAndWithTime) {
  IdSource source;
  Id first = source.next(kTime, 65536);
  EXPECT_LT(first, event::advance(first, 1));
  EXPECT_LT(event::advance(first, 1), event::advance(first, 65535));
  EXPECT_LT(event::advance(first, 65535), source.next(kTime + 1'000'000, 1));
}

TEST(IdSource, DiffersFromAnotherSource) {
  IdSource one, other;
  EXPECT_NE(one.next(kTime, 1), other.next(kTime, 1));
}

TEST(Derive, GivesEqualIdsForEqualFactsAndDifferentOnesElse) {
  IdSource source;
  std::set<Id> ids;
  for (int k = 0; k < 50; ++k) {
    Id cause = source.next(kTime, 1);
    ids.insert(cause);
    for (uint32_t part = 0; part < 50; ++part) {
      Id id = derive(cause, part);
      EXPECT_EQ(id, derive(cause, part));
      EXPECT_EQ(id[6] >> 4, 8);
      EXPECT_EQ(id[8] >> 6, 2);
      EXPECT_TRUE(ids.insert(id).second);
    }
  }
}

// Ids of delivered events must not change with a version of the gateway: sinks keep them.
TEST(Derive, IsFixedForEver) {
  const Id cause = *parse_id("018bcfe5-6800-7000-8000-000000000001");
  EXPECT_EQ(to_text(derive(cause, 0).data()), "4280dc09-1bc6-83cd-8465-4661ec88569b");
  EXPECT_EQ(to_text(derive(cause, 1).data()), "89338b85-e6c0-8893-a03a-4a85cf41d19f");
}

TEST(IdText, GoesThereAndBack) {
  const std::string text = "018bcfe5-687b-7abc-8def-0123456789ab";
  auto id = parse_id(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(to_text(id->data()), text);
  EXPECT_EQ(parse_id("018BCFE5-687B-7ABC-8DEF-0123456789AB"), id);
}

TEST(IdText, RefusesWhatIsNoUuid) {
  for (const char* text :
       {"", "018bcfe5", "018bcfe5-687b-7abc-8def-0123456789a", "018bcfe5-687b-7abc-8def-0123456789abc",
        "018bcfe5x687b-7abc-8def-0123456789ab", "018bcfe5-687b-7abc-8def-0123456789ag",
        "018bcfe5-687b7-abc-8def-0123456789ab", "018bcfe56-87b-7abc-8def-0123456789ab"}) {
    EXPECT_FALSE(parse_id(text)) << text;
  }
}

TEST(EpochText, IsSixteenHexDigits) {
  EXPECT_EQ(epoch_text(0x1f), "000000000000001f");
  EXPECT_EQ(epoch_text(UINT64_MAX), "ffffffffffffffff");
}

TEST(RandomU64, IsNeverTheSame) { EXPECT_NE(random_u64(), random_u64()); }

}  // namespace
}  // namespace weir::event
