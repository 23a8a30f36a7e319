#include "delivery/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "blocks.h"

namespace weir::delivery {
namespace {

using namespace std::chrono_literals;
using test::block_of;
using test::run_of;
using testing::ElementsAre;
using testing::IsEmpty;
using Sequences = std::vector<uint64_t>;
using Kind = Outcome::Kind;

constexpr Outcome kDelivered{};
const Outcome kRefused{Kind::kRetry, {}, 503, "unavailable"};
const Outcome kRejected{Kind::kReject, {}, 400, "no such sensor"};

class DeliveryQueueTest : public testing::Test {
 protected:
  DeliveryQueueTest() {
    options_.limits.max_batch_events = 100;
    options_.limits.join_below_events = 10;
    options_.backoff = {1s, 16s, 2.0, 0.0};
    options_.breaker.failures_to_open = 3;
    options_.breaker.backoff = {5s, 40s, 2.0, 0.0};
  }

  DeliveryQueue& queue() {
    if (!queue_) queue_.emplace(options_, now_);
    return *queue_;
  }
  void add(const std::vector<test::Made>& events) { queue().add(block_of(events), now_); }
  void add(event::SharedBlock block) { queue().add(std::move(block), now_); }

  static Sequences sequences(const Submission& submission) {
    Sequences all;
    for (uint32_t i = 0; i < submission.block->batch()->count; ++i) {
      all.push_back(submission.block->event(i)->sequence);
    }
    return all;
  }
  // The next submission, and its sequences in last_; empty when there is none.
  Sequences take() {
    auto submission = queue().take(now_);
    if (!submission) return {};
    last_ = *submission;
    return sequences(*submission);
  }
  void answer(std::vector<Outcome> outcomes) { EXPECT_TRUE(queue().complete(last_.token, outcomes, now_)); }

  // "1-3 dead:4 ..." of what was settled since the last call.
  std::string settled() {
    std::string text;
    for (const Settled& settled : queue().drain_settled()) {
      if (!text.empty()) text += ' ';
      if (settled.dead) text += "dead:";
      text += std::to_string(settled.first);
      if (settled.last != settled.first) text += '-' + std::to_string(settled.last);
    }
    return text;
  }

