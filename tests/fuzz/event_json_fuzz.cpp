// The event parser against any bytes. What it takes must be JSON for another parser too, make a valid batch,
// and hold the same numbers; what it refuses must leave nothing behind.
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "event/validate.h"
#include "weir/mapping/event_json.h"

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void check_value(const nlohmann::json& value, const weir_event_v1& event) {
  if (event.value_type == WEIR_I64) require(value == event.value.i64, "the integer is the document's");
  if (event.value_type == WEIR_F64)
    require(value.get<double>() == event.value.f64, "the number is the document's");
  if (event.value_type == WEIR_BOOL)
    require(value == (event.value.boolean == 1), "the boolean is the document's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static weir::mapping::EventParser parser;
  static weir::sdk::BatchBuilder batch;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  weir::mapping::ParseFault fault;
  if (!parser.parse(json, batch, &fault)) {
    require(batch.count() == 0, "a refused document leaves nothing");
    require(!fault.message.empty() && fault.field.size() <= 31, "a fault says why");
    return 0;
  }
  const weir_batch* block = batch.finish();
  require(!weir::event::validate(block, block->total_size, weir::event::Check::kFromSource),
          "the batch is valid");
  // The reference parser refuses numbers beyond a double's range; so does ours, so it may not fail here.
  const auto reference = nlohmann::json::parse(json, nullptr, false);
  require(!reference.is_discarded(), "what is taken is JSON");
  require(block->count == (reference.is_array() ? reference.size() : 1), "every event is there");
  for (uint32_t i = 0; i < block->count; ++i) {
    const auto& event = reference.is_array() ? reference[i] : reference;
    require(event.at("device_id") == weir::sdk::EventView(block, i).device_id(),
            "the device is the document's");
    check_value(event.at("value"), *weir_event_at(block, i));
  }
  return 0;
}
