#include "graph/flow.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace weir::graph {

uint64_t copied_bytes(const weir_batch* batch, uint32_t i) {
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
  uint64_t bytes = copied_bytes(batch, i);
  if (bytes + sizeof(weir_batch) > WEIR_BATCH_MAX_BYTES) return false;
  if (!room(bytes, 1)) cut();
  merger_.add(batch, i);
  flow_.causes.push_back(from.cause(i));
  flow_.derived = flow_.derived || from.derived;
  return true;
}

bool FlowWriter::room(uint64_t bytes, uint64_t events) const {
  return merger_.count() + events <= WEIR_BATCH_MAX_EVENTS &&
         std::max(merger_.bytes(), sizeof(weir_batch)) + bytes <= WEIR_BATCH_MAX_BYTES;
}

void FlowWriter::cut() {
  if (merger_.count() == 0) return;
  flow_.block = std::make_shared<event::Block>(merger_.take());
  flow_.own = true;
  out_->push_back(std::move(flow_));
  flow_ = Flow{};
}

}  // namespace weir::graph
