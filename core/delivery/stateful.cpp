#include "delivery/stateful.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/thread.h"
#include "event/merge.h"

namespace weir::delivery {
namespace {

// What is read from the journal at once: its outputs are one commit.
constexpr size_t kReadBytes = 512 << 10;
// How often progress is handed to state.db's thread under load.
constexpr base::Duration kPostEvery = std::chrono::milliseconds(100);
// After an unreadable segment: the repair needs a moment.
constexpr base::Duration kReadAgain = std::chrono::milliseconds(100);
// How soon it is looked again whether the dead letters that hold reading up are on disk.
constexpr base::Duration kLettersPause = std::chrono::milliseconds(50);

event::SharedBlock part_of(const event::SharedBlock& block, uint32_t first, uint32_t end) {
  if (first == 0 && end == block->batch()->count) return block;
  event::Merger merger;
  for (uint32_t i = first; i < end; ++i) merger.add(block->batch(), i);
  return std::make_shared<const event::Block>(merger.take());
}

}  // namespace

StatefulConsumer::StatefulConsumer(journal::Journal& journal, journal::ConsumerState state,
                                   std::unique_ptr<graph::Pipeline> pipeline, graph::TransformCall transform,
                                   std::shared_ptr<TransformState> transform_state, Options options)
    : journal_(journal),
      name_(state.name),
      source_(journal.intern(name_)),
      options_(std::move(options)),
      ledger_(std::move(state)),
      pipeline_(std::move(pipeline)),
      transform_state_(std::move(transform_state)),
      node_(transform, transform_state_.get()),
      row_(name_),
      worked_(ledger_.state().cursor.floor() - 1),
      reader_(journal),
      position_(ledger_.state().cursor.floor()) {
  publish_status();
}

StatefulConsumer::~StatefulConsumer() { stop(std::chrono::seconds(1)); }

void StatefulConsumer::start() {
  journal_.state().post(ledger_.state(), {});
  journal_.add(this);
  thread_ = base::start_thread("at " + name_, [this] { run(); });
}

bool StatefulConsumer::stop(base::Duration patience) {
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

void StatefulConsumer::head_moved() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_all();
}

void StatefulConsumer::settled(std::vector<journal::Settlement> settlements) {
  std::lock_guard lock(mutex_);
  settlement_ = std::move(settlements.back());  // there is one offer at a time
  wake_.notify_all();
}

ConsumerStatus StatefulConsumer::status() const {
  ConsumerStatus status;
  {
    std::lock_guard lock(mutex_);
    status = status_;
  }
  status.count_up_to(journal_.head());
  return status;
}

std::pair<uint64_t, uint64_t> StatefulConsumer::state_size() const {
  std::lock_guard lock(mutex_);
  return state_size_;
}

void StatefulConsumer::run() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;
      woken_ = false;
    }
    bool worked = work();
    if (unfinished_) break;
    post(!worked);
    publish_status();
    if (!worked) wait();
  }
  // What was worked without coming to an end is not posted: it is worked again by whoever comes next.
  if (!unfinished_) post(true);
  publish_status();
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool StatefulConsumer::work() {
  if (base::now() < read_again_at_ || letters_wait()) return false;
  if (!derived_ && !learn_what_is_derived()) return false;
  if (!replay_ticks(position_)) return false;
  return position_ <= journal_.head() ? read_more() : tick_when_idle();
}

bool StatefulConsumer::learn_what_is_derived() {
  // A commit of its predecessor may have failed: whether its rows are there is known when the journal has found out.
  if (!journal_.can_append()) {
    read_again_at_ = base::now() + kReadAgain;
    return false;
  }
  auto derived = journal::read_derived(journal_, name_, position_);
  if (!derived) return trouble(derived.error());
  trouble_.clear();
  // Ticks of which the state knows already stay out.
  journal::Derivation known{worked_, transform_state_->now_ns()};
  std::erase_if(derived->ticks, [&](const journal::Derivation& tick) { return tick <= known; });
  derived_ = std::move(*derived);
  return true;
}

