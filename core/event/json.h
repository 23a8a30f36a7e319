// The canonical JSON of an event on its way out (docs/event.md).
#pragma once

#include <string>
#include <string_view>

#include "weir/batch.h"

namespace weir::event {

// One line, no newline: {"id","gateway_id","epoch","sequence","part","device_id","timestamp","received_at",
// "sensor_type","value","unit"?,"metadata"?,"trace_id"}. Bytes are base64 with "value_type":"bytes".
std::string to_json(const weir_batch* batch, uint32_t index, std::string_view gateway_id);

}  // namespace weir::event
