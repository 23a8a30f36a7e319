#include "delivery/consumer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/log.h"
#include "base/thread.h"
#include "event/merge.h"

namespace weir::delivery {
namespace {

// What is read from the journal at once: enough to keep a sink busy, little enough to stop within milliseconds.
constexpr size_t kReadBytes = 512 << 10;
// How often progress is handed to state.db's thread under load.
constexpr base::Duration kPostEvery = std::chrono::milliseconds(100);
// After an unreadable segment, which takes a moment to repair, or an interrupted transform.
constexpr base::Duration kReadAgain = std::chrono::milliseconds(100);
// How soon it is looked again whether the dead letters that hold reading up are on disk.
constexpr base::Duration kLettersPause = std::chrono::milliseconds(50);
// Sources of this many batches are remembered before it is looked which of them are needed.
constexpr size_t kMinSources = 1024;

}  // namespace

Consumer::Consumer(journal::Journal& journal, journal::ConsumerState state, std::unique_ptr<graph::Pipeline> pipeline,
                   SinkCall sink, Options options)
    : journal_(journal),
      name_(state.name),
      sink_(sink),
      options_(std::move(options)),
      ledger_(std::move(state)),
      pipeline_(std::move(pipeline)),
      queue_(options_.queue, base::now()),
      reader_(journal),
      position_(ledger_.state().cursor.floor()) {
  publish_status();
}

Consumer::~Consumer() { stop(std::chrono::seconds(1)); }

void Consumer::start() {
  journal_.state().post(ledger_.state(), {});
  journal_.add(this);
  thread_ = base::start_thread("to " + name_, [this] { run(); });
}

bool Consumer::stop(base::Duration patience) {
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

void Consumer::pause(bool paused) {
  std::lock_guard lock(mutex_);
  paused_ = paused;
  woken_ = true;
  wake_.notify_all();
}

bool Consumer::wait_idle(base::Duration patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return status_.paused && status_.in_flight == 0; });
}

bool Consumer::replace(std::unique_ptr<graph::Pipeline> pipeline, base::Duration patience) {
  std::unique_lock lock(mutex_);
  next_pipeline_ = std::move(pipeline);
  woken_ = true;
  wake_.notify_all();
  return changed_.wait_for(lock, patience, [&] { return next_pipeline_ == nullptr || ended_; });
}

void Consumer::complete(uint64_t token, const weir_sink_result* results, uint32_t n) {
  Completion completion{token, {}, {}};
  if (n > WEIR_BATCH_MAX_EVENTS) n = 0;  // no batch has so many: a defect of the sink, like any wrong number
  completion.outcomes.resize(n);
  completion.reasons.resize(n);
  for (uint32_t i = 0; i < n; ++i) {
    Outcome& outcome = completion.outcomes[i];
    if (results[i].outcome == WEIR_DELIVERED) continue;
    outcome.kind = results[i].outcome == WEIR_REJECT && !options_.retry_rejected ? Outcome::Kind::kReject
                                                                                 : Outcome::Kind::kRetry;
    outcome.after = std::chrono::milliseconds(results[i].retry_after_ms);
    outcome.code = results[i].code;
    if (results[i].reason.size != 0) completion.reasons[i].assign(results[i].reason.data, results[i].reason.size);
    outcome.reason = completion.reasons[i];
  }
  std::lock_guard lock(mutex_);
  if (ended_) return;
  completions_.push_back(std::move(completion));
  woken_ = true;
  wake_.notify_all();
}

void Consumer::head_moved() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  // Not under the lock, where the woken thread would wait again. The journal calls nobody whom it does not list.
  wake_.notify_all();
}

ConsumerStatus Consumer::status() const {
  ConsumerStatus status;
  {
    std::lock_guard lock(mutex_);
    status = status_;
  }
  status.count_up_to(journal_.head());
  return status;
}

void ConsumerStatus::count_up_to(uint64_t head) {
  uint64_t next = std::max({head + 1, state.origin, state.cursor.floor()});
  committed = next - state.origin;
  pending = next - state.cursor.floor() - state.cursor.settled_above();
}

void Consumer::run() {
  for (;;) {
    bool paused;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) break;
      woken_ = false;
      paused = paused_;
      if (next_pipeline_) {
        pipeline_ = std::exchange(next_pipeline_, nullptr);
        changed_.notify_all();
      }
    }
    bool worked = take_completions(base::now());
    worked |= give_up_late(base::now());
    if (!paused) worked |= submit_ready();
    if (may_read()) worked |= read_more();
    settle_queue();
    post(base::now(), !worked);
    publish_status();
    if (!worked) wait(base::now());
  }
  for (const auto& [token, submission] : in_flight_) cancel(token);
  take_completions(base::now());
  settle_queue();
  post(base::now(), true);
  publish_status();
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool Consumer::may_read() const {
  return queue_.wants_more() && !ledger_.state().cursor.full() && position_ <= journal_.head() &&
         base::now() >= read_again_at_ && !letters_wait();
}

