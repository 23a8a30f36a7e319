#include "graph/flow.h"

#include <cstring>
#include <memory>
#include <utility>

namespace weir::graph {
namespace {

// The most that a copy of the event adds to a block: record, text, pairs and alignment.
uint64_t bytes_of(const weir_batch* batch, uint32_t i) {
  const weir_event_v1& event = *weir_event_at(batch, i);
  uint64_t bytes = batch->event_size + uint64_t{event.device_id.size} + event.sensor_type.size +
                   event.unit.size + event.dedupe_key.size + 16;
  if ((event.value_type & WEIR_VALUE_REF) != 0) bytes += event.value.ref.size;
  for (uint32_t k = 0; k < event.metadata_count; ++k) {
    weir_metadata pair;
    std::memcpy(&pair, reinterpret_cast<const uint8_t*>(batch) + event.metadata_offset + k * sizeof pair,
                sizeof pair);
    bytes += sizeof pair + uint64_t{pair.key.size} + pair.value.size;
  }
  return bytes;
}

}  // namespace

event::Block* Flow::writable() {
  if (!sole_owner()) {
    block = std::make_shared<event::Block>(event::Block::copy(block->batch()));
    own = true;
  }
  // Made by make_shared<Block> in this run, so the object itself is not const.
  return const_cast<event::Block*>(block.get());
}

bool FlowWriter::add(const Flow& from, uint32_t i) {
  const weir_batch* batch = from.block->batch();
  uint64_t bytes = bytes_of(batch, i);
  if (bytes + sizeof(weir_batch) > WEIR_BATCH_MAX_BYTES) return false;
  if (merger_.count() == WEIR_BATCH_MAX_EVENTS || merger_.bytes() + bytes > WEIR_BATCH_MAX_BYTES) cut();
  merger_.add(batch, i);
  flow_.causes.push_back(from.cause(i));
  flow_.derived = flow_.derived || from.derived;
  return true;
}

void FlowWriter::cut() {
  if (merger_.count() == 0) return;
  flow_.block = std::make_shared<event::Block>(merger_.take());
  flow_.own = true;
  out_->push_back(std::move(flow_));
  flow_ = Flow{};
}

}  // namespace weir::graph
