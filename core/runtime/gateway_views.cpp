// What the gateway tells about itself and its events. Any thread.
#include <algorithm>
#include <deque>
#include <iterator>

#include "event/identity.h"
#include "event/json.h"
#include "runtime/gateway_parts.h"

namespace weir::runtime {
namespace {

constexpr size_t kTailReadBytes = 256 << 10;
// How many events one call looks at: for the newest of one quiet source, and on the way to the next ones.
constexpr uint64_t kTailLook = 100'000;
// What one answer holds, as JSON: events can be large.
constexpr size_t kTailBytes = 8 << 20;
// Under load the ledger moves between the reading of its two sides; it is read again so often before it is believed.
constexpr int kRecounts = 5;
// The clock's jump that trace() tolerates between an id's time and its row's.
constexpr int64_t kTraceSlackNs = 2'000'000'000;

bool door_balances(const InstanceStatus& instance) {
  if (!instance.door) return true;
  const ingress::DoorCounts& door = *instance.door;
  return door.admitted == door.committed + door.duplicates + door.refused + door.in_flight;
}

struct Found {
  journal::StoredBatch batch;
  uint32_t index = 0;
  uint32_t segment = 0;
};

// Looks through the segment for the row that holds the id. Rows have the time of the id, but for its milliseconds.
base::Result<std::optional<Found>> find_event(journal::Journal& journal, const journal::SegmentInfo& segment,
                                              const event::Id& id) {
  auto database = journal::open_for_reading(journal, segment);
  if (!database) return database.error();
  auto rows = database->prepare("SELECT first_sequence FROM batch WHERE received_ns BETWEEN ? AND ?");
  if (!rows) return rows.error();
  int64_t at = event::unix_ms(id) * 1'000'000;
  rows->bind(1, at - kTraceSlackNs).bind(2, at + kTraceSlackNs);
  journal::Reader reader(journal);
  for (;;) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return std::optional<Found>();
    std::vector<journal::StoredBatch> batches;
    if (auto done = reader.read(rows->unsigned_integer(0), 1, &batches); !done) return done.error();
    for (const journal::StoredBatch& batch : batches) {
      for (uint32_t i = 0; i < batch.count; ++i) {
        if (std::equal(id.begin(), id.end(), batch.block->event(i)->id)) return std::optional(Found{batch, i, segment.number});
      }
    }
  }
}

Trace::Leg leg_of(const ConsumerView& view, uint64_t sequence, const std::vector<journal::DeadLetter>& dead) {
  const journal::ConsumerState& state = view.status.state;
  Trace::Leg leg{state.name, "settled", "delivered, or filtered by a transform"};
  if (view.role == "unrouted") leg.detail = "a sink is owed it";
  if (sequence < state.origin) return {state.name, "not owed", "it was accepted before this sink was added"};
  for (const journal::DeadLetter& letter : dead) {
    if (letter.consumer == state.name && letter.sequence == sequence) {
      return {state.name, "dead", "dead letter " + std::to_string(letter.number) + ", by " + letter.by + ": " + letter.reason};
    }
  }
  if (!state.cursor.is_settled(sequence)) {
    leg.outcome = "pending";
    leg.detail = view.role == "unrouted" ? "no sink takes it" : view.status.last_failure;
  }
  return leg;
}

}  // namespace

Status Gateway::status() const {
  Parts& parts = *parts_;
  Status status;
  status.gateway_id = parts.config.gateway_id;
  status.manifests = parts.options.manifests;
  status.admin_listen = parts.config.admin.listen;
  status.started_ns = parts.started_ns;
  status.uptime = base::now() - parts.started;
  status.journal = parts.journal->statistics();
  status.memory_max_bytes = parts.config.memory.max_bytes;
  status.memory_in_flight_bytes = parts.budget->bytes;
  status.instances = parts.assembly->instances();
  status.consumers = parts.assembly->consumers();
  status.lost = parts.journal->state().lost();
  status.ready = status.journal.trouble.empty();
  for (const InstanceStatus& instance : status.instances) {
    if (instance.state == InstanceState::kFailed) status.ready = false;
    if (!door_balances(instance)) status.balanced = false;
  }
  for (const ConsumerView& consumer : status.consumers) status.balanced = status.balanced && consumer.balanced;
  std::lock_guard lock(parts.mutex);
  status.refused = parts.refused;
  return status;
}

std::vector<plugin::Candidate> Gateway::plugins() const { return parts_->plugins->candidates(); }

