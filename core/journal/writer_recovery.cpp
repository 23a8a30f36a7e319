// What the writer does when the disk refuses: nothing that was promised may be lost, nothing unsure may be promised.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "journal/writer.h"

namespace weir::journal {
namespace {

constexpr base::Duration kFirstRetry = std::chrono::milliseconds(20);
constexpr base::Duration kLongestRetry = std::chrono::seconds(1);

}  // namespace

// The open transaction is given up. Its frames may be in the file all the same, so the file is given up too.
void Writer::fail_transaction(const base::Error& reason) {
  {
    std::lock_guard lock(mutex_);
    trouble_ = reason.text();
    ++statistics_.failures;
  }
  healthy_ = false;
  base::log_error("journal", "cannot write: " + reason.text() + "; devices are told to wait");
  for (const DedupeKey& key : added_) dedupe_.remove(key);
  added_.clear();
  if (segment_) {
    segment_->close();
    segment_.reset();
    failed_segment_ = current_.number;
  }
  next_sequence_ = head_ + 1;
  in_transaction_ = strict_waits_ = false;
  transaction_bytes_ = stored_bytes_ = 0;
  flush_at_ = base::Monotonic::max();

  // A relaxed batch that was answered is owed: it is tried again. Everything else is refused.
  std::vector<Entry> owed;
  std::vector<Entry*> refused;
  for (Entry& entry : entries_) {
    if (entry.answered) {
      owed.push_back(std::move(entry));
    } else {
      if (!entry.numbered) entry.settlement.token = entry.offer.token;
      entry.settlement.count = std::max(entry.settlement.count, entry.offer.block.batch()->count);
      entry.settlement.bytes = static_cast<uint32_t>(entry.offer.block.size());
      refused.push_back(&entry);
    }
  }
  answer(refused, false);
  entries_ = std::move(owed);
  recover();
}

void Writer::refuse_queue() {
  std::deque<Offer> offers;
  {
    std::lock_guard lock(mutex_);
    offers = std::exchange(queue_, {});
  }
  std::vector<Entry> entries(offers.size());
  std::vector<Entry*> refused;
  for (size_t i = 0; i < offers.size(); ++i) {
    Entry& entry = entries[i];
    entry.offer = std::move(offers[i]);
    entry.settlement.token = entry.offer.token;
    entry.settlement.count = entry.offer.block.batch()->count;
    entry.settlement.bytes = static_cast<uint32_t>(entry.offer.block.size());
    refused.push_back(&entry);
  }
  answer(refused, false);
}

// Tries until writing is possible again, or until the journal is stopped. Refuses what is offered meanwhile.
void Writer::recover() {
  base::Duration pause = kFirstRetry;
  for (;;) {
    base::Status done = try_recover();
    if (done) break;
    {
      std::unique_lock lock(mutex_);
      trouble_ = done.error().text();
      wake_.wait_for(lock, pause, [&] { return stopping_ || !queue_.empty(); });
      if (stopping_) break;
    }
    refuse_queue();
    pause = std::min(pause * 2, kLongestRetry);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, pause, [&] { return stopping_; });
    if (stopping_) break;
  }
  bool recovered = segment_.has_value();
  if (recovered) {
    std::lock_guard lock(mutex_);
    trouble_.clear();
  }
  healthy_ = recovered;
  if (!recovered) return refuse_queue();
  base::log_info("journal", "writing again, in segment " + segment_name(current_.number));
  // What is owed goes first. Should this fail too, the next round of run() finds it and fails in the same way.
  for (Entry& entry : entries_) {
    if (auto done = write(entry); !done) {
      base::log_error("journal", "relaxed batches still wait: " + done.error().text());
      break;
    }
  }
}

base::Status Writer::try_recover() {
  if (failed_segment_) {
    if (auto done = examine_failed_segment(); !done) return done;
    failed_segment_.reset();
  }
  return open_new_segment();
}

// Finds out whether the transaction whose commit failed is in the file, and makes the answer lasting.
base::Status Writer::examine_failed_segment() {
  uint32_t number = *failed_segment_;
  std::string path = context_.directory + "/" + segment_name(number);
  auto reopened = Segment::reopen(*context_.files, path);
  if (!reopened) {
    if (reopened.error().code != base::Code::kDamaged) return reopened.error();
    return context_.set_aside(number);
  }
  auto facts = reopened->facts();
  if (!facts && facts.error().code == base::Code::kNotFound) {
    reopened->close();
    activated_ = false;
    for (const char* suffix : {"", "-wal", "-shm"}) (void)context_.files->remove(path + suffix);
    return {};
  }
  if (!facts) {
    if (facts.error().code != base::Code::kDamaged) return facts.error();
    return context_.set_aside(number);
  }
  // The checkpoint writes and syncs every page anew: what is visible now is what stays.
  if (auto done = reopened->checkpoint(); !done) return done;
  if (facts->last > head_) {
    uint64_t returned = facts->last - head_;
    base::log_warn("journal", std::to_string(returned) + " events of the failed commit are in the file after all");
    auto database = base::Database::open(path, base::OpenAs::kReader, context_.files->sqlite_vfs());
    if (!database) return database.error();
    auto done = read_dedupe(*database, head_, DedupeWindow::kMaxEntries, [&](const DedupeEntry& e) { dedupe_.add(e); });
    if (!done) return done;
    std::lock_guard lock(mutex_);
    statistics_.returned += returned;
  }
  bool known = activated_;
  current_.facts = *facts;
  current_.sealed = current_.checkpointed = true;
  current_.since = base::now();
  known ? context_.segments->update(current_) : context_.segments->add(current_);
  if (facts->last > head_) {
    head_.store(facts->last, std::memory_order_release);
    context_.head_moved();
  }
  next_sequence_ = head_ + 1;
  activated_ = false;
  return {};
}

base::Status Writer::open_new_segment() {
  uint32_t number = next_number_;
  std::string path = context_.directory + "/" + segment_name(number);
  // Left by an attempt that failed half-way, never used: its number was not given out.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (!context_.files->exists(path + suffix)) continue;
    if (auto done = context_.files->remove(path + suffix); !done) return done;
  }
  auto segment = Segment::create(*context_.files, path);
  if (!segment) {
    for (const char* suffix : {"-wal", "-shm", ""}) (void)context_.files->remove(path + suffix);
    return segment.error();
  }
  segment_ = std::move(*segment);
  ++next_number_;
  current_ = {};
  current_.number = number;
  current_.facts.epoch = epoch_;
  current_.facts.first = next_sequence_;
  current_.facts.last = next_sequence_ - 1;
  current_.bytes = 16384;  // the empty tables
  activated_ = false;
  segment_born_ = base::now();
  return {};
}

}  // namespace weir::journal
