#include "support/events.h"

#include <cstring>

namespace weir::test {
namespace {

void set_value(sdk::BatchBuilder& builder, weir_event_v1& event, const TestValue& value) {
  if (const double* number = std::get_if<double>(&value)) {
    event.value_type = WEIR_F64;
    event.value.f64 = *number;
  } else if (const int64_t* integer = std::get_if<int64_t>(&value)) {
    event.value_type = WEIR_I64;
    event.value.i64 = *integer;
  } else if (const bool* truth = std::get_if<bool>(&value)) {
    event.value_type = WEIR_BOOL;
    event.value.boolean = *truth;
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    event.value_type = WEIR_STRING;
    event.value.ref = builder.text(*text);
  } else if (const Bytes* bytes = std::get_if<Bytes>(&value)) {
    event.value_type = WEIR_BYTES;
    event.value.ref = builder.bytes(bytes->data.data(), bytes->data.size());
  } else {
    const UnknownValue& unknown = std::get<UnknownValue>(value);
    event.value_type = unknown.type;
    event.value.boolean = unknown.bits;
  }
}

TestValue value_of(const sdk::EventView& event) {
  const weir_event_v1& record = event.record();
  switch (record.value_type) {
    case WEIR_F64:
      return record.value.f64;
    case WEIR_I64:
      return record.value.i64;
    case WEIR_BOOL:
      return record.value.boolean != 0;
    case WEIR_STRING:
      return std::string(event.text(record.value.ref));
    case WEIR_BYTES:
      return Bytes{std::string(event.text(record.value.ref))};
    default:
      return UnknownValue{record.value_type, record.value.boolean};
  }
}

}  // namespace

Block::Block(const weir_batch* batch) : words_((batch->total_size + 7) / 8) {
  std::memcpy(words_.data(), batch, batch->total_size);
}

Block make_batch(const std::vector<TestEvent>& events, uint64_t epoch, uint64_t first_sequence) {
  sdk::BatchBuilder builder;
  for (const TestEvent& from : events) {
    weir_event_v1& event = builder.add();
    std::memset(event.id, from.id_byte, sizeof event.id);
    std::memset(event.trace_id, static_cast<uint8_t>(~from.id_byte), sizeof event.trace_id);
    const uint32_t index = builder.count() - 1;
    event.sequence = from.sequence != 0 ? from.sequence : first_sequence + index;
    event.part = from.part;
    event.flags = from.flags;
    event.timestamp_ns = from.timestamp_ns;
    event.received_ns = from.received_ns;
    event.device_id = builder.text(from.device_id);
    event.sensor_type = builder.text(from.sensor_type);
    event.unit = builder.text(from.unit);
    set_value(builder, event, from.value);
    std::vector<std::pair<std::string_view, std::string_view>> pairs(from.metadata.begin(),
                                                                     from.metadata.end());
    builder.metadata(index, pairs);
  }
  Block block(builder.finish());
  const_cast<weir_batch*>(block.get())->epoch = epoch;
  return block;
}

std::vector<TestEvent> events_of(const weir_batch* batch) {
  std::vector<TestEvent> events;
  for (uint32_t i = 0; i < batch->count; ++i) {
    const sdk::EventView view(batch, i);
    const weir_event_v1& record = view.record();
    TestEvent& event = events.emplace_back();
    event.device_id = view.device_id();
    event.sensor_type = view.sensor_type();
    event.value = value_of(view);
    event.unit = view.unit();
    for (uint32_t pair = 0; pair < view.metadata_count(); ++pair) {
      const auto [key, value] = view.metadata(pair);
      event.metadata.emplace(key, value);
    }
    event.timestamp_ns = record.timestamp_ns;
    event.received_ns = record.received_ns;
    event.sequence = record.sequence;
    event.part = record.part;
    event.flags = record.flags;
    event.id_byte = record.id[0];
  }
  return events;
}

}  // namespace weir::test
