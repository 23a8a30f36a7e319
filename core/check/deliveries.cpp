#include "check/deliveries.h"

#include "event/validate.h"

namespace weir::check {
namespace {

// What has been completed is kept this long, to know a second completion from an unknown token.
constexpr size_t kMaxEntries = 64;
constexpr size_t kMaxRetired = 16;  // batches of up to 16 MiB

}  // namespace

const weir_batch* Deliveries::submitting(uint64_t token, Batch batch, bool vanishes) {
  std::lock_guard lock(mutex_);
  auto oldest = entries_.begin();  // tokens grow
  if (entries_.size() >= kMaxEntries && oldest->second.state == State::kCompleted) entries_.erase(oldest);
  Entry& entry = entries_.emplace(token, Entry(std::move(batch))).first->second;
  entry.vanishes = vanishes;
  return entry.batch.get();
}

void Deliveries::give_back(Entry& entry) {
  if (entry.batch.checksum() != entry.sum) {
    trial_.find("batch-untouched", "it changed the batch that it was given to deliver");
  }
  if (entry.vanishes) {
    entry.batch.vanish();
    return;
  }
  retired_.push_back(std::move(entry.batch));
  if (retired_.size() > kMaxRetired) retired_.pop_front();
}

bool Deliveries::refused(uint64_t token) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(token);
  if (entry.state == State::kCompleted) {
    trial_.find("refused-submit", "submit() failed, which says that the batch was not taken, and completed it all the same");
    return false;
  }
  entry.state = State::kRefused;
  return true;
}

void Deliveries::again(uint64_t token) {
  std::lock_guard lock(mutex_);
  entries_.at(token).state = State::kSubmitted;
}

void Deliveries::cancelled(uint64_t token) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(token);
  if (entry.state != State::kSubmitted) return;
  entry.state = State::kCancelled;
  give_back(entry);
}

void Deliveries::complete(uint64_t token, const weir_sink_result* results, uint32_t n) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(token);
  if (found == entries_.end()) {
    trial_.find("completes-once", "complete() was called with a token that was never submitted");
    return;
  }
  Entry& entry = found->second;
  switch (entry.state) {
    case State::kSubmitted:
      break;
    case State::kCompleted:
      trial_.find("completes-once", "one token was completed twice");
      return;
    case State::kRefused:
      trial_.find("refused-submit", "submit() failed, which says that the batch was not taken, and it was completed later");
      return;
    case State::kCancelled:
      return;  // allowed, and ignored
  }
  judge_results(entry, results, n);
  entry.state = State::kCompleted;
  give_back(entry);
  changed_.notify_all();
}

void Deliveries::judge_results(Entry& entry, const weir_sink_result* results, uint32_t n) {
  // An empty batch has no event to speak of: none, or one for all.
  if (n != entry.count && n != 1) {
    trial_.find("results", "complete() was given " + std::to_string(n) + " results for a batch of " +
                               std::to_string(entry.count) + ": only one for each event, or one for all, can be told apart");
    return;
  }
  if (n != 0 && results == nullptr) {
    trial_.find("results", "complete() was given null results");
    return;
  }
  std::string letters;
  for (uint32_t i = 0; i < n; ++i) {
    const weir_sink_result& result = results[i];
    if (result.outcome < WEIR_DELIVERED || result.outcome > WEIR_REJECT) {
      trial_.find("results", "complete() was given the unknown outcome " + std::to_string(result.outcome));
    } else {
      letters += "DYJ"[result.outcome - WEIR_DELIVERED];
    }
    const bool readable = result.reason.size == 0 || result.reason.data != nullptr;
    if (!readable || !event::valid_text(result.reason.data, result.reason.size)) {
      trial_.find("results", "complete() was given a reason that is not UTF-8 text");
    } else if (result.outcome == WEIR_REJECT && result.reason.size == 0) {
      trial_.find("results", "complete() rejects an event without a reason");
    }
  }
  entry.outcomes = n == 1 ? std::string(entry.count, letters.empty() ? '?' : letters[0]) : letters;
}

bool Deliveries::wait(uint64_t token, base::Monotonic until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return entries_.at(token).state != State::kSubmitted; });
}

size_t Deliveries::open() const {
  std::lock_guard lock(mutex_);
  size_t n = 0;
  for (const auto& [token, entry] : entries_) n += entry.state == State::kSubmitted ? 1 : 0;
  return n;
}

std::string Deliveries::outcomes(uint64_t token) const {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(token);
  return found == entries_.end() ? "" : found->second.outcomes;
}

}  // namespace weir::check
