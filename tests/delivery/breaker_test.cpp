#include "delivery/breaker.h"

#include <gtest/gtest.h>

namespace weir::delivery {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

constexpr base::Monotonic kStart{};

Breaker::Options options() {
  Breaker::Options options;
  options.failures_to_open = 3;
  options.backoff = {1s, 8s, 2.0, 0.0};
  return options;
}

// Lets it fail until it opens, the last time at `now`.
void open(Breaker& breaker, base::Monotonic now) {
  for (int i = 0; i < 3; ++i) breaker.failed(now, false);
  ASSERT_EQ(breaker.state(), State::kOpen);
}

TEST(Breaker, OpensAfterSoManySubmissionsInARowOfWhichNothingWasDelivered) {
  Breaker breaker(options(), 1, kStart);
  breaker.failed(kStart, false);
  breaker.failed(kStart, false);
  breaker.delivered(kStart);
  breaker.failed(kStart, false);
  breaker.failed(kStart, false);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_TRUE(breaker.allows(kStart));
  breaker.failed(kStart, false);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_FALSE(breaker.allows(kStart));
  EXPECT_EQ(breaker.times_opened(), 1u);
}

TEST(Breaker, LetsOneProbeThroughWhenTheBackoffIsOver) {
  Breaker breaker(options(), 1, kStart);
  open(breaker, kStart);
  EXPECT_EQ(breaker.probe_at(), kStart + 1s);
  EXPECT_FALSE(breaker.allows(kStart + 999ms));
  EXPECT_TRUE(breaker.allows(kStart + 1s));
  EXPECT_TRUE(breaker.submitted());
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.allows(kStart + 1h));
}

TEST(Breaker, WaitsLongerAfterEachFailedProbe) {
  Breaker breaker(options(), 1, kStart);
  open(breaker, kStart);
  base::Monotonic now = kStart;
  for (base::Duration wait : {1s, 2s, 4s, 8s, 8s}) {
    EXPECT_EQ(breaker.probe_at(), now + wait);
    now += wait;
    breaker.submitted();
    breaker.failed(now, true);
  }
  EXPECT_EQ(breaker.times_opened(), 1u);
}

TEST(Breaker, ClosesWithAnyDeliveryAndStartsItsBackoffAnew) {
  Breaker breaker(options(), 1, kStart);
  open(breaker, kStart);
  breaker.submitted();
  breaker.failed(kStart + 1s, true);
  breaker.delivered(kStart + 2s);  // of a submission from before it opened
  EXPECT_EQ(breaker.state(), State::kClosed);
  open(breaker, kStart + 3s);
  EXPECT_EQ(breaker.probe_at(), kStart + 4s);
}

TEST(Breaker, IgnoresTheFailureOfAnOldSubmissionWhileItIsOpen) {
  Breaker breaker(options(), 1, kStart);
  open(breaker, kStart);
  breaker.failed(kStart + 500ms, false);
  EXPECT_EQ(breaker.probe_at(), kStart + 1s);
  breaker.submitted();
  breaker.failed(kStart + 1s, false);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(Breaker, ProbesAgainAtOnceWhenTheProbeWasTakenBack) {
  Breaker breaker(options(), 1, kStart);
  open(breaker, kStart);
  breaker.submitted();
  breaker.withdrawn(kStart + 2s);
  EXPECT_TRUE(breaker.allows(kStart + 2s));
  EXPECT_TRUE(breaker.submitted());
}

TEST(Breaker, CountsOnlyTheTimeThatItIsClosed) {
  Breaker breaker(options(), 1, kStart);
  breaker.delivered(kStart + 10s);
  EXPECT_EQ(breaker.closed_time(kStart + 10s), 10s);
  EXPECT_EQ(breaker.closed_time(kStart + 15s), 15s);
  EXPECT_EQ(breaker.closed_time_at_last_delivery(), 10s);
  open(breaker, kStart + 15s);
  EXPECT_EQ(breaker.closed_time(kStart + 15s), 10s)
      << "the time of the failures that opened it is taken back";
  EXPECT_EQ(breaker.closed_time(kStart + 1h), 10s);
  breaker.submitted();
  EXPECT_EQ(breaker.closed_time(kStart + 1h), 10s);
  breaker.delivered(kStart + 2h);
  EXPECT_EQ(breaker.closed_time(kStart + 2h + 3s), 13s);
}

}  // namespace
}  // namespace weir::delivery