bool Consumer::letters_wait() const {
  return ledger_.letters() + journal_.state().pending_dead_letters() >= journal::State::kMaxPendingDeadLetters;
}

// True when somebody waits for the thread: it must not go on submitting what it has.
bool Consumer::interrupted() const {
  std::lock_guard lock(mutex_);
  return stopping_ || paused_ || next_pipeline_ != nullptr;
}

bool Consumer::take_completions(base::Monotonic now) {
  std::vector<Completion> completions;
  {
    std::lock_guard lock(mutex_);
    completions = std::exchange(completions_, {});
  }
  for (Completion& completion : completions) {
    if (!queue_.complete(completion.token, completion.outcomes, now)) {
      ++late_;
      continue;
    }
    in_flight_.erase(completion.token);
    last_failure_.clear();
    for (const Outcome& outcome : completion.outcomes) {
      if (outcome.kind == Outcome::Kind::kDelivered) continue;
      last_failure_ = outcome.reason.empty() ? "the sink gave no reason" : outcome.reason;
    }
  }
  return !completions.empty();
}

bool Consumer::give_up_late(base::Monotonic now) {
  bool any = false;
  for (auto at = in_flight_.begin(); at != in_flight_.end();) {
    if (now < at->second.deadline) {
      ++at;
      continue;
    }
    cancel(at->first);
    last_failure_ = "no answer within " + base::human_duration(options_.submit_limit);
    base::log_warn(name_, last_failure_ + "; the batch is tried again");
    queue_.fail(at->first, last_failure_, now);
    at = in_flight_.erase(at);
    any = true;
  }
  return any;
}

void Consumer::cancel(uint64_t token) {
  base::CallClock::Running running(sink_.clock, "cancel", base::kQuickCallLimit);
  sink_.table->cancel(sink_.self, token);
}

weir_status Consumer::submit(const Submission& submission, base::Monotonic deadline, weir_error* error) {
  base::CallClock::Running running(sink_.clock, "submit", options_.submit_limit + base::kQuickCallLimit);
  return sink_.table->submit(sink_.self, submission.block->batch(), submission.token, base::monotonic_ns(deadline), error);
}

bool Consumer::submit_ready() {
  bool any = false;
  while (!interrupted()) {
    auto submission = queue_.take(base::now());
    if (!submission) break;
    any = true;
    ++submissions_;
    base::Monotonic deadline = base::now() + options_.submit_limit;
    // The sink may complete it before submit returns: it must be known by then.
    in_flight_[submission->token] = {submission->block, deadline};
    char text[256] = "", pointer[64] = "";
    weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
    weir_status status = submit(*submission, deadline, &error);
    if (status != WEIR_OK) {
      last_failure_ = text[0] != '\0' ? text : "the sink did not take the batch";
      queue_.fail(submission->token, last_failure_, base::now());
      in_flight_.erase(submission->token);
      break;
    }
    if (take_completions(base::now())) settle_queue();
  }
  return any;
}

bool Consumer::read_more() {
  batches_.clear();
  base::Status done = reader_.read(position_, kReadBytes, &batches_);
  if (!done) {
    if (trouble_.empty()) base::log_error(name_, "cannot read the journal: " + done.error().text());
    trouble_ = done.error().text();
    read_again_at_ = base::now() + kReadAgain;
    if (done.error().code == base::Code::kDamaged) {
      journal_.report_damage(reader_.damaged_segment(), done.error().what);
    }
    return false;
  }
  trouble_.clear();
  for (const journal::StoredBatch& batch : batches_) {
    // What lies between is committed and no longer there: a repair gave it up and listed it.
    if (batch.first > position_) ledger_.settle(position_, batch.first - 1, &journal::Counts::lost);
    if (!feed(batch)) {
      read_again_at_ = base::now() + kReadAgain;
      return false;
    }
    position_ = batch.last() + 1;
  }
  if (batches_.empty() && position_ <= journal_.head()) {
    // Behind the last row that could be saved there are numbers that were given out and lost.
    if (journal_.segments().at_or_after(position_)) return false;
    uint64_t head = journal_.head();
    ledger_.settle(position_, head, &journal::Counts::lost);
    position_ = head + 1;
  }
  return true;
}

// False when a transform was interrupted: the batch is read again, by this pipeline or by what replaces it.
bool Consumer::feed(const journal::StoredBatch& batch) {
  if (!pipeline_->takes(batch.source)) {
    ledger_.filter(batch.first, batch.last(), "not routed here");
    return true;
  }
  event::SharedBlock block = ledger_.unsettled_part(batch);
  if (block == nullptr) return true;
  if (!pipeline_->run(batch.source, block, &output_)) return false;
  std::vector<uint64_t> dead_before;
  for (const graph::Verdict& verdict : output_.verdicts) {
    if (verdict.delivered && verdict.fate == graph::Fate::kRejected) {
      dead_before.push_back(block->event(verdict.cause)->sequence);
      half_dead_.insert(dead_before.back());
    }
    apply(verdict, batch, *block);
  }
  if (output_.pieces.empty()) return true;
  sources_[batch.first] = batch.source;
  auto dead = dead_before.begin();
  for (const graph::Piece& piece : output_.pieces) {
    uint64_t last = piece.block->event(piece.count() - 1)->sequence;
    auto dead_end = std::upper_bound(dead, dead_before.end(), last);
    queue_.add(piece.block, base::now(), std::span(dead, dead_end));
    dead = dead_end;
  }
  return true;
}

