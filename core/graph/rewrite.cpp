#include "graph/rewrite.h"

#include <cstring>
#include <memory>
#include <utility>

#include "event/identity.h"

namespace weir::graph {
namespace {

void set(weir_event_v1* event, const Change& change) {
  switch (change.field) {
    case WEIR_FIELD_TIMESTAMP:
      event->timestamp_ns = change.value.i64;
      return;
    case WEIR_FIELD_DEVICE_ID:
      event->device_id = change.value.ref;
      return;
    case WEIR_FIELD_SENSOR_TYPE:
      event->sensor_type = change.value.ref;
      return;
    case WEIR_FIELD_UNIT:
      event->unit = change.value.ref;
      return;
    case WEIR_FIELD_VALUE:
      event->value_type = change.value_type;
      event->value = change.value;
      return;
    case WEIR_FIELD_METADATA:
      event->metadata_count = change.metadata_count;
      event->metadata_offset = change.key.offset;
      return;
    default:
      return;  // taken into another change
  }
}

// `event` is a copy of the cause's record. `ordinal` tells the events derived from one record apart; the id
// that the sink sees is given at the join.
void set(weir_event_v1* event, const Derived& derived, uint32_t ordinal) {
  event::Id id;
  std::memcpy(id.data(), event->id, id.size());
  id = event::derive(id, ordinal);
  std::memcpy(event->id, id.data(), id.size());
  event->flags |= WEIR_DERIVED;
  if (derived.timestamp_ns != 0) event->timestamp_ns = derived.timestamp_ns;
  if (derived.device_id.size != 0) event->device_id = derived.device_id;
  if (derived.sensor_type.size != 0) event->sensor_type = derived.sensor_type;
  if (derived.unit.size != 0) event->unit = derived.unit;
  if (derived.value_type != 0) {
    event->value_type = derived.value_type;
    event->value = derived.value;
  }
  if (derived.metadata_count != 0) {
    event->metadata_count = derived.metadata_count;
    event->metadata_offset = derived.metadata_offset;
  }
}

// Writes the output's records from `to` on; reading and writing may happen in one array, for a record only
// ever moves towards the front. Appends the causes. Returns where the records end.
uint8_t* write_records(const Decisions& decisions, const Flow& flow, uint8_t* to,
                       std::vector<uint32_t>* causes) {
  const weir_batch* batch = flow.block->batch();
  const size_t stride = batch->event_size;
  auto change = decisions.changes().begin();
  auto derived = decisions.derived().begin();
  const auto changes_end = decisions.changes().end();
  const auto derived_end = decisions.derived().end();
  for (uint32_t i = 0; i < batch->count; ++i) {
    const auto* from = reinterpret_cast<const uint8_t*>(weir_event_at(batch, i));
    auto first = change;
    while (change != changes_end && change->index == i) ++change;
    // Derived ones are copies of the record as the transform saw it; there are none when this runs in place.
    uint8_t* kept = nullptr;
    if (decisions.kept(i)) {
      if (to != from) std::memmove(to, from, stride);
      kept = std::exchange(to, to + stride);
      causes->push_back(flow.cause(i));
    }
    for (uint32_t ordinal = 1; derived != derived_end && derived->cause == i; ++derived, ++ordinal) {
      std::memcpy(to, from, stride);
      set(reinterpret_cast<weir_event_v1*>(to), *derived, ordinal);
      to += stride;
      causes->push_back(flow.cause(i));
    }
    if (kept == nullptr) continue;
    for (; first != change; ++first) set(reinterpret_cast<weir_event_v1*>(kept), *first);
  }
  return to;
}

}  // namespace

void apply(const Decisions& decisions, Flow* flow) {
  const weir_batch* batch = flow->block->batch();
  const uint32_t count = decisions.kept_count() + static_cast<uint32_t>(decisions.derived().size());
  const bool same_events = decisions.derived().empty() && count == batch->count;
  std::vector<uint32_t> causes;
  causes.reserve(count);
  std::string_view tail = decisions.tail().bytes();
  if (flow->sole_owner() && tail.empty() && decisions.derived().empty()) {
    event::Block* block = flow->writable();
    write_records(decisions, *flow, reinterpret_cast<uint8_t*>(block->event(0)), &causes);
    block->batch()->count = count;
  } else {
    auto block = std::make_shared<event::Block>(decisions.result_bytes());
    const uint32_t prefix = kept_prefix(*batch), base = decisions.tail().base();
    const auto records = static_cast<uint32_t>(base + (tail.size() + 7) / 8 * 8);
    std::memcpy(block->data(), batch, prefix);
    std::memset(block->data() + prefix, 0, base - prefix);
    if (!tail.empty()) std::memcpy(block->data() + base, tail.data(), tail.size());
    std::memset(block->data() + base + tail.size(), 0, records - base - tail.size());
    write_records(decisions, *flow, block->data() + records, &causes);
    block->batch()->header_size = records;
    block->batch()->count = count;
    block->batch()->total_size = block->size();
    flow->block = std::move(block);
    flow->own = true;
  }
  if (!same_events) flow->causes = std::move(causes);
  flow->derived = flow->derived || !decisions.derived().empty();
}

}  // namespace weir::graph
