#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::base {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kSecond = 1'000'000'000;

TEST(Time, WritesRfc3339WithOnlyTheDigitsThatCount) {
  constexpr int64_t kStart = 1'795'551'300 * kSecond;
  EXPECT_EQ(rfc3339(kStart), "2026-11-24T20:15:00Z");
  EXPECT_EQ(rfc3339(kStart + 250'000'000), "2026-11-24T20:15:00.250Z");
  EXPECT_EQ(rfc3339(kStart + 250'001'000), "2026-11-24T20:15:00.250001Z");
  EXPECT_EQ(rfc3339(kStart + 1), "2026-11-24T20:15:00.000000001Z");
}

TEST(Time, WritesInstantsBefore1970) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(rfc3339(-kSecond), "1969-12-31T23:59:59Z");
}

TEST(Time, WritesTheEndsOfWhatFits) {
  EXPECT_EQ(rfc3339(std::numeric_limits<int64_t>::max()), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(rfc3339(std::numeric_limits<int64_t>::min()), "1677-09-21T00:12:43.145224192Z");
}

TEST(Time, DoesNotBelieveAClockThatStartedIn1970) {
  EXPECT_FALSE(plausible(0));
  EXPECT_FALSE(plausible(3600 * kSecond));
  EXPECT_FALSE(plausible(1'767'225'600 * kSecond - 1));
  EXPECT_TRUE(plausible(1'767'225'600 * kSecond));  // 2026-01-01
}

TEST(Time, MonotonicTimeNeverGoesBack) {
  int64_t before = monotonic_ns();
  Monotonic at = now();
  EXPECT_LE(before, monotonic_ns(at));
  EXPECT_LE(monotonic_ns(at), monotonic_ns());
}

TEST(Time, WritesDurationsForPeople) {
  EXPECT_EQ(human_duration(0ns), "0us");
  EXPECT_EQ(human_duration(250us), "250us");
  EXPECT_EQ(human_duration(350ms), "350ms");
  EXPECT_EQ(human_duration(1200ms), "1.2s");
  EXPECT_EQ(human_duration(90s), "1m 30s");
  EXPECT_EQ(human_duration(3h + 12min), "3h 12m");
  EXPECT_EQ(human_duration(50h), "2d 2h");
}

}  // namespace
}  // namespace weir::base
