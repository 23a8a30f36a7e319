// The SDK's JSON of an event on its way out: the gateway's own form, with the key in one text.
#include "weir/mapping/event_json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "event/json.h"
#include "support/events.h"
#include "weir/mapping/event_json.h"

namespace weir::mapping {
namespace {

using nlohmann::json;
using test::TestEvent;

constexpr const char* kGateway = "site-\"a\"/1";

std::string write(const TestEvent& event, EventFields fields = EventFields::kFull) {
  std::string out;
  const char* why = EventJsonWriter(kGateway, fields).append(test::make_batch({event}, 0x1f), 0, out);
  EXPECT_EQ(why, nullptr) << why;
  return out;
}

const TestEvent kRich{.device_id = "boiler \"7\"",
                      .value = 0.1,
                      .unit = "Cel",
                      .metadata = {{"site", "a\n\x01\x7F"}, {"weir.auth.subject", "m"}},
                      .timestamp_ns = -1'250'000'000,
                      .received_ns = 1'700'000'001'000'000'001,
                      .sequence = std::numeric_limits<uint64_t>::max(),
                      .part = 3,
                      .id_byte = 0x9F};

TEST(EventJsonWriter, WritesWhatTheGatewayWritesAndTheKey) {
  const TestEvent cases[] = {TestEvent{},
                             kRich,
                             TestEvent{.value = -7.0},
                             TestEvent{.value = -0.0},
                             TestEvent{.value = 1e300},
                             TestEvent{.value = 5e-324},
                             TestEvent{.value = std::numeric_limits<int64_t>::min()},
                             TestEvent{.value = true},
                             TestEvent{.value = std::string("\xE2\x84\x83 \xF0\x9F\x92\xA7 \t\b\\")},
                             TestEvent{.value = test::Bytes{std::string("\0\xFF", 2)}},
                             TestEvent{.value = test::Bytes{""}},
                             TestEvent{.timestamp_ns = std::numeric_limits<int64_t>::min()},
                             TestEvent{.timestamp_ns = std::numeric_limits<int64_t>::max()},
                             TestEvent{.device_id = "bad \xFF\xC0 tail"}};
  for (const TestEvent& event : cases) {
    json written = json::parse(write(event));
    EXPECT_EQ(written.erase("idempotency_key"), 1u);
    EXPECT_EQ(written, json::parse(event::to_json(test::make_batch({event}, 0x1f), 0, kGateway)));
  }
}

TEST(EventJsonWriter, WritesTheKeyOfTheEventInOneText) {
  EXPECT_EQ(json::parse(write(kRich))["idempotency_key"],
            "site-\"a\"/1/000000000000001f/18446744073709551615/3");
}

TEST(EventJsonWriter, KeepsAFloatAFloat) {
  for (const double number : {1.0, -0.0, 1e15, 1e16, 123456789012345680.0}) {
    EXPECT_TRUE(json::parse(write({.value = number}))["value"].is_number_float()) << write({.value = number});
  }
}

TEST(EventJsonWriter, WritesOneLine) { EXPECT_EQ(write(kRich).find('\n'), std::string::npos); }

TEST(EventJsonWriter, RefusesAValueThatItDoesNotKnowAndLeavesTheTextAsItWas) {
  std::string out = "before";
  const char* why = EventJsonWriter("g", EventFields::kFull)
                        .append(test::make_batch({{.value = test::UnknownValue{99, 5}}}), 0, out);
  ASSERT_NE(why, nullptr);
  EXPECT_EQ(out, "before");
}

TEST(EventJsonWriter, WritesInputFieldsThatASourceTakes) {
  EventParser parser;
  sdk::BatchBuilder batch;
  ParseFault fault;
  ASSERT_TRUE(parser.parse(write(kRich, EventFields::kInput), batch, &fault))
      << fault.field << ' ' << fault.message;
  const auto read = test::events_of(batch.finish());
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].device_id, kRich.device_id);
  EXPECT_EQ(read[0].value, kRich.value);
  EXPECT_EQ(read[0].unit, kRich.unit);
  EXPECT_EQ(read[0].timestamp_ns, kRich.timestamp_ns);
  EXPECT_EQ(read[0].metadata, (std::map<std::string, std::string>{{"site", "a\n\x01\x7F"}}));
}

TEST(EventJsonWriter, RefusesBytesAmongInputFields) {
  std::string out;
  EXPECT_NE(EventJsonWriter("g", EventFields::kInput)
                .append(test::make_batch({{.value = test::Bytes{"x"}}}), 0, out),
            nullptr);
}

}  // namespace
}  // namespace weir::mapping
