#include "ingress/door.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/result.h"
#include "base/thread.h"
#include "event/validate.h"

namespace weir::ingress {
namespace {

// What devices are told to wait: long enough for the cause to pass, short enough not to add to the backlog.
constexpr uint32_t kRetryWhenFullMs = 100;
constexpr uint32_t kRetryWhenDiskFailsMs = 1000;
// Settlements that a source which hangs in settled() leaves lying: their events hold no budget any more.
constexpr uint64_t kMaxUntold = 65536;

void copy_text(char* to, size_t capacity, std::string_view from) {
  if (to == nullptr || capacity == 0) return;
  size_t size = std::min(from.size(), capacity - 1);
  std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

}  // namespace

Door::Door(journal::Journal& journal, Budget& budget, const std::string& name, const Options& options)
    : journal_(journal),
      budget_(budget),
      name_(name),
      source_(journal.intern(name)),
      options_(options),
      tokens_(static_cast<double>(options.events_per_second)),
      refilled_(base::now()) {}

Door::~Door() { WEIR_CHECK(close(std::chrono::seconds(10))); }

void Door::open(const weir_source_v1* table, void* self, base::CallClock* clock) {
  table_ = table;
  clock_ = clock;
  self_ = self;
  if (options_.relaxed) journal_.note_relaxed_source();
  thread_ = base::start_thread("from " + name_, [this] { run(); });
  std::lock_guard lock(mutex_);
  opened_ = true;
}

bool Door::close(base::Duration patience) {
  if (!thread_.joinable()) return true;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_->notify_all();
    if (!idle_.wait_for(lock, patience, [&] { return ended_; })) return false;
  }
  thread_.join();
  return true;
}

uint32_t Door::busy(uint32_t events, uint32_t retry_after_ms, const char* why, weir_emit_result* result) {
  busy_ += events;
  result->retry_after_ms = retry_after_ms;
  copy_text(result->message, result->message_capacity, why);
  return WEIR_BUSY;
}

// A token bucket of one second. Nothing when there is room, else how long to wait.
std::optional<uint32_t> Door::too_fast(uint32_t events) {
  if (options_.events_per_second == 0) return std::nullopt;
  std::lock_guard lock(rate_mutex_);
  auto rate = static_cast<double>(options_.events_per_second);
  base::Monotonic now = base::now();
  tokens_ = std::min(rate, tokens_ + rate * std::chrono::duration<double>(now - refilled_).count());
  refilled_ = now;
  // A batch larger than the bucket passes when the bucket is full, and leaves a debt.
  double wanted = std::min<double>(events, rate);
  if (tokens_ < wanted) return static_cast<uint32_t>((wanted - tokens_) / rate * 1000) + 1;
  tokens_ -= events;
  return std::nullopt;
}

// Counts one batch in, or says why not. From then on close() waits for the journal to come back with it.
const char* Door::let_in() {
  std::lock_guard lock(mutex_);
  if (!opened_ || stopping_) return "the source does not run";
  if (untold_ >= kMaxUntold) return "the source does not take its settlements";
  ++untold_;
  return nullptr;
}

uint32_t Door::emit(const weir_batch* batch, uint64_t token, weir_emit_result* result) {
  auto fault = event::validate(batch, batch->total_size, event::Check::kFromSource);
  if (!fault && batch->count == 0) fault = event::Fault{0, "count", "the batch holds no event"};
  if (fault) {
    ++invalid_;
    result->index = fault->index;
    copy_text(result->field, sizeof result->field, fault->field);
    copy_text(result->message, result->message_capacity, fault->message);
    return WEIR_INVALID;
  }
  uint32_t events = batch->count;
  uint64_t size = batch->total_size;
  if (!journal_.healthy()) return busy(events, kRetryWhenDiskFailsMs, "the journal's disk cannot be written", result);
  if (!journal_.has_room()) return busy(events, kRetryWhenDiskFailsMs, "the journal is full", result);
  if (auto wait = too_fast(events)) return busy(events, *wait, "over this source's events_per_second", result);
  // Counted before it is looked at, so that two threads cannot both take the last room. A batch that is larger than
  // the bound passes when nothing else is in flight.
  uint64_t mine = bytes_.fetch_add(size), all = budget_.bytes.fetch_add(size);
  bool too_much = (mine != 0 && mine + size > options_.bytes_in_flight) || (all != 0 && all + size > budget_.max_bytes);
  if (too_much) {
    bytes_ -= size;
    budget_.bytes -= size;
    return busy(events, kRetryWhenFullMs, "too much is on its way into the journal", result);
  }
  if (const char* why_not = let_in()) {
    bytes_ -= size;
    budget_.bytes -= size;
    return busy(events, kRetryWhenDiskFailsMs, why_not, result);
  }
  admitted_ += events;
  journal::Offer offer;
  offer.listener = this;
  offer.source = source_;
  offer.block = event::Block::copy(batch);
  offer.token = token;
  offer.received_ns = base::wall_ns();
  offer.relaxed = options_.relaxed;
  offer.flush = options_.flush;
  journal_.offer(std::move(offer));
  return WEIR_ACCEPTED;
}

void Door::settled(std::vector<journal::Settlement> settlements) {
  for (const journal::Settlement& settlement : settlements) {
    bytes_ -= settlement.bytes;
    budget_.bytes -= settlement.bytes;
    if (settlement.durable) {
      committed_ += settlement.count - settlement.duplicates;
      duplicates_ += settlement.duplicates;
    } else {
      refused_ += settlement.count;
    }
  }
  auto wake = wake_;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(settlements));
  }
  wake->notify_one();
}

