// The delivery queue against a model that keeps every event's fate in plain maps: random pieces, random
// answers, lost and late ones, random time. Replay one seed with WEIR_SEED=n; more rounds with WEIR_ROUNDS=n.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "blocks.h"
#include "delivery/queue.h"

namespace weir::delivery {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;
using Sequence = std::pair<uint64_t, uint64_t>;  // epoch, sequence
using Key = std::pair<Sequence, uint32_t>;       // and part

enum class Fate { kPending, kDelivered, kDead };

struct Event {
  std::string device;
  Fate fate = Fate::kPending;
  uint64_t token = 0;  // of the submission it is in
  bool tried = false;
  base::Monotonic first_tried;
  base::Monotonic not_before;  // as the sink asked
};

struct Open {
  Submission submission;
  std::vector<Key> keys;
};

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), options_(random_options()), queue_(options_, now_) {}

  void run() {
    for (int step = 0; step < 400; ++step) {
      if (step % 25 == 0) change_mood();
      act();
      if (testing::Test::HasFatalFailure()) return;
    }
    finish();
  }

 private:
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool one_in(uint32_t n) { return below(n) == 0; }

  Options random_options() {
    Options options;
    options.seed = random_();
    options.limits.max_batch_events = 1 + below(one_in(3) ? 3 : 40);
    options.limits.max_batch_bytes = one_in(3) ? 300 + below(2000) : 1 << 20;
    options.limits.linger = one_in(2) ? 0ms : 20ms;
    options.limits.max_in_flight = one_in(2) ? 1 : 1 + below(4);
    options.limits.window_events = 5 + below(200);
    options.limits.window_bytes = one_in(3) ? 4000 + below(20000) : 1 << 20;
    options.limits.join_below_events = below(20);
    options.backoff = {100ms, 5s, 1.5 + below(3), 0.1 * below(11)};
    options.breaker.failures_to_open = 1 + below(5);
    options.breaker.backoff = {200ms, 10s, 2.0, 0.2};
    if (!one_in(3)) options.give_up_after = std::chrono::milliseconds(below(5) * 1000);
    devices_ = 1 + below(20);
    return options;
  }

  // How the sink behaves for a while.
  void change_mood() {
    down_ = one_in(3);
    retry_percent_ = one_in(2) ? 0 : below(60);
    reject_percent_ = one_in(2) ? 0 : below(20);
    poison_ = below(3);  // devices d0.. that are always refused
  }

  void act() {
    switch (below(10)) {
      case 0:
      case 1:
        return add();
      case 2:
      case 3:
      case 4:
        return take();
      case 5:
      case 6:
        return end_one();
      case 7:
        return late();
      case 8:
        return check_settled();
      default:
        return pass_time();
    }
  }

  void add() {
    if (!queue_.wants_more()) return;
    std::vector<test::Made> made;
    std::vector<uint64_t> dead_before;
    if (one_in(40)) ++epoch_;
    const uint32_t count = 1 + below(one_in(2) ? 4 : 60);
    for (uint32_t i = 0; i < count; ++i) {
      next_ += one_in(10) ? 1 + below(5) : 1;
      const uint32_t parts = one_in(8) ? 1 + below(4) : 1;
      const Sequence sequence{epoch_, next_};
      if (one_in(30)) {
        dead_before.push_back(next_);
        dead_before_.insert(sequence);
      }
      for (uint32_t part = 0; part < parts; ++part) {
        std::string device = "d" + std::to_string(below(devices_));
        const std::string metadata(one_in(5) ? below(90) : 0, 'm');
        made.push_back({next_, device, part, one_in(5) ? 1 + below(200) : 0u, metadata});
        const Key key{sequence, part};
        events_[key].device = device;
        order_[device].push_back(key);
        ++parts_[sequence];
        ++pending_;
      }
    }
    largest_ = std::max<uint64_t>(largest_, made.size());
    queue_.add(test::block_of(made, epoch_), now_, dead_before);
    check_counts();
  }

  void take() {
    const Breaker::State state = queue_.breaker().state();
    const bool blocked = state == Breaker::State::kHalfOpen ||
                         (state == Breaker::State::kOpen && now_ < *queue_.breaker().probe_at());
    auto submission = queue_.take(now_);
    if (!submission) {
      auto wake = queue_.next_wake(now_);
      ASSERT_TRUE(!wake || *wake > now_) << "it would be asked again and again";
      ASSERT_TRUE(wake || !open_.empty() || queue_.pending_events() == 0) << "nothing would ever wake it";
      return;
    }
    ASSERT_FALSE(blocked) << "submitted while the breaker is not closed";
    ASSERT_LT(open_.size(), options_.limits.max_in_flight);
    ASSERT_TRUE(tokens_.insert(submission->token).second);
    Open open{*submission, {}};
    const event::Block& block = *submission->block;
    const uint32_t count = block.batch()->count;
    ASSERT_GT(count, 0u);
    ASSERT_LE(count, options_.limits.max_batch_events);
    ASSERT_TRUE(count == 1 || block.size() <= options_.limits.max_batch_bytes + 64);
    for (uint32_t i = 0; i < count; ++i) {
      const weir_event_v1& event = *block.event(i);
      const Key key{{block.batch()->epoch, event.sequence}, event.part};
      ASSERT_EQ(events_.count(key), 1u);
      Event& known = events_[key];
      ASSERT_EQ(known.device, test::device_of(block, i));
      ASSERT_EQ(known.fate, Fate::kPending);
      ASSERT_EQ(known.token, 0u) << "in two submissions at once";
      ASSERT_GE(now_, known.not_before) << "earlier than the sink asked for";
      known.token = submission->token;
      if (!known.tried) known.first_tried = now_;
      known.tried = true;
      open.keys.push_back(key);
      check_order(key, known);
      if (testing::Test::HasFatalFailure()) return;
    }
    open_.push_back(std::move(open));
  }

  // What was added earlier for the same device is settled, or in this submission before it.
  void check_order(const Key& key, const Event& event) {
    std::vector<Key>& order = order_[event.device];
    std::erase_if(order, [&](const Key& each) { return events_[each].fate != Fate::kPending; });
    for (const Key& each : order) {
      if (each == key) return;
      if (may_be_given_up(each)) continue;
      ASSERT_EQ(events_[each].token, event.token) << "the order of " << event.device << " is broken";
    }
    FAIL() << "not in the order of its device";
  }

  // A dead part of an event is reported with its last part, so until then the model cannot know.
  bool may_be_given_up(const Key& key) {
    const Event& event = events_[key];
    return parts_[key.first] > 1 && options_.give_up_after && event.tried && event.token == 0 &&
           last_delivery_ >= event.first_tried + *options_.give_up_after;
  }

  void end_one() {
    if (open_.empty()) return;
    const size_t at = below(static_cast<uint32_t>(open_.size()));
    Open open = std::move(open_[at]);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(at));
    ended_.push_back(open.submission.token);
    for (const Key& key : open.keys) events_[key].token = 0;
    const uint64_t token = open.submission.token;
    std::vector<Outcome> outcomes;
    for (const Key& key : open.keys) outcomes.push_back(answer_of(events_[key].device));
    const uint32_t way = below(20);
    if (way == 0) {
      ASSERT_TRUE(queue_.give_back(token, now_));
      outcomes.clear();
    } else if (way <= 3) {
      ASSERT_TRUE(queue_.fail(token, "timed out", now_));
      outcomes.assign(open.keys.size(), {Kind::kRetry, {}, 0, "timed out"});
    } else if (way == 4) {
      outcomes.resize(outcomes.size() + 2, Outcome{});
      ASSERT_TRUE(queue_.complete(token, outcomes, now_));
      outcomes.assign(open.keys.size(), {Kind::kRetry, {}, 0, "wrong length"});
    } else if (way <= 8) {
      outcomes.assign(open.keys.size(), outcomes.front());
      ASSERT_TRUE(queue_.complete(token, {outcomes.data(), 1}, now_));
    } else {
      ASSERT_TRUE(queue_.complete(token, outcomes, now_));
    }
    take_note(open, outcomes);
    check_settled();
  }

  Outcome answer_of(const std::string& device) {
    static const char* const kReasons[] = {"busy", "no", ""};
    Outcome outcome{Kind::kRetry, one_in(5) ? base::Duration(below(3000) * 1ms) : 0ms, below(600),
                    kReasons[below(3)]};
    const bool poison = poison_ != 0 && device <= "d" + std::to_string(poison_ - 1) && device.size() == 2;
    if (finishing_) return {};
    if (down_ || poison || below(100) < retry_percent_) return outcome;
    if (below(100) < reject_percent_) return {Kind::kReject, {}, 400, "bad"};
    return {};
  }

  void take_note(const Open& open, const std::vector<Outcome>& outcomes) {
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].kind == Kind::kDelivered) last_delivery_ = now_;
    }
    for (size_t i = 0; i < outcomes.size(); ++i) {
      Event& event = events_[open.keys[i]];
      if (outcomes[i].kind == Kind::kRetry) {
        event.not_before = now_ + outcomes[i].after;
        continue;
      }
      event.fate = outcomes[i].kind == Kind::kDelivered ? Fate::kDelivered : Fate::kDead;
      --pending_;
    }
  }

  void late() {
    if (ended_.empty()) return;
    const Outcome delivered;
    ASSERT_FALSE(queue_.complete(ended_[below(static_cast<uint32_t>(ended_.size()))], {&delivered, 1}, now_));
  }

  void pass_time() {
    auto wake = queue_.next_wake(now_);
    now_ += wake && one_in(2) ? std::max(*wake - now_, base::Duration(0)) : base::Duration(below(2000) * 1ms);
  }

  // Everything reported is what the model expects, once; and nothing else of the model is settled.
  void check_settled() {
    for (const Settled& settled : queue_.drain_settled()) {
      ASSERT_LE(settled.first, settled.last);
      if (settled.dead) {
        note_dead(settled);
      } else {
        ASSERT_TRUE(settled.dead_parts.empty());
        for (uint64_t s = settled.first; s <= settled.last; ++s) note_delivered({settled.epoch, s});
      }
      if (testing::Test::HasFatalFailure()) return;
    }
    check_counts();
    for (const auto& [sequence, parts] : parts_) {
      bool pending = false;
      for (uint32_t part = 0; part < parts; ++part)
        pending |= events_[{sequence, part}].fate == Fate::kPending;
      ASSERT_EQ(settled_.count(sequence) == 0, pending) << "sequence " << sequence.second;
    }
  }

  void note_delivered(Sequence sequence) {
    ASSERT_EQ(parts_.count(sequence), 1u);
    ASSERT_EQ(dead_before_.count(sequence), 0u);
    ASSERT_TRUE(settled_.insert(sequence).second) << "settled twice";
    for (uint32_t part = 0; part < parts_[sequence]; ++part) {
      ASSERT_EQ(events_[Key(sequence, part)].fate, Fate::kDelivered);
    }
  }

  void note_dead(const Settled& settled) {
    const Sequence sequence{settled.epoch, settled.first};
    ASSERT_EQ(settled.first, settled.last);
    ASSERT_TRUE(settled_.insert(sequence).second) << "settled twice";
    std::set<uint32_t> dead;
    for (const DeadPart& part : settled.dead_parts) {
      ASSERT_TRUE(dead.insert(part.part).second);
      ASSERT_EQ(part.block->event(part.index)->sequence, settled.first);
      ASSERT_EQ(part.block->event(part.index)->part, part.part);
      Event& event = events_[{sequence, part.part}];
      ASSERT_EQ(test::device_of(*part.block, part.index), event.device);
      if (event.fate == Fate::kDead) continue;
      give_up(event);
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_TRUE(!dead.empty() || dead_before_.count(sequence) != 0);
    for (uint32_t part = 0; part < parts_[sequence]; ++part) {
      const Fate fate = events_[{sequence, part}].fate;
      ASSERT_EQ(fate, dead.count(part) != 0 ? Fate::kDead : Fate::kDelivered);
    }
  }

  // Only after others were delivered for so long: an outage, however long, gives up nothing.
  void give_up(Event& event) {
    ASSERT_EQ(event.fate, Fate::kPending);
    ASSERT_TRUE(options_.give_up_after);
    ASSERT_GE(last_delivery_, event.first_tried + *options_.give_up_after);
    event.fate = Fate::kDead;
    --pending_;
  }

  void check_counts() {
    uint64_t window = options_.limits.window_events + largest_;
    ASSERT_LT(queue_.pending_events(), window);
    ASSERT_EQ(queue_.in_flight(), open_.size());
    ASSERT_EQ(queue_.pending_bytes() == 0, queue_.pending_events() == 0);
    // Parts that were given up of events with pending parts are not reported yet.
    ASSERT_LE(queue_.pending_events(), pending_);
    ASSERT_TRUE(options_.give_up_after || queue_.pending_events() == pending_);
  }

  // The sink is well again: everything settles.
  void finish() {
    finishing_ = true;
    for (int step = 0; queue_.pending_events() != 0; ++step) {
      ASSERT_LT(step, 20000) << "it does not come to an end";
      take();
      if (testing::Test::HasFatalFailure()) return;
      if (!open_.empty()) {
        end_one();
      } else if (auto wake = queue_.next_wake(now_)) {
        now_ = std::max(now_, *wake);
      }
      if (testing::Test::HasFatalFailure()) return;
    }
    check_settled();
    ASSERT_EQ(settled_.size(), parts_.size());
    ASSERT_EQ(pending_, 0u);
    ASSERT_EQ(queue_.pending_bytes(), 0u);
    ASSERT_EQ(queue_.parked_devices(), 0u);
  }

  std::mt19937 random_;
  uint32_t devices_ = 1;
  base::Monotonic now_{1000h};
  Options options_;
  DeliveryQueue queue_;

  bool down_ = false, finishing_ = false;
  uint32_t retry_percent_ = 0, reject_percent_ = 0, poison_ = 0;
  uint64_t epoch_ = 1, next_ = 0, pending_ = 0, largest_ = 0;
  base::Monotonic last_delivery_{};
  std::map<Key, Event> events_;
  std::map<Sequence, uint32_t> parts_;
  std::set<Sequence> dead_before_, settled_;
  std::map<std::string, std::vector<Key>> order_;
  std::vector<Open> open_;
  std::vector<uint64_t> ended_;
  std::set<uint64_t> tokens_;
};

uint32_t from_environment(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

TEST(DeliveryQueueModel, SettlesEachEventOnceAndInOrderWhateverTheSinkDoes) {
  const uint32_t one = from_environment("WEIR_SEED", 0);
  const uint32_t first = one != 0 ? one : 1;
  const uint32_t last = one != 0 ? one : from_environment("WEIR_ROUNDS", 1000);
  for (uint32_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("WEIR_SEED=" + std::to_string(seed));
    Model(seed).run();
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace weir::delivery