  Options options_;
  base::Monotonic now_{100h};
  std::optional<DeliveryQueue> queue_;
  Submission last_;
};

TEST_F(DeliveryQueueTest, SubmitsAWholePieceAsItIs) {
  auto block = run_of(1, 50, 7);
  add(block);
  EXPECT_EQ(take().size(), 50u);
  EXPECT_EQ(last_.block.get(), block.get());
  answer({kDelivered});
  EXPECT_EQ(settled(), "1-50");
  EXPECT_EQ(queue().pending_events(), 0u);
  EXPECT_EQ(queue().pending_bytes(), 0u);
}

TEST_F(DeliveryQueueTest, JoinsSmallPiecesIntoOneBatch) {
  add({{1, "a"}, {2, "b"}});
  add({{3, "a"}});
  add({{4, "c", 0, 100}});
  EXPECT_THAT(take(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(test::device_of(*last_.block, 3), "c");
  answer({kDelivered, kDelivered, kDelivered, kDelivered});
  EXPECT_EQ(settled(), "1-4");
}

TEST_F(DeliveryQueueTest, CutsAPieceThatIsLargerThanABatch) {
  add(run_of(1, 250, 7));
  EXPECT_EQ(take().size(), 100u);
  EXPECT_THAT(take(), IsEmpty()) << "one submission at a time";
  answer({kDelivered});
  EXPECT_EQ(take().size(), 100u);
  answer({kDelivered});
  EXPECT_EQ(take().size(), 50u);
  answer({kDelivered});
  EXPECT_EQ(settled(), "1-250");
}

TEST_F(DeliveryQueueTest, CutsABatchAtItsBytesButSendsALargeEventAlone) {
  options_.limits.max_batch_bytes = 1000;
  add({{1, "a", 0, 300}, {2, "b", 0, 0, std::string(300, 'r')}, {3, "c", 0, 5000}, {4, "d"}});
  EXPECT_THAT(take(), ElementsAre(1, 2));
  EXPECT_LE(last_.block->size(), 1000u);
  answer({kDelivered});
  EXPECT_THAT(take(), ElementsAre(3));
  answer({kDelivered});
  EXPECT_THAT(take(), ElementsAre(4));
}

TEST_F(DeliveryQueueTest, CountsMetadataAmongTheBytesOfABatch) {
  options_.limits.max_batch_bytes = 1000;
  add({{1, "a", 0, 300}, {2, "b", 0, 0, std::string(500, 'r')}});
  EXPECT_THAT(take(), ElementsAre(1));
}

TEST_F(DeliveryQueueTest, NeverJoinsTwoEpochs) {
  add(block_of({{7, "a"}}, 1));
  add(block_of({{1, "a"}}, 2));
  EXPECT_THAT(take(), ElementsAre(7));
  answer({kDelivered});
  EXPECT_THAT(take(), ElementsAre(1));
  answer({kDelivered});
  auto all = queue().drain_settled();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].epoch, 1u);
  EXPECT_EQ(all[1].epoch, 2u);
}

TEST_F(DeliveryQueueTest, WaitsForCompanyUntilTheLingerIsOverOrTheBatchIsFull) {
  options_.limits.linger = 50ms;
  add(run_of(1, 3));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_EQ(queue().next_wake(now_), now_ + 50ms);
  now_ += 20ms;
  add(run_of(4, 3));
  now_ += 30ms;
  EXPECT_EQ(take().size(), 6u);
  answer({kDelivered});
  for (uint64_t s = 7; s < 107; s += 5) add(run_of(s, 5));
  EXPECT_EQ(take().size(), 100u);
}

TEST_F(DeliveryQueueTest, WantsNoMoreWhenItsWindowIsFull) {
  options_.limits.window_events = 20;
  add(run_of(1, 15));
  EXPECT_TRUE(queue().wants_more());
  add(run_of(16, 15));
  EXPECT_FALSE(queue().wants_more());
  take();
  answer({kDelivered});
  EXPECT_TRUE(queue().wants_more());
}

TEST_F(DeliveryQueueTest, ReportsSequencesWithGapsAsTheyAre) {
  add({{1, "a"}, {2, "b"}, {5, "c"}, {6, "d"}, {9, "e"}});
  take();
  answer({kDelivered});
  EXPECT_EQ(settled(), "1-2 5-6 9");
}

TEST_F(DeliveryQueueTest, ParksARefusedDeviceAndGoesOnWithTheOthers) {
  add({{1, "a"}, {2, "b"}, {3, "a"}});
  take();
  answer({kRefused, kDelivered, kRefused});
  EXPECT_EQ(settled(), "2");
  EXPECT_EQ(queue().parked_devices(), 1u);
  add({{4, "a"}, {5, "b"}});
  EXPECT_THAT(take(), ElementsAre(5));
  answer({kDelivered});
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_EQ(queue().next_wake(now_), now_ + 1s);
  now_ += 1s;
  EXPECT_THAT(take(), ElementsAre(1)) << "its oldest event alone";
  answer({kDelivered});
  EXPECT_THAT(take(), ElementsAre(3, 4));
  answer({kDelivered});
  EXPECT_EQ(settled(), "5 1 3-4");
  EXPECT_EQ(queue().parked_devices(), 0u);
}

TEST_F(DeliveryQueueTest, WaitsLongerEachTimeADeviceIsRefused) {
  add({{1, "a"}, {2, "b"}});
  take();
  answer({kRefused, kDelivered});
  for (base::Duration wait : {1s, 2s, 4s, 8s, 16s, 16s}) {
    EXPECT_EQ(queue().next_wake(now_), now_ + wait);
    now_ += wait;
    EXPECT_THAT(take(), ElementsAre(1));
    answer({kRefused});
    add({{2, "b"}});  // shows that the sink is well
    take();
    answer({kDelivered});
  }
}

TEST_F(DeliveryQueueTest, WaitsAsLongAsTheSinkAsksWithinReason) {
  add({{1, "a"}, {2, "b"}});
  take();
  answer({{Kind::kRetry, 30s, 429, ""}, {Kind::kRetry, 2000h, 429, ""}});
  EXPECT_EQ(queue().next_wake(now_), now_ + 30s);
  now_ += 30s;
  EXPECT_THAT(take(), ElementsAre(1));
  answer({kDelivered});
  EXPECT_EQ(queue().next_wake(now_), now_ - 30s + DeliveryQueue::kLongestRetryAfter);
}

TEST_F(DeliveryQueueTest, MakesARejectedEventADeadLetterAtOnce) {
  add({{1, "a"}, {2, "b"}, {3, "c"}});
  take();
  answer({kDelivered, kRejected, kDelivered});
  auto all = queue().drain_settled();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(all[1].dead);
  EXPECT_EQ(all[1].first, 2u);
  ASSERT_EQ(all[1].dead_parts.size(), 1u);
  const DeadPart& dead = all[1].dead_parts[0];
  EXPECT_EQ(dead.code, 400u);
  EXPECT_EQ(dead.reason, "no such sensor");
  EXPECT_EQ(dead.attempts, 1u);
  EXPECT_EQ(dead.block->event(dead.index)->sequence, 2u);
  EXPECT_EQ(queue().pending_events(), 0u);
}

TEST_F(DeliveryQueueTest, SettlesAnEventWhenAllOfItsPartsAre) {
  options_.limits.max_batch_events = 2;
  add({{1, "a", 0}, {1, "b", 1}, {1, "c", 2}, {2, "d", 0}});
  take();
  answer({kDelivered});
  EXPECT_EQ(settled(), "");
  take();
  answer({kDelivered});
  EXPECT_EQ(settled(), "1-2");
}

TEST_F(DeliveryQueueTest, HoldsAnEventForDeadWhenAnyPartIsAndNamesEachDeadPart) {
  options_.limits.max_batch_events = 3;
  add({{1, "a", 0}, {1, "b", 1}, {1, "c", 2}, {1, "d", 3}});
  take();
  answer({kRejected, kDelivered, kRejected});
  EXPECT_EQ(settled(), "");
  take();
  answer({kDelivered});
  auto all = queue().drain_settled();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].dead);
  ASSERT_EQ(all[0].dead_parts.size(), 2u);
  EXPECT_EQ(all[0].dead_parts[0].part, 0u);
  EXPECT_EQ(all[0].dead_parts[1].part, 2u);
}

