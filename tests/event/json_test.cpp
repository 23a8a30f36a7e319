// The JSON of an event on its way out.
#include "event/json.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "event/block.h"
#include "event/identity.h"
#include "support/events.h"

namespace weir::event {
namespace {

// The JSON of one event in a batch of epoch 0x1f.
std::string json_of(const test::TestEvent& event) {
  return to_json(test::make_batch({event}, 0x1f), 0, "site-a-1");
}

bool holds(const std::string& json, std::string_view part) { return json.find(part) != std::string::npos; }

TEST(EventJson, WritesEveryFieldInItsPlace) {
  Block block = Block::copy(test::make_batch({{.device_id = "boiler",
                                               .value = 21.5,
                                               .unit = "Cel",
                                               .metadata = {{"site", "a"}, {"weir.auth.subject", "m"}},
                                               .timestamp_ns = 1'700'000'000'250'000'000,
                                               .received_ns = 1'700'000'001'000'000'000,
                                               .sequence = 42,
                                               .part = 3}},
                                             0x1f));
  const Id id = *parse_id("018bcfe5-687b-7abc-8def-0123456789ab");
  std::memcpy(block.event(0)->id, id.data(), 16);
  std::memcpy(block.event(0)->trace_id, id.data(), 16);
  EXPECT_EQ(
      to_json(block.batch(), 0, "site-a-1"),
      R"({"id":"018bcfe5-687b-7abc-8def-0123456789ab","gateway_id":"site-a-1","epoch":"000000000000001f",)"
      R"("sequence":42,"part":3,"device_id":"boiler","timestamp":"2023-11-14T22:13:20.250Z",)"
      R"("received_at":"2023-11-14T22:13:21Z","sensor_type":"temperature","value":21.5,"unit":"Cel",)"
      R"("metadata":{"site":"a","weir.auth.subject":"m"},"trace_id":"018bcfe5687b7abc8def0123456789ab"})");
}

TEST(EventJson, LeavesUnitAndMetadataOutWhenThereAreNone) {
  const std::string json = json_of({});
  EXPECT_FALSE(holds(json, "\"unit\""));
  EXPECT_FALSE(holds(json, "\"metadata\""));
}

TEST(EventJson, WritesValuesOfEveryType) {
  EXPECT_TRUE(holds(json_of({.value = 0.1}), R"("value":0.1,)"));
  EXPECT_TRUE(holds(json_of({.value = -7.0}), R"("value":-7.0,)"));
  EXPECT_TRUE(
      holds(json_of({.value = std::numeric_limits<int64_t>::min()}), R"("value":-9223372036854775808,)"));
  EXPECT_TRUE(holds(json_of({.value = true}), R"("value":true,)"));
  EXPECT_TRUE(holds(json_of({.value = std::string("say \"on\"\n")}), R"("value":"say \"on\"\n",)"));
  EXPECT_TRUE(holds(json_of({.value = std::string()}), R"("value":"",)"));
}

TEST(EventJson, WritesBytesAsBase64) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xFF\xFE\xFD", "//79"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_TRUE(holds(json_of({.value = test::Bytes{bytes}}),
                      R"("value":")" + std::string(text) + R"(","value_type":"bytes")"));
  }
}

TEST(EventJson, NamesTheTypeOfAValueItDoesNotKnow) {
  EXPECT_TRUE(holds(json_of({.value = test::UnknownValue{99, 5}}), R"("value":null,"value_type":99)"));
}

TEST(EventJson, StaysOneLineOfValidJsonWhenStoredTextIsNot) {
  const std::string json = json_of({.device_id = "bad \xFF\n"});
  EXPECT_TRUE(holds(json, "bad \xEF\xBF\xBD\\n"));
  EXPECT_FALSE(holds(json, "\n"));
}

}  // namespace
}  // namespace weir::event