bool StatefulConsumer::trouble(const base::Error& error) {
  if (trouble_.empty()) base::log_error(name_, "cannot read the journal: " + error.text());
  trouble_ = error.text();
  read_again_at_ = base::now() + kReadAgain;
  return false;
}

bool StatefulConsumer::letters_wait() const {
  return ledger_.letters() + journal_.state().pending_dead_letters() >= journal::State::kMaxPendingDeadLetters;
}

// False when there was nothing to do, or when the thread is to end.
bool StatefulConsumer::read_more() {
  batches_.clear();
  if (auto done = reader_.read(position_, kReadBytes, &batches_); !done) {
    if (done.error().code == base::Code::kDamaged) {
      journal_.report_damage(reader_.damaged_segment(), done.error().what);
    }
    return trouble(done.error());
  }
  trouble_.clear();
  for (const journal::StoredBatch& batch : batches_) {
    // What lies between is committed and no longer there: a repair gave it up and listed it.
    if (batch.first > position_) ledger_.settle(position_, batch.first - 1, &journal::Counts::lost);
    if (!feed(batch)) return false;
    position_ = batch.last() + 1;
    worked_ = batch.last();
  }
  if (batches_.empty() && position_ <= journal_.head()) {
    // Behind the last row that could be saved there are numbers that were given out and lost.
    if (journal_.segments().at_or_after(position_)) {
      read_again_at_ = base::now() + kReadAgain;
      return false;
    }
    uint64_t head = journal_.head();
    ledger_.settle(position_, head, &journal::Counts::lost);
    position_ = head + 1;
    worked_ = head;
  }
  return append({worked_, 0});
}

// False when the thread is to end.
bool StatefulConsumer::feed(const journal::StoredBatch& batch) {
  if (!pipeline_->takes(batch.source)) {
    ledger_.filter(batch.first, batch.last(), "not routed here");
    return true;
  }
  event::SharedBlock block = ledger_.unsettled_part(batch);
  if (block == nullptr) return true;
  if (!replay_ticks(batch.first) || !pipeline_->run(batch.source, block, &through_)) return leave_unfinished();
  Outcomes outcomes{batch.first, std::vector<Outcome>(batch.count), {}};
  outcomes.reasons.resize(batch.count);
  for (const graph::Verdict& verdict : through_.verdicts) refuse(verdict, *block, batch.source, &outcomes);
  for (const graph::Piece& piece : through_.pieces) {
    // The transform is told one time a call, and that must not depend on where batches are cut.
    for (uint32_t first = 0, end = 0; first < piece.count(); first = end) {
      int64_t now = std::max(transform_state_->now_ns(), piece.block->event(first)->received_ns);
      for (end = first + 1; end < piece.count() && piece.block->event(end)->received_ns <= now; ++end) {
      }
      transform_state_->set_now(now);
      if (!feed_run(part_of(piece.block, first, end), batch.source, &outcomes)) return false;
    }
  }
  settle(outcomes);
  return true;
}

bool StatefulConsumer::feed_run(const event::SharedBlock& run, std::string_view source, Outcomes* outcomes) {
  weir_transform_context context{run->event(0)->sequence, transform_state_->now_ns()};
  if (!node_.process(context, run, &answer_)) return leave_unfinished();
  auto refusal = answer_.refusals.begin();
  for (uint32_t i = 0; i < run->batch()->count; ++i) {
    if (refusal != answer_.refusals.end() && refusal->index == i) {
      refuse(*refusal++, *run, source, outcomes);
    } else {
      outcomes->note(run->event(i)->sequence, Outcome::kAbsorbed);
    }
  }
  if (answer_.outputs.block == nullptr) return true;
  if (!row_.fits(answer_.outputs) && !append({run->event(0)->sequence - 1, 0})) return false;
  row_.add(std::move(answer_.outputs), *run, context.now_ns, 0, derived_->newest.position + 1);
  return true;
}

