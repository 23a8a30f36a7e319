// Events as the JSON that one INSERT turns into rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/batch.hpp"

namespace postgres_sink {

// A JSON array of the events [first, first + count), an object each, with the table's columns as keys.
std::string event_rows(std::string_view gateway_id, const weir_batch* batch, uint32_t first, uint32_t count);

}  // namespace postgres_sink
