// What the writer does when the disk refuses: nothing that was promised may be lost, nothing unsure may be promised.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "journal/writer.h"

namespace weir::journal {
namespace {

// The first try comes at once, then pauses grow until a commit has worked.
constexpr base::Duration kFirstRetry = std::chrono::milliseconds(20);
constexpr base::Duration kLongestRetry = std::chrono::seconds(1);
// After a full disk: enough for a few commits, so that the gateway does not open its doors for one batch.
constexpr uint64_t kRoomToGoOn = 1 << 20;

base::Duration pause_after(uint32_t failures) {
  constexpr uint32_t kMostDoublings = 6;
  return std::min(kLongestRetry, kFirstRetry * (1 << std::min(failures - 1, kMostDoublings)));
}

}  // namespace

void Writer::fail_transaction(const base::Error& reason) {
  abandon(reason);
  recover();
}

// The open transaction is given up. Its frames may be in the file all the same, so the file is given up too.
void Writer::abandon(const base::Error& reason) {
  {
    std::lock_guard lock(mutex_);
    if (trouble_ != reason.text()) {
      base::log_error("journal", "cannot write: " + reason.text() + "; devices are told to wait");
    }
    trouble_ = reason.text();
    ++statistics_.failures;
  }
  healthy_ = false;
  for (const DedupeEntry& entry : added_) dedupe_.remove(entry.key, entry.count);
  end_transaction();
  if (segment_) {
    segment_->close();
    segment_.reset();
    failed_segment_ = current_.number;
  }
  disk_was_full_ = reason.code == base::Code::kFull;
  next_sequence_ = head_ + 1;

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

// Refuses what is offered for so long. False when the journal is stopped.
bool Writer::wait_refusing(base::Duration pause) {
  base::Monotonic until = base::now() + pause;
  for (;;) {
    refuse_queue();
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, until, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty() && stopping_) return false;
    if (queue_.empty() && base::now() >= until) return true;
  }
}

// Tries until writing is possible again, or until the journal is stopped. Refuses what is offered meanwhile.
void Writer::recover() {
  for (;;) {
    if (failures_in_a_row_ > 0 && !wait_refusing(pause_after(failures_in_a_row_))) {
      if (!entries_.empty()) base::log_error("journal", "stopped with relaxed batches that are not on disk");
      return;
    }
    ++failures_in_a_row_;
    base::Status done = try_recover();
    if (done) done = commit_owed();
    if (done) break;
    abandon(done.error());
  }
  {
    std::lock_guard lock(mutex_);
    trouble_.clear();
  }
  healthy_ = true;
  base::log_info("journal", "writing again, in segment " + segment_name(current_.number));
}

base::Status Writer::try_recover() {
  if (disk_was_full_) {
    auto free = context_.files->free_bytes(context_.directory);
    if (free && *free < kRoomToGoOn) {
      context_.spare->drop();
      free = context_.files->free_bytes(context_.directory);
    }
    if (free && *free < kRoomToGoOn) {
      return base::error(base::Code::kFull, "the disk is full: " + std::to_string(*free >> 10) + " KiB are free",
                         context_.directory, "free space on this disk");
    }
  }
  if (failed_segment_) {
    if (auto done = examine_failed_segment(); !done) return done;
    failed_segment_.reset();
  }
  keep_numbers_apart();
  return segment_ ? base::Status() : open_new_segment();
}

// Finds out whether the transaction that failed is in the file, and makes the answer lasting.
base::Status Writer::examine_failed_segment() {
  uint32_t number = *failed_segment_;
  std::string path = context_.directory + "/" + segment_name(number);
  auto set_aside = [&] {
    auto done = context_.set_aside(number);
    if (done) activated_ = false;
    return done;
  };
  auto reopened = Segment::reopen(*context_.files, path);
  if (!reopened) return reopened.error().code == base::Code::kDamaged ? set_aside() : base::Status(reopened.error());
  auto facts = reopened->facts();
  if (!facts && facts.error().code == base::Code::kNotFound) {
    reopened->close();
    activated_ = false;
    return remove_segment_files(*context_.files, path);
  }
  if (!facts) {
    reopened->close();
    return facts.error().code == base::Code::kDamaged ? set_aside() : base::Status(facts.error());
  }
  bool returned = facts->last > head_;
  if (disk_was_full_ && activated_ && !returned) {
    segment_ = std::move(*reopened);
    return {};
  }
  if (returned) {
    auto done = [&]() -> base::Status {
      auto database = base::Database::open(path, base::OpenAs::kReader, context_.files->sqlite_vfs());
      if (!database) return database.error();
      return read_dedupe(*database, head_, DedupeWindow::kMaxEntries, [&](const DedupeEntry& e) { dedupe_.add(e); });
    }();
    if (!done) return done;
  }
  bool known = activated_;
  activated_ = false;
  current_.facts = *facts;
  current_.bytes = reopened->bytes();
  current_.sealed = true;
  current_.checkpointed = false;
  current_.since = base::now();
  known ? context_.segments->update(current_) : context_.segments->add(current_);
  if (returned) take_back(*facts);
  context_.sealed(number, std::move(*reopened));
  next_sequence_ = head_ + 1;
  return {};
}

// The transaction that failed is in the file after all, whole: its events are committed, once.
void Writer::take_back(const SegmentFacts& facts) {
  uint64_t returned = facts.last - head_;
  base::log_warn("journal", std::to_string(returned) + " events of the failed commit are in the file after all");
  std::erase_if(entries_, [&](const Entry& owed) { return owed.stored == 0 || owed.first > head_; });
  {
    std::lock_guard lock(mutex_);
    statistics_.returned += returned;
  }
  // They are not in memory; what comes after them must not follow what came before.
  context_.tail->clear();
  head_.store(facts.last, std::memory_order_release);
  context_.head_moved();
}

// Relaxed sources were told numbers. When what they are owed gets others, the numbers they know must not be given to
// anybody else: a new epoch begins, in a segment of its own.
void Writer::keep_numbers_apart() {
  uint64_t next = head_ + 1;
  bool moved = false;
  for (const Entry& owed : entries_) {
    moved |= owed.stored != 0 && owed.told != next;
    next += owed.stored;
  }
  if (!moved) return;
  epoch_ = event::random_u64();
  base::log_warn("journal", "numbering begins a new epoch, " + event::epoch_text(epoch_));
  for (Entry& owed : entries_) owed.told = 0;
  if (!segment_) return;
  current_.sealed = true;
  current_.since = base::now();
  context_.segments->update(current_);
  context_.sealed(current_.number, std::move(*segment_));
  segment_.reset();
  activated_ = false;
}

// What was promised is written before anything new is taken.
base::Status Writer::commit_owed() {
  if (entries_.empty()) return {};
  uint64_t next = head_ + 1;
  for (Entry& owed : entries_) {
    // Nobody knows these numbers yet; should this fail too, they may change again.
    if (owed.told == 0) owed.told = next;
    next += owed.stored;
    if (auto done = write(owed); !done) return done;
  }
  if (in_transaction_) {
    if (auto done = segment_->commit(); !done) return done;
    publish();
  }
  entries_.clear();
  end_transaction();
  return {};
}

base::Status Writer::open_new_segment() {
  uint32_t number = next_number_;
  std::string path = context_.directory + "/" + segment_name(number);
  // Left by an attempt that failed half-way, never used: its number was not given out.
  if (auto done = remove_segment_files(*context_.files, path); !done) return done;
  std::string spare = context_.spare->take();
  auto segment = Segment::create(*context_.files, path, spare);
  if (!segment) {
    (void)remove_segment_files(*context_.files, path);
    if (!spare.empty() && context_.files->exists(spare)) context_.spare->give_back(spare);
    return segment.error();
  }
  segment_ = std::move(*segment);
  ++next_number_;
  current_ = {};
  current_.number = number;
  current_.facts.epoch = epoch_;
  current_.facts.first = next_sequence_;
  current_.facts.last = next_sequence_ - 1;
  current_.bytes = segment_->bytes();
  activated_ = false;
  segment_born_ = base::now();
  return {};
}

}  // namespace weir::journal
