#include "delivery/unrouted.h"

#include <algorithm>
#include <utility>

#include "base/thread.h"

namespace weir::delivery {
namespace {

constexpr size_t kReadBytes = 512 << 10;
constexpr base::Duration kPostEvery = std::chrono::milliseconds(200);
constexpr base::Duration kLookEvery = std::chrono::seconds(5);
// Nobody waits for it, so it does not wake for each commit; what comes meanwhile must still be in the journal's tail.
constexpr base::Duration kPace = std::chrono::milliseconds(10);
constexpr const char* kRouted = "routed to a sink";

}  // namespace

Unrouted::Unrouted(journal::Journal& journal, journal::ConsumerState state)
    : journal_(journal), state_(std::move(state)), reader_(journal), position_(state_.cursor.floor()) {}

Unrouted::~Unrouted() { stop(std::chrono::seconds(1)); }

void Unrouted::start() {
  publish_status();
  journal_.state().post(state_, {});
  journal_.add(this);
  thread_ = base::start_thread("unrouted", [this] { run(); });
}

bool Unrouted::stop(base::Duration patience) {
  if (!thread_.joinable()) return true;
  journal_.remove(this);
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    if (!changed_.wait_for(lock, patience, [&] { return ended_; })) {
      abandoned_ = true;
      return false;
    }
  }
  thread_.join();
  return true;
}

bool Unrouted::route(Graph graph, base::Duration patience) {
  std::unique_lock lock(mutex_);
  next_ = std::make_unique<Graph>(std::move(graph));
  next_from_ = journal_.head() + 1;
  wake_.notify_all();
  return changed_.wait_for(lock, patience, [&] { return next_ == nullptr || ended_; });
}

void Unrouted::discard(uint64_t head) {
  std::lock_guard lock(mutex_);
  discard_ = head;
  wake_.notify_all();
}

void Unrouted::head_moved() {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(woken_, true)) return;
  }
  wake_.notify_all();
}

ConsumerStatus Unrouted::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void Unrouted::run() {
  bool dirty = false, worked = false;
  base::Monotonic posted{};
  for (;;) {
    uint64_t discard = 0;
    {
      std::unique_lock lock(mutex_);
      auto asked = [&] { return stopping_ || next_ != nullptr || discard_ != 0; };
      if (!worked) {
        wake_.wait_for(lock, dirty ? kPostEvery : kLookEvery, [&] { return woken_ || asked(); });
      } else if (position_ > journal_.head()) {
        wake_.wait_for(lock, kPace, asked);
      }
      if (stopping_) break;
      woken_ = false;
      if (next_ != nullptr && may_switch(worked)) {
        current_ = std::move(*std::exchange(next_, nullptr));
        position_ = state_.cursor.floor();
        changed_.notify_all();
      }
      discard = std::exchange(discard_, 0);
    }
    if (discard >= state_.cursor.floor()) {
      state_.counts.discarded += state_.cursor.settle(state_.cursor.floor(), discard);
      position_ = std::max(position_, discard + 1);
      dirty = true;
    }
    worked = read_more();
    dirty |= worked;
    if (dirty && base::now() - posted >= kPostEvery) {
      post();
      posted = base::now();
      dirty = false;
    }
    publish_status();
  }
  post();
  std::lock_guard lock(mutex_);
  current_.pipeline.reset();
  ended_ = true;
  changed_.notify_all();
}

// With mutex_ held. What came under the old conditions is sorted out by them first, as far as it can be read now.
bool Unrouted::may_switch(bool reads_on) const {
  const bool conditions = current_.pipeline != nullptr || next_->pipeline != nullptr;
  return !conditions || current_.routes.empty() || !reads_on || position_ >= next_from_;
}

void Unrouted::post() {
  // Under the lock, so that nothing is posted once stop() has given this thread up.
  std::lock_guard lock(mutex_);
  if (!abandoned_) journal_.state().post(state_, {});
}

void Unrouted::publish_status() {
  std::lock_guard lock(mutex_);
  uint64_t head = std::max(journal_.head(), state_.cursor.floor() - 1);
  status_.state = state_;
  status_.committed = head + 1 - state_.origin;
  status_.pending = head + 1 - state_.cursor.floor() - state_.cursor.settled_above();
}

bool Unrouted::read_more() {
  if (position_ > journal_.head() || state_.cursor.full()) return false;
  std::vector<journal::StoredBatch> batches;
  if (auto done = reader_.read(position_, kReadBytes, &batches); !done) {
    if (done.error().code == base::Code::kDamaged) {
      journal_.report_damage(reader_.damaged_segment(), done.error().what);
    }
    return false;
  }
  for (const journal::StoredBatch& batch : batches) {
    if (batch.first > position_) state_.counts.lost += state_.cursor.settle(position_, batch.first - 1);
    auto route = current_.routes.find(batch.source);
    if (route != current_.routes.end() && route->second <= batch.last()) {
      if (!sort_out(batch, std::max(batch.first, route->second))) return false;
    }
    position_ = batch.last() + 1;
  }
  if (batches.empty() && position_ <= journal_.head() && !journal_.segments().at_or_after(position_)) {
    // Behind the last row that could be saved there are numbers that were given out and lost.
    uint64_t head = journal_.head();
    state_.counts.lost += state_.cursor.settle(position_, head);
    position_ = head + 1;
    return true;
  }
  return !batches.empty();
}

// Settles what somebody gets of a batch, from `first` on. False when a transform was interrupted.
bool Unrouted::sort_out(const journal::StoredBatch& batch, uint64_t first) {
  if (!current_.conditional.contains(batch.source)) {
    settle_routed(first, batch.last());
    return true;
  }
  if (!current_.pipeline->run(batch.source, batch.block, &output_)) return false;
  for (const graph::Verdict& verdict : output_.verdicts) {
    if (verdict.fate != graph::Fate::kUnmatched) continue;
    const uint64_t held = batch.first + verdict.cause;
    if (held < first) continue;
    if (held > first) settle_routed(first, held - 1);
    first = held + 1;
  }
  if (first <= batch.last()) settle_routed(first, batch.last());
  return true;
}

void Unrouted::settle_routed(uint64_t first, uint64_t last) {
  uint64_t events = state_.cursor.settle(first, last);
  state_.counts.filtered += events;
  state_.filtered_by[kRouted] += events;
}

}  // namespace weir::delivery
