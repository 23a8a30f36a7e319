// The window between a consumer's cursor and its sink: what was read and is not settled yet, in which order it may
// be submitted, and what became of it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
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
  uint32_t join_below_events = 64;   // pieces of at least so many events travel alone, at once and without a copy
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

// One part of an event that was given up for good: one dead letter.
struct DeadPart {
  uint32_t part = 0;
  uint32_t code = 0;
  uint32_t attempts = 0;  // while the breaker was closed, the last one included
  std::string reason;
  event::SharedBlock block;  // holds the event at `index`
  uint32_t index = 0;
};

// Sequences that are finished. Delivered ones come as ranges. An event is settled when all of its parts are; it is
// dead when one of them is, and then comes alone (first == last).
struct Settled {
  uint64_t epoch = 0;
  uint64_t first = 0, last = 0;
  bool dead = false;
  std::vector<DeadPart> dead_parts;  // empty for an event that was dead before it came here
};

// Order: events of one device (its device_id; equal hashes of different ids only wait for each other) are submitted
// in the order they were added, and not before those submitted earlier are settled. A device whose event was refused
// with RETRY is parked with its own backoff; then its oldest event alone is tried, and when that is settled the
// others follow. Other devices go on meanwhile.
//
// Giving up: a refused event is dead when give_up_after of the breaker's closed time lies between its first attempt
// and the last delivery of the sink to anybody. Time without a delivery might be an outage and ages nothing, so an
// outage never dead-letters the backlog, however long it is. A device that alone keeps being refused while others are
// delivered does not open the breaker.
//
// No I/O, no clock, no thread: one thread at a time calls it and brings the time, which must not go backwards. Cost:
// a piece that is submitted and delivered whole is a handful of operations, whatever its size.
class DeliveryQueue {
 public:
  DeliveryQueue(const Options& options, base::Monotonic now);
  ~DeliveryQueue();
  DeliveryQueue(const DeliveryQueue&) = delete;
  DeliveryQueue& operator=(const DeliveryQueue&) = delete;

  // Takes what the transforms made of one piece of the journal. Records are in order of (sequence, part) and hold
  // all parts of their sequences. Events without an output are not in it: the caller settles those itself.
  // `dead_before`: sequences of this block, ascending, of which a transform rejected another part (the caller has its
  // dead letter): they settle as dead when the rest is settled.
  void add(event::SharedBlock block, base::Monotonic now, std::span<const uint64_t> dead_before = {});

  // True when there is room for one more piece.
  bool wants_more() const;

  // The next batch to submit, if one is ready. Nothing while the breaker is open, max_in_flight are under way, every
  // device waits, or a small batch lingers. Each submission ends with exactly one of the next three.
  std::optional<Submission> take(base::Monotonic now);

  // The sink's answer: one outcome an event in the block's order, or a single one for all. False when the token is
  // unknown (abandoned earlier, or completed already): nothing happens. Any other number of outcomes is a defect of
  // the sink and counts as fail().
  bool complete(uint64_t token, std::span<const Outcome> outcomes, base::Monotonic now);
  // The submission was not taken or timed out: all of it is to be tried again. False for an unknown token.
  bool fail(uint64_t token, std::string_view reason, base::Monotonic now);
  // The submission was taken back (the sink is paused, swapped): nobody is blamed, all of it is ready again.
  bool give_back(uint64_t token, base::Monotonic now);

  // When take() may have something without another call in between: never earlier than `now`; nothing when only
  // add() or the end of a submission can change it.
  std::optional<base::Monotonic> next_wake(base::Monotonic now) const;

  // What was settled since the last call, in the order it happened, neighbouring ranges joined.
  std::vector<Settled> drain_settled();

  uint64_t pending_events() const { return pending_events_; }  // added and not settled
  uint64_t pending_bytes() const { return pending_bytes_; }
  size_t in_flight() const { return in_flight_.size(); }  // submissions
  size_t parked_devices() const { return parked_; }       // refused, waiting or being tried again
  const Breaker& breaker() const { return breaker_; }

  // A longer wait asked for by a sink is cut to this: a nonsense value must not park a device for weeks.
  static constexpr base::Duration kLongestRetryAfter = std::chrono::hours(1);

 private:
  struct Piece;
  struct Segment;
  struct Lane;
  struct InFlight;
  class Batch;
  struct Timer {
    base::Monotonic at;
    uint64_t device;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  bool ready_to_build(base::Monotonic now) const;
  bool add_from_lanes(Batch& batch);
  bool add_from_fresh(Batch& batch);
  Piece* whole_piece() const;
  Submission submit(std::vector<Segment> segments, event::SharedBlock block, base::Monotonic now);
  void wake_lanes(base::Monotonic now);
  void wake_all_lanes();

  bool finish(uint64_t token, std::span<const Outcome> outcomes, bool whole_failure, base::Monotonic now);
  bool blames_sink(const InFlight& submission, std::span<const Outcome> outcomes) const;
  void finish_events(InFlight& submission, std::span<const Outcome> outcomes, base::Monotonic now);
  void park(uint64_t device, Lane& lane, base::Duration after, base::Monotonic now);
  bool gives_up(const Segment& event) const;

  void settle(Piece& piece, uint32_t first, uint32_t count);
  void settle_dead(Piece& piece, uint32_t index, const Outcome& outcome, uint32_t attempts);
  void settle_events(Piece& piece, uint32_t first, uint32_t count);
  void report(uint64_t epoch, uint64_t first, uint64_t last);
  void release(Piece& piece, uint32_t settled);

  Options options_;
  Backoff backoff_;
  Breaker breaker_;

  std::vector<std::unique_ptr<Piece>> pieces_;  // all that are not settled
  std::deque<Piece*> fresh_;                    // those with events that take() has not looked at yet
  uint64_t fresh_events_ = 0;
  uint64_t fresh_bytes_ = 0;
  std::unordered_map<uint64_t, Lane> lanes_;  // devices that are parked, in flight (max_in_flight > 1) or behind
  std::deque<uint64_t> ready_;                // devices whose lane may be submitted
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;  // when parked devices become ready
  std::unordered_map<uint64_t, InFlight> in_flight_;                       // by token
  std::vector<Settled> settled_;
  event::Merger merger_;

  uint64_t next_token_ = 1;
  uint64_t pending_events_ = 0;
  uint64_t pending_bytes_ = 0;
  uint64_t deliveries_ = 0;  // submissions of which something was delivered
  size_t parked_ = 0;
  bool lanes_first_ = true;  // alternates, so that neither parked devices nor new events starve the others
};

}  // namespace weir::delivery
