#include "delivery/queue.h"

#include <algorithm>
#include <utility>

namespace weir::delivery {
namespace {

Options within_range(Options options) {
  Limits& limits = options.limits;
  limits.max_batch_events = std::clamp(limits.max_batch_events, 1u, WEIR_BATCH_MAX_EVENTS);
  // A joined block needs room for its head and padding too.
  limits.max_batch_bytes = std::clamp<size_t>(limits.max_batch_bytes, 1, WEIR_BATCH_MAX_BYTES - 64);
  limits.max_in_flight = std::max(limits.max_in_flight, 1u);
  limits.window_events = std::max(limits.window_events, 1u);
  limits.window_bytes = std::max<size_t>(limits.window_bytes, 1);
  // At once still means: after a delivery that came later than the attempt.
  if (options.give_up_after) options.give_up_after = std::max(*options.give_up_after, base::Duration(1));
  return options;
}

// What an event takes in a joined block beside its record, at most.
size_t text_size(const Piece& piece, uint32_t i) {
  const weir_event_v1& event = piece.event(i);
  size_t size =
      size_t{event.device_id.size} + event.sensor_type.size + event.unit.size + event.dedupe_key.size;
  if ((event.value_type & WEIR_VALUE_REF) != 0) size += event.value.ref.size;
  if (event.metadata_count == 0) return size;
  const auto* pairs = reinterpret_cast<const weir_metadata*>(piece.block->data() + event.metadata_offset);
  size += 4 + event.metadata_count * sizeof(weir_metadata);
  for (uint32_t k = 0; k < event.metadata_count; ++k) size += size_t{pairs[k].key.size} + pairs[k].value.size;
  return size;
}

}  // namespace

// A submission while it is put together.
class DeliveryQueue::Batch {
 public:
  explicit Batch(const Limits& limits) : limits_(limits) {}

  bool empty() const { return events_ == 0; }
  bool full() const { return events_ == limits_.max_batch_events; }

  // True when the event may join: there is room, and it is of the same epoch. The first one always may.
  bool fits(const Piece& piece, uint32_t i) const {
    if (events_ == 0) return true;
    const weir_batch* batch = piece.block->batch();
    size_t stride = std::max<size_t>(stride_, batch->event_size);
    size_t bytes = sizeof(weir_batch) + text_ + text_size(piece, i) + stride * (events_ + 1);
    return !full() && bytes <= limits_.max_batch_bytes && batch->epoch == epoch_;
  }

  // A single event.
  void add(const Segment& event) {
    const weir_batch* batch = event.piece->block->batch();
    epoch_ = batch->epoch;
    stride_ = std::max<size_t>(stride_, batch->event_size);
    text_ += text_size(*event.piece, event.first);
    ++events_;
    if (!event.in_lane && !segments_.empty()) {
      Segment& last = segments_.back();
      if (!last.in_lane && last.piece == event.piece && last.first + last.count == event.first) {
        ++last.count;
        return;
      }
    }
    segments_.push_back(event);
  }

  // One block of all its events: the piece's own when it is one whole piece.
  event::SharedBlock block(event::Merger& merger) const {
    const Piece& piece = *segments_.front().piece;
    if (segments_.size() == 1 && segments_[0].count == piece.block->batch()->count) return piece.block;
    for (const Segment& segment : segments_) {
      for (uint32_t i = segment.first; i < segment.first + segment.count; ++i) {
        merger.add(segment.piece->block->batch(), segment.piece->place(i));
      }
    }
    return std::make_shared<event::Block>(merger.take());
  }

  std::vector<Segment> take_segments() { return std::move(segments_); }