void Door::update_credit() {
  bool room = journal_.healthy() && journal_.has_room();
  std::lock_guard lock(mutex_);
  if (room == had_credit_) return;
  had_credit_ = room;
  credit_ = room;
  wake_->notify_one();
}

DoorCounts Door::counts() const {
  DoorCounts counts;
  // The outcomes first: what is admitted meanwhile shows as in flight, never as less than nothing.
  counts.committed = committed_;
  counts.duplicates = duplicates_;
  counts.refused = refused_;
  counts.admitted = admitted_;
  counts.in_flight = counts.admitted - counts.committed - counts.duplicates - counts.refused;
  counts.busy = busy_;
  counts.invalid = invalid_;
  return counts;
}

void Door::inherit(const DoorCounts& counts) {
  // Admitted first: in flight is what is left of it, and must never be less than nothing.
  admitted_ += counts.committed + counts.duplicates + counts.refused;
  committed_ += counts.committed;
  duplicates_ += counts.duplicates;
  refused_ += counts.refused;
  busy_ += counts.busy;
  invalid_ += counts.invalid;
}

void Door::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_->wait(lock, [&] { return (stopping_ && untold_ == 0) || !queue_.empty() || credit_; });
    auto queue = std::exchange(queue_, {});
    auto credit = std::exchange(credit_, std::nullopt);
    if (queue.empty() && !credit) break;
    lock.unlock();
    uint64_t told = 0;
    for (const auto& settlements : queue) {
      tell(settlements);
      told += settlements.size();
    }
    base::CallClock::Running running(credit ? clock_ : nullptr, "credit", base::kQuickCallLimit);
    if (credit) table_->credit(self_, *credit ? UINT64_MAX : 0, *credit ? options_.bytes_in_flight : 0);
    lock.lock();
    untold_ -= told;
  }
  ended_ = true;
  idle_.notify_all();
}

void Door::tell(const std::vector<journal::Settlement>& settlements) {
  std::vector<weir_settlement> told(settlements.size());
  std::vector<event::Id> ids;
  std::vector<size_t> starts;
  for (const journal::Settlement& settlement : settlements) {
    starts.push_back(ids.size());
    for (const journal::IdRun& run : settlement.ids) {
      for (uint32_t k = 0; k < run.count; ++k) ids.push_back(event::advance(run.first, k));
    }
  }
  for (size_t i = 0; i < settlements.size(); ++i) {
    const journal::Settlement& from = settlements[i];
    told[i].token = from.token;
    told[i].state = from.durable ? WEIR_DURABLE : WEIR_FAILED;
    told[i].count = from.count;
    told[i].epoch = from.epoch;
    told[i].first_sequence = from.first_sequence;
    told[i].duplicates = from.duplicates;
    told[i].retry_after_ms = from.durable ? 0 : kRetryWhenDiskFailsMs;
    if (from.durable) told[i].ids = reinterpret_cast<const uint8_t(*)[16]>(ids.data() + starts[i]);
  }
  base::CallClock::Running running(clock_, "settled", base::kQuickCallLimit);
  table_->settled(self_, told.data(), static_cast<uint32_t>(told.size()));
}

}  // namespace weir::ingress