TEST_F(DeliveryQueueTest, SettlesAsDeadWhatWasDeadBefore) {
  const uint64_t dead_before[] = {2};
  queue().add(run_of(1, 3), now_, dead_before);
  take();
  answer({kDelivered});
  EXPECT_EQ(settled(), "1 dead:2 3");
}

TEST_F(DeliveryQueueTest, TriesASubmissionThatTimedOutAgainAndIgnoresItsLateAnswer) {
  add({{1, "a"}, {2, "b"}});
  take();
  const uint64_t lost = last_.token;
  EXPECT_TRUE(queue().fail(lost, "no answer in 30s", now_));
  EXPECT_FALSE(queue().complete(lost, {&kDelivered, 1}, now_));
  EXPECT_EQ(settled(), "");
  now_ += 1s;
  EXPECT_THAT(take(), ElementsAre(1, 2));
  answer({kDelivered});
  EXPECT_FALSE(queue().complete(last_.token, {&kDelivered, 1}, now_)) << "completed already";
  EXPECT_EQ(settled(), "1-2");
}

TEST_F(DeliveryQueueTest, TreatsAnAnswerOfTheWrongLengthAsAFailure) {
  add({{1, "a"}, {2, "b"}, {3, "c"}});
  take();
  answer({kDelivered, kDelivered});
  EXPECT_EQ(settled(), "");
  EXPECT_EQ(queue().pending_events(), 3u);
  EXPECT_EQ(queue().parked_devices(), 3u);
}

TEST_F(DeliveryQueueTest, HasWhatWasGivenBackReadyAtOnceAndInOrder) {
  add(run_of(1, 20, 3));
  take();
  add(run_of(21, 20, 3));
  EXPECT_TRUE(queue().give_back(last_.token, now_));
  EXPECT_FALSE(queue().give_back(last_.token, now_));
  EXPECT_EQ(queue().parked_devices(), 0u);
  Sequences again = take();
  std::sort(again.begin(), again.end());
  EXPECT_EQ(again.size(), 20u);
  EXPECT_EQ(again.back(), 20u);
  answer({kDelivered});
  EXPECT_EQ(take().size(), 20u);
  answer({kDelivered});
  EXPECT_EQ(queue().pending_events(), 0u);
}