void StatefulConsumer::refuse(const graph::Refusal& refusal, const event::Block& block, std::string_view source,
                              Outcomes* outcomes) {
  uint64_t sequence = block.event(refusal.index)->sequence;
  if (refusal.fate == graph::Fate::kFiltered || options_.drop_rejected) {
    return outcomes->note(sequence, Outcome::kFiltered, name_ + ": " + refusal.reason);
  }
  journal::DeadLetter letter;
  letter.source = source;
  letter.by = name_;
  letter.plugin = options_.plugin;
  letter.version = options_.version;
  letter.code = refusal.code;
  letter.reason = refusal.reason;
  letter.attempts = 1;
  ledger_.bury(std::move(letter), block, refusal.index);
  outcomes->note(sequence, Outcome::kDead);
}

void StatefulConsumer::refuse(const graph::Verdict& verdict, const event::Block& block, std::string_view source,
                              Outcomes* outcomes) {
  uint64_t sequence = block.event(verdict.cause)->sequence;
  const std::string& node = pipeline_->node_name(verdict.node);
  if (verdict.fate != graph::Fate::kRejected) {
    return outcomes->note(sequence, Outcome::kFiltered, (node.empty() ? name_ : node) + ": " + verdict.reason);
  }
  journal::DeadLetter letter;
  letter.source = source;
  letter.by = node.empty() ? name_ : node;
  if (options_.describe) std::tie(letter.plugin, letter.version) = options_.describe(node);
  letter.code = verdict.code;
  letter.reason = verdict.reason;
  letter.attempts = 1;
  ledger_.bury(std::move(letter), block, verdict.cause);
  outcomes->note(sequence, Outcome::kDead);
}

void StatefulConsumer::Outcomes::note(uint64_t sequence, Outcome outcome, const std::string& reason) {
  Outcome& now = of[sequence - first];
  if (outcome <= now) return;
  now = outcome;
  reasons[sequence - first] = reason;
}

void StatefulConsumer::settle(const Outcomes& outcomes) {
  for (size_t i = 0, end = 0; i < outcomes.of.size(); i = end) {
    auto same = [&](size_t other) {
      return outcomes.of[other] == outcomes.of[i] && outcomes.reasons[other] == outcomes.reasons[i];
    };
    for (end = i + 1; end < outcomes.of.size() && same(end); ++end) {
    }
    uint64_t first = outcomes.first + i, last = outcomes.first + end - 1;
    switch (outcomes.of[i]) {
      case Outcome::kNone: break;  // it was settled before
      case Outcome::kFiltered: ledger_.filter(first, last, outcomes.reasons[i]); break;
      case Outcome::kAbsorbed: ledger_.settle(first, last, &journal::Counts::delivered); break;
      case Outcome::kDead: ledger_.settle(first, last, &journal::Counts::dead); break;
    }
  }
}

void StatefulConsumer::post(bool force) {
  base::Monotonic now = base::now();
  if (!ledger_.changed() || (!force && now - posted_at_ < kPostEvery)) return;
  // Under the lock, so that nothing is posted once stop() has given this thread up.
  std::lock_guard lock(mutex_);
  if (abandoned_) return;
  std::vector<journal::DeadLetter> letters = ledger_.take_letters();
  journal_.state().post(ledger_.state(), std::move(letters), transform_state_->take_changes());
  posted_at_ = now;
}

void StatefulConsumer::publish_status() {
  std::lock_guard lock(mutex_);
  status_.state = ledger_.state();
  status_.position = position_;
  status_.trouble = trouble_;
  state_size_ = {transform_state_->bytes(), transform_state_->keys()};
}

void StatefulConsumer::wait() {
  base::Monotonic now = base::now(), until = now + std::chrono::seconds(1);  // trouble of others passes unannounced
  if (read_again_at_ > now) {
    until = read_again_at_;
  } else if (letters_wait()) {
    until = now + kLettersPause;
  } else if (node_.wants_ticks()) {
    until = std::min(until, ticked_at_ + options_.tick_every);
  }
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, until, [&] { return woken_ || stopping_; });
}

}  // namespace weir::delivery
