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

Unrouted::~Unrouted() { stop(); }

void Unrouted::start(Routes routes) {
  current_ = std::move(routes);
  publish_status();
  journal_.state().post(state_, {});
  journal_.add(this);
  thread_ = base::start_thread("unrouted", [this] { run(); });
}

void Unrouted::stop() {
  if (!thread_.joinable()) return;
  journal_.remove(this);
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Unrouted::route(Routes routes) {
  std::lock_guard lock(mutex_);
  next_ = std::make_unique<Routes>(std::move(routes));
  wake_.notify_all();
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
      if (next_ != nullptr) {
        current_ = std::move(*std::exchange(next_, nullptr));
        position_ = state_.cursor.floor();
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
      journal_.state().post(state_, {});
      posted = base::now();
      dirty = false;
    }
    publish_status();
  }
  journal_.state().post(state_, {});
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
    position_ = batch.last() + 1;
    auto route = current_.find(batch.source);
    if (route == current_.end() || route->second > batch.last()) continue;
    uint64_t events = state_.cursor.settle(std::max(batch.first, route->second), batch.last());
    state_.counts.filtered += events;
    state_.filtered_by[kRouted] += events;
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

}  // namespace weir::delivery
