#include "journal/writer.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/thread.h"
#include "journal/wal_file.h"

namespace weir::journal {
namespace {

// One transaction's batches, unpacked: keeps a commit, and with it the wait of whoever comes next, short.
constexpr size_t kMaxTransactionBytes = 4 << 20;

bool same_text(const event::Block& block, weir_ref a, weir_ref b) {
  return a.size == b.size && (a.offset == b.offset || block.text(a) == block.text(b));
}

}  // namespace

Writer::Writer(WriterContext context, const Start& start)
    : context_(std::move(context)),
      head_(start.next_sequence - 1),
      epoch_(start.epoch),
      next_number_(start.next_number),
      next_sequence_(start.next_sequence) {
  if (start.current) {
    current_ = *start.current;
    activated_ = true;
  }
}

Writer::~Writer() { stop(); }

void Writer::start() {
  base::Status done;
  if (activated_) {
    auto segment = Segment::reopen(*context_.files, context_.directory + "/" + segment_name(current_.number));
    if (segment) {
      segment_ = std::move(*segment);
      segment_born_ = base::now();
    } else {
      done = segment.error();
      failed_segment_ = current_.number;
    }
  } else {
    done = open_new_segment();
  }
  if (!done) {
    healthy_ = false;
    trouble_ = done.error().text();
    base::log_error("journal", "cannot write: " + trouble_ + "; devices are told to wait");
  }
  thread_ = base::start_thread("journal", [this, done] {
    if (!done) fail_transaction(done.error());
    run();
  });
}

void Writer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Writer::offer(Offer offer) {
  bool was_empty;
  {
    std::lock_guard lock(mutex_);
    was_empty = queue_.empty();
    queue_.push_back(std::move(offer));
  }
  if (was_empty) wake_.notify_one();
}

void Writer::roll_segment() {
  {
    std::lock_guard lock(mutex_);
    roll_wanted_ = true;
  }
  wake_.notify_one();
}

std::string Writer::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

Writer::Statistics Writer::statistics() const {
  std::lock_guard lock(mutex_);
  return statistics_;
}

// Waits for offers, or for the time when relaxed batches must be flushed. False when it is time to end.
bool Writer::take(std::deque<Offer>* offers) {
  std::unique_lock lock(mutex_);
  auto ready = [&] { return stopping_ || !queue_.empty() || roll_wanted_; };
  if (flush_at_ == base::Monotonic::max()) {
    wake_.wait(lock, ready);
  } else {
    wake_.wait_until(lock, flush_at_, ready);
  }
  for (size_t bytes = transaction_bytes_; !queue_.empty() && bytes < kMaxTransactionBytes;) {
    bytes += queue_.front().block.size();
    offers->push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return !(stopping_ && offers->empty() && queue_.empty());
}

void Writer::run() {
  std::deque<Offer> offers;
  for (bool more = true; more;) {
    offers.clear();
    more = take(&offers);
    base::Status done;
    for (Offer& offer : offers) {
      entries_.emplace_back();
      entries_.back().offer = std::move(offer);
      // After a failure the rest joins the failed transaction and shares its fate.
      if (done) done = write(entries_.back());
    }
    if (!done) {
      fail_transaction(done.error());
      continue;
    }
    bool rolls;
    {
      std::lock_guard lock(mutex_);
      rolls = std::exchange(roll_wanted_, false);
    }
    if (!more || rolls || commit_is_due()) commit();
    if (rolls && segment_ && activated_) roll();
  }
  // A clean stop leaves nothing in the WAL, so that the next start is quick. Should it fail, recovery does the same.
  if (segment_ && segment_->checkpoint()) {
    segment_->close();
    (void)empty_wal(*context_.files, context_.directory + "/" + segment_name(current_.number) + "-wal");
  }
  segment_.reset();
}

bool Writer::commit_is_due() const {
  return strict_waits_ || transaction_bytes_ >= kMaxTransactionBytes || base::now() >= flush_at_ ||
         (!in_transaction_ && !entries_.empty());
}

base::Status Writer::write(Entry& entry) {
  Offer& offer = entry.offer;
  if (!relaxed_allowed_) offer.relaxed = false;
  if (!entry.numbered) identify(entry);
  if (!offer.relaxed) strict_waits_ = true;
  if (entry.stored == 0) return {};
  if (auto done = begin(offer.received_ns); !done) return done;

  entry.first = next_sequence_;
  next_sequence_ += entry.stored;
  offer.block.batch()->epoch = epoch_;
  for (uint32_t i = 0; i < entry.stored; ++i) offer.block.event(i)->sequence = entry.first + i;
  entry.settlement.first_sequence = entry.first;
  Body body = encode(offer.block, &scratch_);
  if (auto done = segment_->append(entry.first, entry.stored, offer.source, offer.received_ns, body); !done) return done;
  if (offer.derivation) {
    Stamp stamp{entry.first, std::string(offer.source), offer.derivation->position, offer.derivation->tick_ns};
    if (auto done = segment_->stamp(stamp); !done) return done;
  }
  if (auto done = remember(entry); !done) return done;
  transaction_bytes_ += offer.block.size();
  stored_bytes_ += body.bytes.size();
  if (offer.relaxed) {
    flush_at_ = std::min(flush_at_, base::now() + offer.flush);
    std::vector<Entry*> now{&entry};
    if (!entry.answered) {
      entry.told = entry.first;
      answer(now, true);
    }
  }
  return {};
}

// Gives a batch what the gateway knows of it: times, ids; and leaves out what was committed before.
void Writer::identify(Entry& entry) {
  event::Block& block = entry.offer.block;
  entry.settlement.token = entry.offer.token;
  entry.settlement.epoch = epoch_;
  entry.settlement.count = block.batch()->count;
  entry.settlement.bytes = static_cast<uint32_t>(block.size());
  if (entry.offer.derivation) {
    entry.stored = block.batch()->count;
    entry.numbered = true;
    return;
  }
  event::Id next = ids_.next(entry.offer.received_ns, block.batch()->count);
  drop_duplicates(entry, next);
  uint32_t count = block.batch()->count;
  uint32_t flags = base::plausible(entry.offer.received_ns) ? 0 : WEIR_CLOCK_SUSPECT;
  constexpr uint8_t kNoTrace[16] = {};
  uint32_t numbered = 0;
  for (IdRun& run : entry.settlement.ids) {
    if (run.first != event::Id{}) continue;  // duplicates keep the ids of their first time
    run.first = event::advance(next, numbered);
    numbered += run.count;
  }
  for (uint32_t i = 0; i < count; ++i) {
    weir_event_v1& event = *block.event(i);
    event::Id id = event::advance(next, i);
    std::memcpy(event.id, id.data(), id.size());
    if (std::memcmp(event.trace_id, kNoTrace, sizeof kNoTrace) == 0) std::memcpy(event.trace_id, id.data(), id.size());
    event.part = 0;
    event.received_ns = entry.offer.received_ns;
    if ((event.flags & WEIR_NO_DEVICE_TIME) != 0) event.timestamp_ns = entry.offer.received_ns;
    event.flags |= flags;
  }
  entry.stored = count;
  entry.numbered = true;
}

// Moves the events that are new to the front and fills in the runs of ids, without ids for the new ones, which will
// count on from `next`.
void Writer::drop_duplicates(Entry& entry, const event::Id& next) {
  event::Block& block = entry.offer.block;
  uint32_t count = block.batch()->count, kept = 0;
  auto keep = [&](uint32_t from, uint32_t n) {
    if (kept != from) {
      std::memmove(block.event(kept), block.event(from), size_t{n} * block.batch()->event_size);
    }
    kept += n;
    auto& ids = entry.settlement.ids;
    if (!ids.empty() && ids.back().first == event::Id{}) {
      ids.back().count += n;
    } else {
      ids.push_back({{}, n});
    }
  };
  std::map<std::pair<DedupeKey, uint32_t>, uint32_t> here;  // messages of this batch, and their places
  for (uint32_t i = 0, n; i < count; i += n) {
    weir_ref ref = block.event(i)->dedupe_key;
    for (n = 1; i + n < count && same_text(block, ref, block.event(i + n)->dedupe_key); ++n) {
    }
    if (ref.size == 0) {
      keep(i, n);
      continue;
    }
    DedupeKey key = dedupe_key(entry.offer.source, block.text(ref));
    if (auto known = dedupe_.find(key, n)) {
      entry.settlement.ids.push_back({known->first_id, n});
      entry.settlement.duplicates += n;
      if (entry.settlement.first_sequence == 0) entry.settlement.first_sequence = known->first_sequence;
      continue;
    }
    auto [first, fresh] = here.emplace(std::pair(key, n), kept);
    if (!fresh) {
      entry.settlement.ids.push_back({event::advance(next, first->second), n});
      entry.settlement.duplicates += n;
      continue;
    }
    entry.groups.push_back({key, kept, n});
    keep(i, n);
  }
  block.batch()->count = kept;
}

base::Status Writer::remember(const Entry& entry) {
  for (const Group& group : entry.groups) {
    DedupeEntry known;
    known.key = group.key;
    known.first_sequence = entry.first + group.at;
    known.count = group.count;
    std::memcpy(known.first_id.data(), entry.offer.block.event(group.at)->id, known.first_id.size());
    if (auto done = segment_->remember(known); !done) return done;
    dedupe_.add(known);
    added_.push_back(known);
  }
  return {};
}

base::Status Writer::begin(int64_t now_ns) {
  if (in_transaction_) return {};
  if (!segment_) return base::error(base::Code::kUnavailable, "no segment is open");
  if (auto done = segment_->begin(); !done) return done;
  in_transaction_ = true;
  if (activated_) return {};
  return segment_->activate(epoch_, next_sequence_, now_ns);
}

void Writer::commit() {
  if (entries_.empty()) return;
  base::Monotonic began = base::now();
  if (in_transaction_) {
    if (auto done = segment_->commit(); !done) return fail_transaction(done.error());
    failures_in_a_row_ = 0;
  }
  {
    std::lock_guard lock(mutex_);
    statistics_.last_commit_ns = (base::now() - began).count();
    ++statistics_.commits;
    statistics_.batches += entries_.size();
    statistics_.events += next_sequence_ - 1 - head_;
    statistics_.plain_bytes += transaction_bytes_;
    statistics_.stored_bytes += stored_bytes_;
  }
  if (in_transaction_) publish();
  std::vector<Entry*> waiting;
  for (Entry& entry : entries_) {
    if (!entry.answered) waiting.push_back(&entry);
  }
  answer(waiting, true);
  entries_.clear();
  end_transaction();
  bool rolls = current_.bytes >= context_.segment_bytes || base::now() - segment_born_ >= context_.segment_age;
  if (rolls && segment_ && activated_) roll();
}

// Forgets what belongs to a transaction that is committed or given up, but for its entries.
void Writer::end_transaction() {
  added_.clear();
  in_transaction_ = strict_waits_ = false;
  transaction_bytes_ = stored_bytes_ = 0;
  flush_at_ = base::Monotonic::max();
}

// Makes what was committed visible: the table of contents, then memory, then the head.
void Writer::publish() {
  std::vector<StoredBatch> batches;
  int64_t newest_ns = 0;
  for (Entry& entry : entries_) {
    if (entry.stored == 0) continue;
    newest_ns = entry.offer.received_ns;
    batches.push_back({std::make_shared<const event::Block>(std::move(entry.offer.block)), entry.first, entry.stored,
                       entry.offer.source});
  }
  current_.bytes = segment_->bytes();
  current_.facts.last = next_sequence_ - 1;
  current_.facts.newest_received_ns = newest_ns;
  if (!activated_) {
    context_.segments->add(current_);
    activated_ = true;
  } else {
    context_.segments->extend(current_.number, current_.facts.last, newest_ns, current_.bytes);
  }
  context_.tail->push(batches);
  head_.store(next_sequence_ - 1, std::memory_order_release);
  context_.head_moved();
}

void Writer::answer(std::vector<Entry*>& entries, bool durable) {
  std::map<SettlementListener*, std::vector<Settlement>> by_listener;
  for (Entry* entry : entries) {
    entry->answered = true;
    entry->settlement.durable = durable;
    by_listener[entry->offer.listener].push_back(std::move(entry->settlement));
  }
  for (auto& [listener, settlements] : by_listener) listener->settled(std::move(settlements));
}

// Seals the current segment and begins the next one.
void Writer::roll() {
  current_.sealed = true;
  current_.since = base::now();
  context_.segments->update(current_);
  context_.sealed(current_.number, std::move(*segment_));
  segment_.reset();
  activated_ = false;
  if (auto done = open_new_segment(); !done) fail_transaction(done.error());
}

}  // namespace weir::journal