base::Result<TailPage> Gateway::tail(const std::string& source, uint64_t after, size_t limit) const {
  journal::Journal& journal = *parts_->journal;
  uint64_t head = journal.head();
  const bool newest = after == 0;
  if (after >= head && !newest) return TailPage{{}, after};
  uint64_t from = std::max(journal.oldest(), after + 1);
  if (newest) {
    uint64_t back = source.empty() ? limit : kTailLook;
    from = std::max(from, head > back ? head - back + 1 : 1);
  } else {
    head = std::min(head, from + kTailLook - 1);
  }
  std::deque<TailLine> lines;
  size_t bytes = 0;
  auto page = [&](uint64_t through) {
    return TailPage{{std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end())}, through};
  };
  journal::Reader reader(journal);
  std::vector<journal::StoredBatch> batches;
  while (from <= head) {
    batches.clear();
    if (auto done = reader.read(from, kTailReadBytes, &batches); !done) return done.error();
    if (batches.empty()) break;
    for (const journal::StoredBatch& batch : batches) {
      for (uint32_t i = 0; i < batch.count; ++i) {
        uint64_t sequence = batch.first + i;
        if (sequence < from || (!source.empty() && batch.source != source)) continue;
        bool full = lines.size() >= limit || bytes >= kTailBytes;
        if (full && !newest) return page(sequence - 1);
        lines.push_back({sequence, std::string(batch.source),
                         event::to_json(batch.block->batch(), i, parts_->config.gateway_id)});
        bytes += lines.back().json.size();
        // Looking back, only the newest are wanted.
        while (newest && (lines.size() > limit || (bytes > kTailBytes && lines.size() > 1))) {
          bytes -= lines.front().json.size();
          lines.pop_front();
        }
      }
    }
    from = batches.back().last() + 1;
  }
  return page(std::max({head, after, from - 1}));
}

base::Result<Trace> Gateway::trace(const std::string& id) const {
  auto parsed = event::parse_id(id);
  if (!parsed) {
    return base::error(base::Code::kInvalid, "'" + id + "' is not an event id", "",
                       "ids look like 01981c3e-7e4a-7c3f-9d2e-1f0a2b3c4d5e; `weir tail --json` shows them");
  }
  journal::Journal& journal = *parts_->journal;
  for (const journal::SegmentInfo& segment : journal.segments().all()) {
    auto found = find_event(journal, segment, *parsed);
    if (!found && !journal.segments().with_number(segment.number)) continue;  // trimmed meanwhile
    if (!found) return found.error();
    if (!*found) continue;
    const Found& event = **found;
    Trace trace;
    trace.event_json = event::to_json(event.batch.block->batch(), event.index, parts_->config.gateway_id);
    trace.source = event.batch.source;
    trace.sequence = event.batch.first + event.index;
    trace.segment = journal::segment_name(event.segment);
    (void)journal.state().sync(std::chrono::seconds(1));
    auto dead = journal::dead_letters_of(journal.files(), journal.state().path(), trace.sequence);
    if (!dead) return dead.error();
    for (const ConsumerView& view : parts_->assembly->consumers()) trace.legs.push_back(leg_of(view, trace.sequence, *dead));
    return trace;
  }
  return base::error(base::Code::kNotFound, "the journal holds no event " + id, "",
                     "it was trimmed after every sink had it, or it never came in");
}

base::Result<std::vector<journal::DeadLetter>> Gateway::dead_letters(int64_t before, uint64_t limit) const {
  journal::Journal& journal = *parts_->journal;
  (void)journal.state().sync(std::chrono::seconds(1));
  return journal::read_dead_letters(journal.files(), journal.state().path(), before, limit);
}

base::Result<journal::DeadLetter> Gateway::dead_letter(int64_t number) const {
  journal::Journal& journal = *parts_->journal;
  (void)journal.state().sync(std::chrono::seconds(1));
  return journal::read_dead_letter(journal.files(), journal.state().path(), number);
}

base::Result<std::vector<Gateway::Recount>> Gateway::recount() const {
  for (int tries = 1;; ++tries) {
    auto counts = recount(*parts_->journal);
    if (!counts || tries == kRecounts) return counts;
    if (std::all_of(counts->begin(), counts->end(), [](const Recount& one) { return one.agrees; })) return counts;
  }
}

base::Result<std::vector<Gateway::Recount>> Gateway::recount(journal::Journal& journal) {
  (void)journal.state().sync(std::chrono::seconds(2));
  auto dead = journal::count_dead_letters(journal.files(), journal.state().path());
  if (!dead) return dead.error();
  std::vector<Recount> out;
  for (const journal::ConsumerState& state : journal.state().consumers()) {
    Recount count;
    count.consumer = state.name;
    uint64_t head = journal.head(), on_disk = 0;
    base::Status counted;
    state.cursor.for_each_unsettled(head, [&](uint64_t first, uint64_t last) {
      auto events = counted ? journal.count_events(first, last) : base::Result<uint64_t>(uint64_t{0});
      if (!events) counted = events.error();
      else on_disk += *events;
    });
    if (!counted) return counted.error();
    count.pending_ledger = head + 1 - std::min(head + 1, state.cursor.floor()) - state.cursor.settled_above();
    count.pending_disk = on_disk;
    count.dead_ledger = state.counts.dead;
    count.dead_disk = (*dead)[state.name];
    count.agrees = count.pending_ledger == count.pending_disk && count.dead_ledger == count.dead_disk;
    out.push_back(std::move(count));
  }
  return out;
}

base::Status Gateway::forget(const std::string& consumer) {
  if (parts_->stopped) return base::error(base::Code::kUnavailable, "the gateway is stopping");
  return parts_->assembly->forget(consumer);
}

}  // namespace weir::runtime
