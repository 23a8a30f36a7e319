// Blocks of events as the transforms hand them to a delivery queue.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/block.h"
#include "weir/batch.hpp"

namespace weir::delivery::test {

struct Made {
  uint64_t sequence;
  std::string device;
  uint32_t part = 0;
  size_t text_bytes = 0;  // of its value
  std::string room = {};  // metadata; none when empty
};

inline event::SharedBlock block_of(const std::vector<Made>& events, uint64_t epoch = 1) {
  sdk::BatchBuilder builder;
  for (const Made& made : events) {
    weir_ref device = builder.text(made.device);
    weir_ref type = builder.text("temperature");
    weir_ref text = builder.bytes(std::string(made.text_bytes, 'x').data(), made.text_bytes);
    weir_event_v1& event = builder.add();
    event.device_id = device;
    event.sensor_type = type;
    event.sequence = made.sequence;
    event.part = made.part;
    event.value_type = made.text_bytes != 0 ? WEIR_STRING : WEIR_I64;
    if (made.text_bytes != 0) {
      event.value.ref = text;
    } else {
      event.value.i64 = static_cast<int64_t>(made.sequence);
    }
    if (made.room.empty()) continue;
    std::pair<std::string_view, std::string_view> pair{"room", made.room};
    builder.metadata(builder.count() - 1, {&pair, 1});
  }
  event::Block block = event::Block::copy(builder.finish());
  block.batch()->epoch = epoch;
  return std::make_shared<event::Block>(std::move(block));
}

// `count` events of the devices d0..d(devices-1) in turn.
inline event::SharedBlock run_of(uint64_t first_sequence, uint32_t count, uint32_t devices = 1) {
  std::vector<Made> events;
  for (uint32_t i = 0; i < count; ++i) {
    events.push_back({first_sequence + i, "d" + std::to_string((first_sequence + i) % devices)});
  }
  return block_of(events);
}

inline std::string device_of(const event::Block& block, uint32_t i) {
  return std::string(block.text(block.event(i)->device_id));
}

}  // namespace weir::delivery::test
