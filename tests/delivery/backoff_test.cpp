#include "delivery/backoff.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weir::delivery {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, GrowsByTheMultiplierUpToTheMaximum) {
  Backoff backoff({1s, 10s, 2.0, 0.0}, 1);
  EXPECT_EQ(backoff.delay(1), 1s);
  EXPECT_EQ(backoff.delay(2), 2s);
  EXPECT_EQ(backoff.delay(3), 4s);
  EXPECT_EQ(backoff.delay(4), 8s);
  EXPECT_EQ(backoff.delay(5), 10s);
  EXPECT_EQ(backoff.delay(std::numeric_limits<uint32_t>::max()), 10s);
}

TEST(Backoff, ShortensEachDelayByARandomPartOfTheJitter) {
  Backoff backoff({1s, 60s, 2.0, 0.25}, 1);
  base::Duration least = 60s, most = 0s;
  for (int i = 0; i < 1000; ++i) {
    base::Duration delay = backoff.delay(3);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, 3s);
  EXPECT_LE(most, 4s);
  EXPECT_LT(least, 3050ms);
  EXPECT_GT(most, 3950ms);
}

TEST(Backoff, RepeatsItselfForASeed) {
  Backoff one({1s, 60s, 2.0, 1.0}, 42), same({1s, 60s, 2.0, 1.0}, 42), other({1s, 60s, 2.0, 1.0}, 43);
  bool differs = false;
  for (uint32_t n = 1; n < 20; ++n) {
    base::Duration delay = one.delay(n);
    EXPECT_EQ(delay, same.delay(n));
    differs |= delay != other.delay(n);
  }
  EXPECT_TRUE(differs);
}

TEST(Backoff, NeverSpinsHoweverOddItsOptions) {
  const double nan = std::nan("");
  for (Backoff::Options options :
       {Backoff::Options{0s, 0s, 0.0, 5.0}, {-1s, -5s, nan, nan}, {1s, 1ms, -1.0, -1.0}}) {
    Backoff backoff(options, 1);
    for (uint32_t n = 0; n < 100; ++n) {
      base::Duration delay = backoff.delay(n);
      EXPECT_GE(delay, Backoff::kShortest);
      EXPECT_LE(delay, 1s);
    }
  }
}

}  // namespace
}  // namespace weir::delivery