void Consumer::apply(const graph::Verdict& verdict, const journal::StoredBatch& batch, const event::Block& block) {
  uint64_t sequence = block.event(verdict.cause)->sequence;
  const std::string& node = pipeline_->node_name(verdict.node);
  if (verdict.fate != graph::Fate::kRejected) {
    // A condition of the consumer's own edges is unmatched at no node.
    if (!verdict.delivered) ledger_.filter(sequence, sequence, (node.empty() ? name_ : node) + ": " + verdict.reason);
    return;
  }
  sources_[batch.first] = batch.source;
  auto [plugin, version] = options_.describe ? options_.describe(node) : std::pair<std::string, std::string>();
  DeadPart part;
  part.code = verdict.code;
  part.reason = verdict.reason;
  part.attempts = 1;
  bury(block, verdict.cause, node.empty() ? name_ : node, plugin, version, part);
  if (!verdict.delivered) ledger_.settle(sequence, sequence, &journal::Counts::dead);
}

void Consumer::settle_queue() {
  for (const Settled& settled : queue_.drain_settled()) {
    if (!settled.dead) {
      ledger_.settle(settled.first, settled.last, &journal::Counts::delivered);
      continue;
    }
    bool buried = half_dead_.erase(settled.first) != 0 || settled.dead_parts.empty();  // by a transform, before
    for (const DeadPart& part : settled.dead_parts) {
      if (options_.drop_rejected) continue;
      bury(*part.block, part.index, name_, options_.plugin, options_.version, part);
      buried = true;
    }
    ledger_.settle(settled.first, settled.last, buried ? &journal::Counts::dead : &journal::Counts::discarded);
  }
  if (sources_.size() >= std::max(sources_bound_, kMinSources)) forget_sources();
}

// Sources of batches that are settled are not needed any more. One event that waits for days keeps its own batch's, not
// those of everything that was delivered since.
void Consumer::forget_sources() {
  for (auto at = sources_.begin(); at != sources_.end();) {
    auto next = std::next(at);
    uint64_t end = next != sources_.end() ? next->first : position_;
    at = ledger_.state().cursor.next_unsettled(at->first) >= end ? sources_.erase(at) : next;
  }
  sources_bound_ = sources_.size() * 2;
}

void Consumer::bury(const event::Block& block, uint32_t index, const std::string& by, const std::string& plugin,
                    const std::string& version, const DeadPart& part) {
  journal::DeadLetter letter;
  uint64_t sequence = block.event(index)->sequence;
  if (auto source = sources_.upper_bound(sequence); source != sources_.begin()) {
    letter.source = std::prev(source)->second;
  }
  letter.by = by;
  letter.plugin = plugin;
  letter.version = version;
  letter.code = part.code;
  letter.reason = part.reason;
  letter.attempts = part.attempts;
  ledger_.bury(std::move(letter), block, index);
}

void Consumer::post(base::Monotonic now, bool force) {
  if (!ledger_.changed() || (!force && now - posted_at_ < kPostEvery)) return;
  // Under the lock, so that nothing is posted once stop() has given this thread up.
  std::lock_guard lock(mutex_);
  if (abandoned_) return;
  std::vector<journal::DeadLetter> letters = ledger_.take_letters();
  journal_.state().post(ledger_.state(), std::move(letters));
  posted_at_ = now;
}

void Consumer::publish_status() {
  std::lock_guard lock(mutex_);
  status_.state = ledger_.state();
  status_.position = position_;
  status_.in_window = queue_.pending_events();
  status_.window_bytes = queue_.pending_bytes();
  status_.in_flight = queue_.in_flight();
  status_.parked_devices = queue_.parked_devices();
  status_.submissions = submissions_;
  status_.late_completions = late_;
  status_.breaker = queue_.breaker().state();
  status_.times_opened = queue_.breaker().times_opened();
  status_.paused = paused_;
  status_.last_failure = last_failure_;
  status_.trouble = trouble_;
  changed_.notify_all();
}

void Consumer::wait(base::Monotonic now) {
  base::Monotonic until = now + std::chrono::seconds(1);  // trouble of others (dead letters waiting) passes unannounced
  for (const auto& [token, submission] : in_flight_) until = std::min(until, submission.deadline);
  if (read_again_at_ > now) until = std::min(until, read_again_at_);
  if (letters_wait()) until = std::min(until, now + kLettersPause);
  std::unique_lock lock(mutex_);
  // While paused nothing is submitted, however ready it is.
  if (auto wake = queue_.next_wake(now); wake && !paused_) until = std::min(until, *wake);
  wake_.wait_until(lock, until, [&] { return woken_ || stopping_ || next_pipeline_ != nullptr || !completions_.empty(); });
}

}  // namespace weir::delivery
