// The second half of DeliveryQueue: what becomes of the events of a submission that has ended.
#include <algorithm>
#include <utility>

#include "base/result.h"
#include "delivery/queue.h"

namespace weir::delivery {
namespace {

// The outcome of the i-th event; one outcome stands for all.
const Outcome& outcome_of(std::span<const Outcome> outcomes, size_t i) {
  return outcomes.size() == 1 ? outcomes[0] : outcomes[i];
}

bool is_delivered(const Outcome& outcome) { return outcome.kind == Outcome::Kind::kDelivered; }

}  // namespace

void DeliveryQueue::Lane::push_front(const Segment& event) {
  if (head > 0) {
    waiting[--head] = event;
  } else {
    waiting.insert(waiting.begin(), event);
  }
}

DeliveryQueue::Segment DeliveryQueue::Lane::pop_front() {
  Segment event = waiting[head++];
  if (empty()) {
    waiting.clear();
    head = 0;
  }
  return event;
}

bool DeliveryQueue::complete(uint64_t token, std::span<const Outcome> outcomes, base::Monotonic now) {
  auto found = in_flight_.find(token);
  if (found == in_flight_.end()) return false;
  if (outcomes.size() != found->second.events && outcomes.size() != 1) {
    std::string reason = "the sink answered " + std::to_string(outcomes.size()) + " results for " +
                         std::to_string(found->second.events) + " events";
    return fail(token, reason, now);
  }
  InFlight submission = std::move(found->second);
  in_flight_.erase(found);
  finish(submission, outcomes, false, now);
  return true;
}

bool DeliveryQueue::fail(uint64_t token, std::string_view reason, base::Monotonic now) {
  auto found = in_flight_.find(token);
  if (found == in_flight_.end()) return false;
  InFlight submission = std::move(found->second);
  in_flight_.erase(found);
  Outcome refused;
  refused.kind = Outcome::Kind::kRetry;
  refused.reason = reason;
  finish(submission, {&refused, 1}, true, now);
  return true;
}

bool DeliveryQueue::give_back(uint64_t token, base::Monotonic now) {
  auto found = in_flight_.find(token);
  if (found == in_flight_.end()) return false;
  InFlight submission = std::move(found->second);
  in_flight_.erase(found);
  if (submission.probe) breaker_.withdrawn(now);
  std::vector<Returned> returned;
  for (const Segment& segment : submission.segments) {
    for (uint32_t i = segment.first; i < segment.first + segment.count; ++i) {
      uint64_t device = segment.piece->device(i);
      Lane& lane = lanes_[device];
      if (segment.in_lane) --lane.in_flight;
      returned.push_back({device, {segment.piece, i, 1, segment.attempts, false, segment.first_attempt}});
    }
  }
  put_back(returned);
  for (const Returned& event : returned) go_on(event.device, now);
  return true;
}

void DeliveryQueue::finish(const InFlight& submission, std::span<const Outcome> outcomes, bool whole_failed,
                           base::Monotonic now) {
  if (std::any_of(outcomes.begin(), outcomes.end(), is_delivered)) {
    ++deliveries_;
    breaker_.delivered(now);
  } else if (whole_failed || submission.probe || blames_sink(submission, outcomes)) {
    uint64_t before = breaker_.times_opened();
    breaker_.failed(now, submission.probe);
    if (breaker_.times_opened() != before) wake_after_opening();
  }
  if (!submission.lanes && std::all_of(outcomes.begin(), outcomes.end(), is_delivered)) {
    for (const Segment& segment : submission.segments) {
      window_.deliver(*segment.piece, segment.first, segment.count);
    }
    return;
  }
  std::vector<Returned> returned;
  std::vector<uint64_t> devices;  // whose lanes go on; some more than once
  uint32_t at = 0;
  for (const Segment& segment : submission.segments) {
    finish_segment(segment, submission.closed_time, outcomes.size() == 1 ? outcomes : outcomes.subspan(at),
                   now, returned, devices);
    at += segment.count;
  }
  put_back(returned);
  for (uint64_t device : devices) go_on(device, now);
}

// True when the failure of a whole submission says something about the sink: when a refused device is among
// it that may be well. One that was refused before and saw others delivered since is at fault itself.
bool DeliveryQueue::blames_sink(const InFlight& submission, std::span<const Outcome> outcomes) const {
  uint32_t at = 0;
  for (const Segment& segment : submission.segments) {
    if (!segment.in_lane) return true;
    for (uint32_t i = segment.first; i < segment.first + segment.count; ++i, ++at) {
      if (outcome_of(outcomes, at).kind == Outcome::Kind::kReject) return true;
      const Lane& lane = lanes_.at(segment.piece->device(i));
      if (!lane.refused || lane.refused_at == deliveries_) return true;
    }
  }
  return false;
}

// Settles what was delivered or is dead, and collects what is to be tried again.
void DeliveryQueue::finish_segment(const Segment& segment, base::Duration closed_time,
                                   std::span<const Outcome> outcomes, base::Monotonic now,
                                   std::vector<Returned>& returned, std::vector<uint64_t>& devices) {
  const bool counts = breaker_.state() == Breaker::State::kClosed;
  Piece& piece = *segment.piece;
  uint32_t delivered = 0;  // events before the i-th, not told to the window yet
  auto flush = [&](uint32_t end) {
    uint32_t count = std::exchange(delivered, 0);
    if (count != 0) window_.deliver(piece, end - count, count);
  };
  for (uint32_t k = 0; k < segment.count; ++k) {
    const uint32_t i = segment.first + k;
    const Outcome& outcome = outcome_of(outcomes, k);
    const uint64_t device = piece.device(i);
    auto found = lanes_.find(device);
    Lane* lane = found == lanes_.end() ? nullptr : &found->second;
    if (segment.in_lane) --lane->in_flight;
    if (lane != nullptr) devices.push_back(device);
    if (is_delivered(outcome)) {
      ++delivered;
      if (lane != nullptr) lane->delivered_now = true;
      continue;
    }
    flush(i);
    Segment event{&piece, i, 1, segment.attempts + (counts ? 1 : 0), false, segment.first_attempt};
    // The breaker's opening may have taken back time that had passed at the attempt.
    event.first_attempt = std::min({event.first_attempt, closed_time, breaker_.closed_time(now)});
    bool rejected = outcome.kind == Outcome::Kind::kReject;
    if (rejected || (counts && gives_up(event))) {
      DeadPart dead;
      dead.code = outcome.code;
      dead.attempts = segment.attempts + (counts || rejected ? 1 : 0);
      dead.reason = outcome.reason;
      window_.kill(piece, i, std::move(dead));
      if (lane != nullptr) lane->refusals = 0;
      continue;
    }
    if (lane == nullptr) {
      lane = &lanes_[device];
      devices.push_back(device);
    }
    lane->refused_now = true;
    lane->asked_wait = std::max(lane->asked_wait, std::min(outcome.after, kLongestRetryAfter));
    returned.push_back({device, event});
  }
  flush(segment.first + segment.count);
}

bool DeliveryQueue::gives_up(const Segment& event) const {
  return options_.give_up_after &&
         breaker_.closed_time_at_last_delivery() - event.first_attempt >= *options_.give_up_after;
}

// Puts events, in the order they were submitted, back to the head of their lanes.
void DeliveryQueue::put_back(const std::vector<Returned>& returned) {
  for (auto event = returned.rbegin(); event != returned.rend(); ++event) {
    lanes_.at(event->device).push_front(event->event);
  }
}

// Decides when a lane of which nothing is in flight any more may be submitted again, or ends it.
void DeliveryQueue::go_on(uint64_t device, base::Monotonic now) {
  auto found = lanes_.find(device);
  if (found == lanes_.end()) return;
  Lane& lane = found->second;
  if (lane.queued || lane.timed) return;  // decided already
  WEIR_CHECK(lane.in_flight == 0);
  bool was_refused = lane.refused;
  if (std::exchange(lane.delivered_now, false)) {
    lane.refused = false;
    lane.refusals = 0;
  }
  base::Duration asked = std::exchange(lane.asked_wait, base::Duration(0));
  bool refused_now = std::exchange(lane.refused_now, false);
  if (refused_now) {
    if (!lane.refused) lane.refused_at = deliveries_;
    lane.refused = true;
  }
  bool ends = lane.empty();
  parked_ += (lane.refused && !ends ? 1 : 0);
  parked_ -= was_refused ? 1 : 0;
  if (ends) {
    lanes_.erase(found);
  } else if (refused_now) {
    park(device, lane, asked, now);
  } else {
    enqueue(device, lane);
  }
}

void DeliveryQueue::park(uint64_t device, Lane& lane, base::Duration asked, base::Monotonic now) {
  const bool closed = breaker_.state() == Breaker::State::kClosed;
  if (closed) ++lane.refusals;
  lane.asked = asked > base::Duration(0);
  // While the breaker is not closed it is what everybody waits for.
  if (!closed && !lane.asked) return enqueue(device, lane);
  lane.timed = true;
  timers_.push({now + (lane.asked ? asked : backoff_.delay(lane.refusals)), device});
}

void DeliveryQueue::enqueue(uint64_t device, Lane& lane) {
  lane.queued = true;
  ready_.push_back(device);
}

// Makes the parked devices ready whose time has come.
void DeliveryQueue::wake(base::Monotonic now) {
  while (!timers_.empty() && timers_.top().at <= now) {
    uint64_t device = timers_.top().device;
    timers_.pop();
    Lane& lane = lanes_.at(device);
    lane.timed = false;
    enqueue(device, lane);
  }
}

// The breaker has opened: from now on it is what the parked devices wait for, but for those whose time the
// sink named.
void DeliveryQueue::wake_after_opening() {
  std::vector<Timer> kept;
  for (; !timers_.empty(); timers_.pop()) {
    Lane& lane = lanes_.at(timers_.top().device);
    if (lane.asked) {
      kept.push_back(timers_.top());
    } else {
      lane.timed = false;
      enqueue(timers_.top().device, lane);
    }
  }
  timers_ = decltype(timers_)(std::greater<>(), std::move(kept));
}

}  // namespace weir::delivery