 private:
  const Limits& limits_;
  std::vector<Segment> segments_;
  uint32_t events_ = 0;
  size_t text_ = 0;    // bytes, at most
  size_t stride_ = 0;  // the longest record
  uint64_t epoch_ = 0;
};

DeliveryQueue::DeliveryQueue(const Options& options, base::Monotonic now)
    : options_(within_range(options)),
      backoff_(options.backoff, options.seed),
      breaker_(options.breaker, options.seed + 1, now) {}

void DeliveryQueue::add(event::SharedBlock block, base::Monotonic now,
                        std::span<const uint64_t> dead_before) {
  if (block->batch()->count == 0) return;
  Piece& piece = window_.add(std::move(block), now, dead_before);
  fresh_.push_back(&piece);
  fresh_events_ += piece.count;
  fresh_bytes_ += piece.block->size();
}

bool DeliveryQueue::wants_more() const {
  return window_.events() < options_.limits.window_events && window_.bytes() < options_.limits.window_bytes;
}

std::optional<Submission> DeliveryQueue::take(base::Monotonic now) {
  if (in_flight_.size() >= options_.limits.max_in_flight || !breaker_.allows(now)) return std::nullopt;
  wake(now);
  if (!is_ready(now)) return std::nullopt;

  bool ready_first = !ready_.empty() && std::exchange(ready_first_, !ready_first_);
  if (!ready_first && !fresh_.empty() && travels_alone(*fresh_.front())) {
    Piece& piece = *fresh_.front();
    fresh_.pop_front();
    fresh_events_ -= piece.count;
    fresh_bytes_ -= piece.block->size();
    piece.next = piece.count;
    return submit({{&piece, 0, piece.count, 0, false, kNotTried}}, piece.block, now);
  }
  Batch batch(options_.limits);
  if (ready_first) take_ready(batch);
  take_fresh(batch);
  if (!ready_first) take_ready(batch);
  if (batch.empty()) return std::nullopt;
  event::SharedBlock block = batch.block(merger_);
  return submit(batch.take_segments(), std::move(block), now);
}

// True when something may be submitted now, as far as time and company are concerned.
bool DeliveryQueue::is_ready(base::Monotonic now) const {
  if (!ready_.empty()) return true;
  if (fresh_.empty()) return false;
  const Limits& limits = options_.limits;
  bool enough = fresh_events_ >= limits.max_batch_events || fresh_bytes_ >= limits.max_batch_bytes;
  return enough || !joins(*fresh_.front()) || !wants_more() || now >= fresh_.front()->added + limits.linger;
}

// True for a whole piece that is large enough, within the limits, and of which no device has to wait.
bool DeliveryQueue::travels_alone(const Piece& piece) const {
  const Limits& limits = options_.limits;
  bool large = !joins(piece) || piece.count == limits.max_batch_events;
  if (!large || piece.next != 0) return false;
  if (piece.count > limits.max_batch_events || piece.block->size() > limits.max_batch_bytes) return false;
  if (lanes_.empty()) return true;
  for (uint32_t i = 0; i < piece.count; ++i) {
    if (lanes_.contains(piece.device(i))) return false;
  }
  return true;
}

// Puts what waits in ready lanes into the batch: of a refused device its oldest event, of the others all.
void DeliveryQueue::take_ready(Batch& batch) {
  for (size_t left = ready_.size(); left > 0 && !batch.full(); --left) {
    uint64_t device = ready_.front();
    Lane& lane = lanes_.at(device);
    ready_.pop_front();
    size_t most = lane.refused ? 1 : lane.waiting.size() - lane.head;
    uint32_t taken = 0;
    while (taken < most && batch.fits(*lane.waiting[lane.head].piece, lane.waiting[lane.head].first)) {
      Segment event = lane.pop_front();
      event.in_lane = true;
      batch.add(event);
      ++taken;
    }
    lane.in_flight += taken;
    lane.queued = taken == 0;
    if (lane.queued) ready_.push_back(device);  // too large for what is left, or of another epoch
  }
}

// Puts fresh events into the batch until it is full; those whose device has to wait are moved to its lane.
void DeliveryQueue::take_fresh(Batch& batch) {
  while (!fresh_.empty()) {
    Piece& piece = *fresh_.front();
    if (!batch.empty() && piece.next == 0 && !joins(piece)) return;  // it may travel alone, without a copy
    for (; piece.next < piece.count; ++piece.next, --fresh_events_) {
      Segment event{&piece, piece.next, 1, 0, false, kNotTried};
      if (!lanes_.empty()) {
        auto lane = lanes_.find(piece.device(piece.next));
        if (lane != lanes_.end()) {
          lane->second.push_back(event);
          continue;
        }
      }
      if (!batch.fits(piece, piece.next)) return;
      batch.add(event);
    }
    fresh_bytes_ -= piece.block->size();
    fresh_.pop_front();
  }
}

Submission DeliveryQueue::submit(std::vector<Segment> segments, event::SharedBlock block,
                                 base::Monotonic now) {
  uint64_t token = next_token_++;
  InFlight& submission = in_flight_[token];
  submission.segments = std::move(segments);
  submission.events = block->batch()->count;
  submission.closed_time = breaker_.closed_time(now);
  submission.probe = breaker_.submitted();
  for (Segment& segment : submission.segments) {
    if (options_.limits.max_in_flight > 1 && !segment.in_lane) {
      // The next submission must know which devices to leave alone.
      segment.in_lane = true;
      for (uint32_t i = segment.first; i < segment.first + segment.count; ++i) {
        ++lanes_[segment.piece->device(i)].in_flight;
      }
    }
    submission.lanes |= segment.in_lane;
  }
  return {token, std::move(block), submission.probe};
}

std::optional<base::Monotonic> DeliveryQueue::next_wake(base::Monotonic now) const {
  if (in_flight_.size() >= options_.limits.max_in_flight) return std::nullopt;
  if (breaker_.state() == Breaker::State::kHalfOpen) return std::nullopt;
  std::optional<base::Monotonic> at;
  if (is_ready(now)) {
    at = now;
  } else {
    if (!fresh_.empty()) at = fresh_.front()->added + options_.limits.linger;
    if (!timers_.empty() && (!at || timers_.top().at < *at)) at = timers_.top().at;
    if (!at) return std::nullopt;
  }
  return std::max({*at, now, breaker_.probe_at().value_or(now)});
}

}  // namespace weir::delivery
