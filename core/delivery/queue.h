// The window between a consumer's cursor and its sink: what was read and is not settled yet, in which order
// it may be submitted, and what became of it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "delivery/backoff.h"
#include "delivery/breaker.h"
#include "delivery/window.h"
#include "event/block.h"
#include "event/merge.h"

namespace weir::delivery {

struct Limits {
  uint32_t max_batch_events = 1000;
  size_t max_batch_bytes = 1 << 20;  // an event larger than this goes alone
  base::Duration linger{0};          // how long a small piece may wait for company
  uint32_t max_in_flight = 1;        // submissions; with more than one, a device waits while it is in flight
  uint32_t window_events = 8192;     // what is held in memory; the last piece may overshoot both
  size_t window_bytes = 8 << 20;
  uint32_t join_below_events = 64;  // larger pieces travel alone, at once and without a copy
};

struct Options {
  Limits limits;
  Backoff::Options backoff;                     // of a refused device
  std::optional<base::Duration> give_up_after;  // closed time since the first attempt; nothing: never
  Breaker::Options breaker;
  uint64_t seed = 1;  // of the jitter
};

// What a sink said about one event. `reason` is read during the call only.
struct Outcome {
  enum class Kind : uint8_t { kDelivered, kRetry, kReject };
  Kind kind = Kind::kDelivered;
  base::Duration after{0};  // kRetry: 0 leaves it to the backoff
  uint32_t code = 0;        // kRetry, kReject: the sink's own number
  std::string_view reason;
};

// A batch to hand to the sink. Keep `block` until the sink no longer reads it.
struct Submission {
  uint64_t token = 0;  // never used twice
  event::SharedBlock block;
  bool probe = false;  // decides whether the breaker closes
};

// Order: events of one device (its device_id; equal hashes of different ids only wait for each other) are
// submitted in the order they were added, and not before those submitted earlier are settled. A device whose
// event was refused with RETRY is parked with its own backoff; then its oldest event alone is tried, and when
// that is settled the others follow. Other devices go on meanwhile.
//
// Giving up: a refused event is dead when give_up_after of the breaker's closed time lies between its first
// attempt and the last delivery of the sink to anybody. Time without a delivery might be an outage and ages
// nothing, so an outage never dead-letters the backlog, however long it is. A device that alone keeps being
// refused while others are delivered does not open the breaker.
//
// No I/O, no clock, no thread: one thread at a time calls it and brings the time, which must not go
// backwards. Cost: a piece that is submitted and delivered whole is a handful of operations, whatever its
// size.
class DeliveryQueue {
 public:
  DeliveryQueue(const Options& options, base::Monotonic now);
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  // Takes what the transforms made of one piece of the journal. Records are in order of (sequence, part) and
  // hold all parts of their sequences. Events without an output are not in it: the caller settles those
  // itself. `dead_before`: sequences of this block, ascending, of which a transform rejected another part
  // (the caller has its dead letter): they settle as dead when the rest is settled.
  void add(event::SharedBlock block, base::Monotonic now, std::span<const uint64_t> dead_before = {});

  // True when there is room for one more piece.
  bool wants_more() const;

  // The next batch to submit, if one is ready. Nothing while the breaker is open, max_in_flight are under
  // way, every device waits, or a small batch lingers. Each submission ends with exactly one of the next
  // three.
  std::optional<Submission> take(base::Monotonic now);

  // The sink's answer: one outcome an event in the block's order, or a single one for all. False when the
  // token is unknown (abandoned earlier, or completed already): nothing happens. Any other number of outcomes
  // is a defect of the sink and counts as fail().
  bool complete(uint64_t token, std::span<const Outcome> outcomes, base::Monotonic now);
  // The submission was not taken or timed out: all of it is to be tried again. False for an unknown token.
  bool fail(uint64_t token, std::string_view reason, base::Monotonic now);
  // The submission was taken back (the sink is paused, swapped): nobody is blamed, all of it is ready again.
  bool give_back(uint64_t token, base::Monotonic now);

  // When take() may have something without another call in between: never earlier than `now`; nothing when
  // only add() or the end of a submission can change it.
  std::optional<base::Monotonic> next_wake(base::Monotonic now) const;

  // What was settled since the last call, in the order it happened, neighbouring ranges joined.
  std::vector<Settled> drain_settled() { return window_.drain(); }