TEST_F(DeliveryQueueTest, LetsADeviceWaitWhileItIsInFlight) {
  options_.limits.max_in_flight = 2;
  add({{1, "a"}, {2, "b"}});
  EXPECT_THAT(take(), ElementsAre(1, 2));
  Submission first = last_;
  add({{3, "a"}, {4, "c"}});
  EXPECT_THAT(take(), ElementsAre(4));
  EXPECT_TRUE(queue().complete(first.token, {&kDelivered, 1}, now_));
  EXPECT_THAT(take(), ElementsAre(3));
}

TEST_F(DeliveryQueueTest, SubmitsNothingWhileTheBreakerIsOpen) {
  add(run_of(1, 9, 9));
  for (int i = 0; i < 3; ++i) {
    add(run_of(10 + 9 * i, 9, 9));
    ASSERT_FALSE(take().empty());
    queue().fail(last_.token, "connection refused", now_);
    now_ += 2s;
  }
  EXPECT_EQ(queue().breaker().state(), Breaker::State::kOpen);
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_EQ(queue().next_wake(now_), now_ + 3s);
  now_ += 3s;
  EXPECT_FALSE(take().empty());
  EXPECT_TRUE(last_.probe);
  EXPECT_EQ(queue().next_wake(now_), std::nullopt);
  answer({kDelivered});
  EXPECT_EQ(queue().breaker().state(), Breaker::State::kClosed);
  EXPECT_FALSE(take().empty()) << "whoever was parked by the outage goes on at once";
}

TEST_F(DeliveryQueueTest, ProbesWithSeveralDevicesSoThatOneThatIsAlwaysRefusedDoesNotKeepTheBreakerOpen) {
  std::vector<test::Made> many;
  for (uint64_t s = 1; s <= 300; ++s) many.push_back({s, "poison"});
  add(many);
  add({{301, "good"}});
  while (queue().breaker().state() == Breaker::State::kClosed) {
    auto at = queue().next_wake(now_);
    ASSERT_TRUE(at);
    now_ = std::max(now_, *at);
    if (!take().empty()) queue().fail(last_.token, "down", now_);
  }
  // The sink is back, but refuses the one device for ever.
  for (int probes = 0; queue().breaker().state() != Breaker::State::kClosed; ++probes) {
    ASSERT_LT(probes, 3);
    now_ = *queue().next_wake(now_);
    ASSERT_FALSE(take().empty());
    std::vector<Outcome> outcomes;
    for (uint32_t i = 0; i < last_.block->batch()->count; ++i) {
      outcomes.push_back(test::device_of(*last_.block, i) == "poison" ? kRefused : kDelivered);
    }
    answer(outcomes);
  }
  EXPECT_EQ(settled(), "301");
}

TEST_F(DeliveryQueueTest, WaitsInAnOutageForTheBreakerAloneNotForEachDevice) {
  options_.limits.max_batch_events = 1;
  options_.backoff = {60s, 60s, 1.0, 0.0};
  add({{1, "a"}, {2, "b"}, {3, "c"}});
  for (int i = 0; i < 3; ++i) {
    take();
    answer({kRefused});
  }
  for (base::Duration wait : {5s, 10s, 20s, 40s, 40s}) {
    EXPECT_EQ(queue().next_wake(now_), now_ + wait);
    now_ += wait;
    EXPECT_FALSE(take().empty());
    answer({kRefused});
  }
}

TEST_F(DeliveryQueueTest, DoesNotOpenTheBreakerForADeviceThatAloneIsRefused) {
  add({{1, "poison"}, {2, "good"}});
  take();
  answer({kRefused, kDelivered});
  add({{3, "good"}});
  take();
  answer({kDelivered});
  for (int i = 0; i < 20; ++i) {
    now_ = *queue().next_wake(now_);
    ASSERT_THAT(take(), ElementsAre(1));
    answer({kRefused});
  }
  EXPECT_EQ(queue().breaker().state(), Breaker::State::kClosed);
}

