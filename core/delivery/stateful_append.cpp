// What the engine makes durable before it goes on: derived events, and the ticks it has told.
#include <utility>

#include "base/log.h"
#include "delivery/stateful.h"

namespace weir::delivery {
namespace {

// Between two looks at a disk that refuses.
constexpr base::Duration kTryAgain = std::chrono::milliseconds(50);
constexpr base::Duration kSyncSlice = std::chrono::milliseconds(200);

}  // namespace

// Ticks that had outputs before the crash and lie before the event `before` come again. False when the thread is to end.
bool StatefulConsumer::replay_ticks(uint64_t before) {
  for (; next_tick_ < derived_->ticks.size() && derived_->ticks[next_tick_].position < before; ++next_tick_) {
    const journal::Derivation& due = derived_->ticks[next_tick_];
    weir_transform_context context{due.position, due.tick_ns};
    transform_state_->set_now(due.tick_ns);
    if (!node_.tick(context, &answer_)) return leave_unfinished();
    ledger_.touch();  // its outputs are in the journal
  }
  return true;
}

// Tells the time when all events are worked. False when there was nothing to do.
bool StatefulConsumer::tick_when_idle() {
  if (!node_.wants_ticks() || base::now() - ticked_at_ < options_.tick_every) return false;
  ticked_at_ = base::now();
  int64_t now_ns = options_.wall_ns();
  if (!base::plausible(now_ns) || now_ns <= transform_state_->now_ns() || !journal_.can_append()) return false;
  return tick(now_ns);
}

bool StatefulConsumer::tick(int64_t now_ns) {
  uint64_t puts = transform_state_->puts();
  weir_transform_context context{worked_, now_ns};
  if (!node_.tick(context, &answer_)) return leave_unfinished();
  bool derives = answer_.outputs.block != nullptr;
  // Without an effect it is as if it had not been: nobody will have to repeat it.
  if (!derives && transform_state_->puts() == puts) return false;
  transform_state_->set_now(now_ns);
  ledger_.touch();
  if (!derives) {
    // No stamp tells of it, so state.db has to, before anything comes of it.
    post(true);
    return sync_state();
  }
  row_.add(std::move(answer_.outputs), *answer_.input, now_ns, now_ns, 0);
  return append({worked_, now_ns});
}

// Appends what is in row_, which is complete up to `upto`, and waits until it is durable. False when the thread is to
// end before that.
bool StatefulConsumer::append(journal::Derivation upto) {
  if (row_.empty()) return true;
  event::Block row = row_.take();
  bool told = false;
  while (!offer_and_wait(row, upto)) {
    if (!std::exchange(told, true)) base::log_warn(name_, "what it derives cannot be journaled now; it waits");
    if (!pause(kTryAgain)) return leave_unfinished();
  }
  if (told) base::log_info(name_, "goes on");
  return true;
}

// True when the row is in the journal.
bool StatefulConsumer::offer_and_wait(const event::Block& row, journal::Derivation upto) {
  const uint64_t behind = journal_.head() + 1;
  journal::Offer offer;
  offer.listener = this;
  offer.source = source_;
  offer.block = event::Block::copy(row.batch());
  offer.received_ns = transform_state_->now_ns();
  offer.derivation = upto;
  {
    std::lock_guard lock(mutex_);
    settlement_.reset();
  }
  journal_.offer(std::move(offer));
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return settlement_.has_value(); });
    if (settlement_->durable) return true;
  }
  // A commit that failed is unknown, not absent. Once the journal has found out, its stamps tell.
  for (;;) {
    if (journal_.can_append()) {
      auto derived = journal::read_derived(journal_, name_, behind);
      if (derived) return derived->newest >= upto;
    }
    if (!pause(kTryAgain)) return false;
  }
}

bool StatefulConsumer::sync_state() {
  while (!journal_.state().sync(kSyncSlice)) {
    if (!pause(kTryAgain)) return false;
  }
  return true;
}

// The thread is to end with work that has not come to its end. False, for whoever says so.
bool StatefulConsumer::leave_unfinished() {
  unfinished_ = true;
  return false;
}

// False when the thread is to end.
bool StatefulConsumer::pause(base::Duration duration) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, duration, [&] { return stopping_; });
}

}  // namespace weir::delivery