  uint64_t pending_events() const { return window_.events(); }  // added and not settled
  uint64_t pending_bytes() const { return window_.bytes(); }    // of the blocks that hold them
  size_t in_flight() const { return in_flight_.size(); }        // submissions
  size_t parked_devices() const { return parked_; }             // refused, waiting or being tried again
  const Breaker& breaker() const { return breaker_; }

  // A longer wait asked for by a sink is cut to this: a nonsense value must not park a device for weeks.
  static constexpr base::Duration kLongestRetryAfter = std::chrono::hours(1);

 private:
  // Events of one piece that are next to each other and share their history.
  struct Segment {
    Piece* piece = nullptr;
    uint32_t first = 0, count = 0;
    uint32_t attempts = 0;         // counted ones
    bool in_lane = false;          // in flight: its devices' lanes count it
    base::Duration first_attempt;  // closed time; kNotTried before
  };
  static constexpr base::Duration kNotTried = base::Duration::max();

  // A device whose fresh events must not be submitted at once: it is refused, in flight, or has older ones
  // waiting.
  struct Lane {
    std::vector<Segment> waiting;  // single events, the oldest at `head`
    size_t head = 0;
    uint32_t in_flight = 0;   // events
    uint32_t refusals = 0;    // in a row, counted ones
    uint64_t refused_at = 0;  // deliveries_ when the run of refusals began
    bool refused = false;     // nothing was delivered since: only the oldest event is tried
    bool queued = false;      // in ready_
    bool timed = false;       // in timers_
    bool asked = false;       // in timers_ for a time the sink named: an outage does not shorten it
    // What the submission that ends just now said.
    bool delivered_now = false, refused_now = false;
    base::Duration asked_wait{0};

    bool empty() const { return head == waiting.size(); }
    void push_back(const Segment& event) { waiting.push_back(event); }
    void push_front(const Segment& event);
    Segment pop_front();
  };

  struct InFlight {
    std::vector<Segment> segments;
    uint32_t events = 0;
    bool lanes = false;  // some of it is counted in lanes
    bool probe = false;
    base::Duration closed_time;  // when it was submitted
  };

  // An event that was in flight and is to be tried again.
  struct Returned {
    uint64_t device;
    Segment event;
  };
  class Batch;

  struct Timer {
    base::Monotonic at;
    uint64_t device;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  bool joins(const Piece& piece) const { return piece.count < options_.limits.join_below_events; }
  bool is_ready(base::Monotonic now) const;
  bool travels_alone(const Piece& piece) const;
  void take_ready(Batch& batch);
  void take_fresh(Batch& batch);
  Submission submit(std::vector<Segment> segments, event::SharedBlock block, base::Monotonic now);

  bool blames_sink(const InFlight& submission, std::span<const Outcome> outcomes) const;
  void finish(const InFlight& submission, std::span<const Outcome> outcomes, bool whole_failed,
              base::Monotonic now);
  void finish_segment(const Segment& segment, base::Duration closed_time, std::span<const Outcome> outcomes,
                      base::Monotonic now, std::vector<Returned>& returned, std::vector<uint64_t>& devices);
  bool gives_up(const Segment& event) const;
  void put_back(const std::vector<Returned>& returned);
  void go_on(uint64_t device, base::Monotonic now);
  void park(uint64_t device, Lane& lane, base::Duration asked, base::Monotonic now);
  void enqueue(uint64_t device, Lane& lane);
  void wake(base::Monotonic now);
  void wake_after_opening();

  Options options_;
  Backoff backoff_;
  Breaker breaker_;
  Window window_;

  std::deque<Piece*> fresh_;  // those with events that take() has not looked at, in the order they were added
  uint64_t fresh_events_ = 0;
  uint64_t fresh_bytes_ = 0;
  std::unordered_map<uint64_t, Lane> lanes_;  // by device; empty on the fast path
  std::deque<uint64_t> ready_;                // devices whose lane may be submitted, the longest ready first
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;  // when parked devices become ready
  std::unordered_map<uint64_t, InFlight> in_flight_;                       // by token
  event::Merger merger_;

  uint64_t next_token_ = 1;
  uint64_t deliveries_ = 0;  // submissions of which something was delivered
  size_t parked_ = 0;
  bool ready_first_ = true;  // alternates, so that neither parked devices nor fresh events starve the others
};

}  // namespace weir::delivery
