#include "mapping/mapped.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "event/validate.h"

namespace weir::mapping {

std::unique_ptr<const Mapping> compiled(std::string_view document) {
  MappingFault fault;
  auto mapping = Mapping::compile(document, {}, &fault);
  if (mapping == nullptr) throw std::runtime_error("the mapping was refused: " + fault.message);
  return mapping;
}

std::vector<test::TestEvent> mapped(std::string_view document, std::string_view payload,
                                    std::string_view topic) {
  const auto mapping = compiled(document);
  std::vector<std::string_view> values;
  if (mapping->address() != nullptr) {
    TemplateFault fault;
    EXPECT_TRUE(mapping->address()->match(topic, &values, &fault)) << fault.message;
  }
  MappedParser parser;
  sdk::BatchBuilder batch;
  PayloadFault fault;
  if (!parser.parse(*mapping, payload, {values, kReceivedNs}, batch, &fault)) {
    ADD_FAILURE() << payload << " was refused: " << fault.message << " by " << fault.rule;
    return {};
  }
  const weir_batch* block = batch.finish();
  if (block->count == 0) return {};
  const auto wrong = event::validate(block, block->total_size, event::Check::kFromSource);
  EXPECT_FALSE(wrong) << wrong->field << ' ' << wrong->message;
  return test::events_of(block);
}

PayloadFault refused(std::string_view document, std::string_view payload) {
  const auto mapping = compiled(document);
  MappedParser parser;
  sdk::BatchBuilder batch;
  batch.add();
  PayloadFault fault;
  EXPECT_FALSE(parser.parse(*mapping, payload, {{}, kReceivedNs}, batch, &fault)) << payload << " was taken";
  EXPECT_EQ(batch.count(), 0u) << "after a fault nothing may be left in the batch";
  return fault;
}

MappingFault wrong(std::string_view document) {
  MappingFault fault;
  EXPECT_EQ(Mapping::compile(document, {}, &fault), nullptr) << document << " was taken";
  return fault;
}

test::TestEvent event(std::string device, std::string type, test::TestValue value, std::string unit,
                      int64_t timestamp_ns) {
  test::TestEvent out;
  out.device_id = std::move(device);
  out.sensor_type = std::move(type);
  out.value = std::move(value);
  out.unit = std::move(unit);
  out.timestamp_ns = timestamp_ns;
  out.received_ns = 0;
  if (timestamp_ns == 0) out.flags = WEIR_NO_DEVICE_TIME;
  return out;
}

}  // namespace weir::mapping