TEST_F(DeliveryQueueTest, GivesUpAnEventThatIsRefusedForTooLongWhileOthersAreDelivered) {
  options_.give_up_after = 10s;
  add({{1, "poison"}, {2, "good"}});
  take();
  answer({kRefused, kDelivered});
  uint64_t next = 3;
  for (int step = 0; step < 200 && queue().pending_events() != 0; ++step) {
    now_ += 100ms;
    add({{next++, "good"}});
    if (take().empty()) continue;
    std::vector<Outcome> outcomes;
    for (uint64_t s : sequences(last_)) outcomes.push_back(s == 1 ? kRefused : kDelivered);
    answer(outcomes);
  }
  std::vector<Settled> dead;
  for (Settled& settled : queue().drain_settled()) {
    if (settled.dead) dead.push_back(std::move(settled));
  }
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].first, 1u);
  EXPECT_EQ(dead[0].dead_parts[0].reason, "unavailable");
  EXPECT_EQ(dead[0].dead_parts[0].code, 503u);
  EXPECT_EQ(dead[0].dead_parts[0].attempts, 5u) << "at 0, 1, 3, 7 and 15 seconds";
}

TEST_F(DeliveryQueueTest, GivesUpNothingInAnOutageHoweverLong) {
  options_.give_up_after = 1s;
  add(run_of(1, 200, 20));
  const base::Monotonic end = now_ + 24h * 3;
  int submissions = 0;
  while (now_ < end) {
    if (!take().empty()) {
      ++submissions;
      if (submissions % 2 == 0) {
        answer({kRefused});
      } else {
        queue().fail(last_.token, "timed out", now_);
      }
    }
    auto at = queue().next_wake(now_);
    ASSERT_TRUE(at);
    now_ = *at;
  }
  EXPECT_GT(submissions, 1000);
  EXPECT_EQ(settled(), "");
  uint64_t delivered = 0;
  while (queue().pending_events() != 0) {
    ASSERT_FALSE(take().empty());
    answer({kDelivered});
    for (const Settled& each : queue().drain_settled()) {
      ASSERT_FALSE(each.dead);
      delivered += each.last - each.first + 1;
    }
    now_ = queue().next_wake(now_).value_or(now_);
  }
  EXPECT_EQ(delivered, 200u);
}

TEST_F(DeliveryQueueTest, HoldsLittleMemoryForOneParkedEventOfALargePiece) {
  add(run_of(1, 100, 100));
  const uint64_t before = queue().pending_bytes();
  take();
  std::vector<Outcome> outcomes(100, kDelivered);
  outcomes[42] = kRefused;
  answer(outcomes);
  EXPECT_EQ(queue().pending_events(), 1u);
  EXPECT_LT(queue().pending_bytes(), before / 20);
  now_ += 1s;
  EXPECT_THAT(take(), ElementsAre(43));
  EXPECT_EQ(test::device_of(*last_.block, 0), "d43");
  answer({kDelivered});
  EXPECT_EQ(settled(), "1-42 44-100 43");
  EXPECT_EQ(queue().pending_bytes(), 0u);
}

TEST_F(DeliveryQueueTest, StarvesNeitherParkedDevicesNorFreshEvents) {
  options_.limits.max_batch_events = 1;
  options_.backoff = {1ms, 1ms, 1.0, 0.0};
  options_.breaker.failures_to_open = 1000;
  add({{1, "a"}, {2, "b"}, {3, "c"}});
  for (int i = 0; i < 2; ++i) {
    take();
    answer({kRefused});
  }
  uint64_t next = 10, fresh = 0, retried = 0;
  for (int i = 0; i < 100; ++i) {
    now_ += 1ms;
    add({{next++, "good"}});
    Sequences taken = take();
    ASSERT_EQ(taken.size(), 1u);
    const bool poison = taken[0] <= 2;
    (poison ? retried : fresh) += 1;
    answer({poison ? kRefused : kDelivered});
  }
  EXPECT_GT(fresh, 30u);
  EXPECT_GT(retried, 30u);
}

}  // namespace
}  // namespace weir::delivery
