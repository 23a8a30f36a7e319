// The canonical JSON of events: what is taken, and what is refused with which words.
#include "weir/mapping/event_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>

#include "event/validate.h"
#include "support/events.h"
#include "weir/mapping/rfc3339.h"

namespace weir::mapping {
namespace {

using test::TestEvent;

// Parses and gives back the events; a fault fails the test.
std::vector<TestEvent> parsed(std::string_view json) {
  EventParser parser;
  sdk::BatchBuilder batch;
  ParseFault fault;
  if (!parser.parse(json, batch, &fault)) {
    ADD_FAILURE() << json << " was refused: " << fault.message;
    return {};
  }
  const weir_batch* block = batch.finish();
  const auto wrong = event::validate(block, block->total_size, event::Check::kFromSource);
  EXPECT_FALSE(wrong) << wrong->field << ' ' << wrong->message;
  return test::events_of(block);
}

// The fault of a document that must be refused.
ParseFault refused(std::string_view json) {
  EventParser parser;
  sdk::BatchBuilder batch;
  batch.add();
  ParseFault fault;
  EXPECT_FALSE(parser.parse(json, batch, &fault)) << json << " was taken";
  EXPECT_EQ(batch.count(), 0u) << "after a fault nothing may be left in the batch";
  return fault;
}

// An event with further members, or with one of the usual ones replaced.
std::string event_with(const std::string& member) {
  std::string out = "{" + member;
  for (const char* usual : {R"("device_id":"d")", R"("sensor_type":"t")", R"("value":1)"}) {
    const std::string text = usual;
    if (member.find(text.substr(0, text.find(':') + 1)) == std::string::npos) out += "," + text;
  }
  return out + "}";
}

TEST(EventJson, TakesOneEventWithAllItsMembers) {
  const auto events =
      parsed(R"({"device_id":"boiler-7","timestamp":"2023-11-14T22:13:20.5Z","sensor_type":"temperature",
                                 "value":21.5,"unit":"Cel","metadata":{"site":"a","floor":2,"new":true}})");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].device_id, "boiler-7");
  EXPECT_EQ(events[0].sensor_type, "temperature");
  EXPECT_EQ(events[0].value, test::TestValue(21.5));
  EXPECT_EQ(events[0].unit, "Cel");
  EXPECT_EQ(events[0].timestamp_ns, 1'700'000'000'500'000'000);
  EXPECT_EQ(events[0].flags, 0u);
  EXPECT_EQ(events[0].metadata,
            (std::map<std::string, std::string>{{"floor", "2"}, {"new", "true"}, {"site", "a"}}));
}

TEST(EventJson, TakesAnArrayInItsOrder) {
  const auto events = parsed("[" + event_with(R"("value":1)") + " , " + event_with(R"("value":2)") + "]");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].value, test::TestValue(int64_t{1}));
  EXPECT_EQ(events[1].value, test::TestValue(int64_t{2}));
}

TEST(EventJson, FlagsAnEventWithoutTime) {
  const auto events = parsed(event_with(R"("value":1)"));
  EXPECT_EQ(events.at(0).flags, static_cast<uint32_t>(WEIR_NO_DEVICE_TIME));
  EXPECT_EQ(events.at(0).timestamp_ns, 0);
}

TEST(EventJson, TakesATimeInNanoseconds) {
  EXPECT_EQ(parsed(event_with(R"("timestamp":1700000000000000001)")).at(0).timestamp_ns,
            1'700'000'000'000'000'001);
  EXPECT_EQ(parsed(event_with(R"("timestamp":-1)")).at(0).timestamp_ns, -1);
}

TEST(EventJson, TakesAnEmptyUnitAsNone) { EXPECT_EQ(parsed(event_with(R"("unit":"")")).at(0).unit, ""); }

TEST(EventJson, ReadsEscapedTextAndKeys) {
  const auto events = parsed(R"({"device\u005fid":"a\"\u00e9\n","sensor_type":"t","value":"\ud83d\ude00"})");
  EXPECT_EQ(events.at(0).device_id, "a\"\u00e9\n");
  EXPECT_EQ(events.at(0).value, test::TestValue(std::string("\U0001F600")));
}

struct ValueCase {
  const char* json;
  test::TestValue value;
};
class EventJsonValue : public testing::TestWithParam<ValueCase> {};
TEST_P(EventJsonValue, KeepsItsTypeAndValue) {
  EXPECT_EQ(parsed(event_with(std::string(R"("value":)") + GetParam().json)).at(0).value, GetParam().value);
}
INSTANTIATE_TEST_SUITE_P(
    , EventJsonValue,
    testing::Values(ValueCase{"0", int64_t{0}}, ValueCase{"-0", int64_t{0}},
                    ValueCase{"9223372036854775807", std::numeric_limits<int64_t>::max()},
                    ValueCase{"-9223372036854775808", std::numeric_limits<int64_t>::min()},
                    ValueCase{"1.0", 1.0}, ValueCase{"1e3", 1000.0}, ValueCase{"-2.5E-1", -0.25},
                    ValueCase{"1.7976931348623157e308", std::numeric_limits<double>::max()},
                    ValueCase{"1e-400", 0.0}, ValueCase{"0e999999999999999999999", 0.0},
                    ValueCase{"0.0e400", 0.0}, ValueCase{"0.000001e-99999999999999999999", 0.0},
                    ValueCase{"5e-324", std::numeric_limits<double>::denorm_min()},
                    ValueCase{"0.1234567890123456789012345", 0.1234567890123456789012345},
                    ValueCase{"-123456789012345678901.5", -123456789012345678901.5},
                    ValueCase{"18446744073709551616.0", 0x1p64}, ValueCase{"true", true},
                    ValueCase{"false", false}, ValueCase{R"("")", std::string()},
                    ValueCase{R"("on")", std::string("on")}));

TEST(EventJson, KeepsTheSignOfANegativeZero) {
  const auto events = parsed(event_with(R"("value":-0.0)"));
  EXPECT_TRUE(std::signbit(std::get<double>(events.at(0).value)));
}

TEST(EventJson, KeepsMetadataNumbersAsTheyWereWritten) {
  const auto events = parsed(event_with(R"("metadata":{"a": 1.50 ,"b":-7,"c":false,"d":""})"));
  EXPECT_EQ(events.at(0).metadata,
            (std::map<std::string, std::string>{{"a", "1.50"}, {"b", "-7"}, {"c", "false"}, {"d", ""}}));
}

struct FaultCase {
  const char* json;
  uint32_t index;
  const char* field;
  const char* message;
};
void PrintTo(const FaultCase& c, std::ostream* out) { *out << c.json; }
class EventJsonFault : public testing::TestWithParam<FaultCase> {};
TEST_P(EventJsonFault, IsRefusedWithIndexFieldAndReason) {
  const ParseFault fault = refused(GetParam().json);
  EXPECT_EQ(fault.index, GetParam().index);
  EXPECT_EQ(fault.field, GetParam().field);
  EXPECT_EQ(fault.message.substr(0, std::string_view(GetParam().message).size()), GetParam().message)
      << fault.message;
}

#define EVENT(member) "{\"device_id\":\"d\",\"sensor_type\":\"t\"," member "}"

INSTANTIATE_TEST_SUITE_P(
    Meaning, EventJsonFault,
    testing::Values(
        FaultCase{R"([{"device_id":"d","sensor_type":"t","value":1},{"device_id":"d","sensor_type":"t"}])", 1,
                  "value", "\"value\" is missing"},
        FaultCase{R"({"sensor_type":"t","value":1})", 0, "device_id", "\"device_id\" is missing"},
        FaultCase{R"({"device_id":"d","value":1})", 0, "sensor_type", "\"sensor_type\" is missing"},
        FaultCase{R"({"device_id":"","sensor_type":"t","value":1})", 0, "device_id",
                  "\"device_id\" must not be empty"},
        FaultCase{R"({"device_id":"d","sensor_type":"","value":1})", 0, "sensor_type",
                  "\"sensor_type\" must not be empty"},
        FaultCase{R"({"device_id":7,"sensor_type":"t","value":1})", 0, "device_id",
                  "\"device_id\" must be text"},
        FaultCase{EVENT(R"("value":null)"), 0, "value", "\"value\" must not be null"},
        FaultCase{EVENT(R"("value":[1])"), 0, "value", "\"value\" must be a number, true, false or text"},
        FaultCase{EVENT(R"("value":{})"), 0, "value", "\"value\" must be a number, true, false or text"},
        FaultCase{EVENT(R"("value":1,"unit":null)"), 0, "unit", "\"unit\" must be text"},
        FaultCase{EVENT(R"("value":1,"colour":"red")"), 0, "colour", "\"colour\" is not a key of an event"},
        FaultCase{EVENT(R"("value":1,"a_key_that_is_longer_than_a_field_may_be":1)"), 0,
                  "a_key_that_is_longer_than_a_fie",
                  "\"a_key_that_is_longer_than_a_field_may_be\" is not a key"},
        FaultCase{EVENT(R"("value":1,"value":2)"), 0, "value", "\"value\" appears twice"},
        FaultCase{EVENT(R"("value":1,"v\u0061lue":2)"), 0, "value", "\"value\" appears twice"},
        FaultCase{R"({"device_id":"a\u0000b","sensor_type":"t","value":1})", 0, "device_id",
                  "\"device_id\" holds a NUL character"},
        FaultCase{EVENT(R"("value":"\u0000")"), 0, "value", "\"value\" holds a NUL character"},
        FaultCase{EVENT(R"("value":9223372036854775808)"), 0, "value",
                  "\"value\" is a number that does not fit a signed 64-bit integer"},
        FaultCase{EVENT(R"("value":-9223372036854775809)"), 0, "value",
                  "\"value\" is a number that does not fit a signed 64-bit integer"},
        FaultCase{EVENT(R"("value":123456789012345678901234567890)"), 0, "value",
                  "\"value\" is a number that does not fit a signed 64-bit integer"},
        FaultCase{EVENT(R"("value":1e309)"), 0, "value",
                  "\"value\" is a number that is beyond the range of a 64-bit floating-point number"},
        FaultCase{EVENT(R"("value":-0.001e312)"), 0, "value",
                  "\"value\" is a number that is beyond the range"},
        FaultCase{EVENT(R"("value":1e99999999999999999999)"), 0, "value",
                  "\"value\" is a number that is beyond the range"},
        FaultCase{EVENT(R"("value":1,"timestamp":1.5)"), 0, "timestamp",
                  "\"timestamp\" is not a whole number"},
        FaultCase{EVENT(R"("value":1,"timestamp":true)"), 0, "timestamp",
                  "\"timestamp\" must be RFC 3339 text"},
        FaultCase{EVENT(R"("value":1,"timestamp":"2026-02-29T00:00:00Z")"), 0, "timestamp",
                  "\"timestamp\" has a day that its month does not have"},
        FaultCase{"[]", 0, "", "the array holds no event"},
        FaultCase{"[1]", 0, "", "each element of the array must be an event object"},
        FaultCase{"[[]]", 0, "", "each element of the array must be an event object"},
        FaultCase{"\"text\"", 0, "", "the document must be an event object or an array of event objects"},
        FaultCase{"17", 0, "", "the document must be an event object or an array of event objects"},
        FaultCase{"null", 0, "", "the document must be an event object or an array of event objects"}));

INSTANTIATE_TEST_SUITE_P(
    Metadata, EventJsonFault,
    testing::Values(FaultCase{EVENT(R"("value":1,"metadata":[])"), 0, "metadata",
                              "\"metadata\" must be an object"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"a":null})"), 0, "/metadata/a",
                              "\"/metadata/a\" must be text, a number, true or false"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"a":{"b":1}})"), 0, "/metadata/a",
                              "\"/metadata/a\" must be text, a number, true or false"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"a":1,"b":2,"a":3})"), 0, "/metadata/a",
                              "\"/metadata/a\" appears twice"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"weir.auth.subject":"root"})"), 0,
                              "/metadata/weir.auth.subject", "\"/metadata/weir.auth.subject\" is reserved"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"weir\u002ex":"y"})"), 0, "/metadata/weir.x",
                              "\"/metadata/weir.x\" is reserved"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"":"y"})"), 0, "metadata",
                              "\"metadata\" holds an empty key"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"a\u0000":"y"})"), 0, "metadata",
                              "\"metadata\" holds a key with a NUL character"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"a/b":"\u0000"})"), 0, "/metadata/a~1b",
                              "\"/metadata/a~1b\" holds a NUL character"},
                    FaultCase{EVENT(R"("value":1,"metadata":{"n":1e999})"), 0, "/metadata/n",
                              "\"/metadata/n\" is a number that is beyond"}));

INSTANTIATE_TEST_SUITE_P(
    Syntax, EventJsonFault,
    testing::Values(
        FaultCase{"", 0, "", "the document is not well-formed JSON: it is empty"},
        FaultCase{"  \n", 0, "", "the document is not well-formed JSON"},
        FaultCase{"{", 0, "", "the document is not well-formed JSON: it ends too early"},
        FaultCase{EVENT(R"("value":1)") "}", 0, "", "the document"},
        FaultCase{EVENT(R"("value":1)") " {}", 0, "", "the document goes on after its event or array"},
        FaultCase{"[" EVENT(R"("value":1)") "],[]", 0, "", "the document goes on"},
        FaultCase{"[" EVENT(R"("value":1)") " " EVENT(R"("value":1)") "]", 1, "",
                  "the document is not well-formed JSON"},
        FaultCase{"[" EVENT(R"("value":1)") ",]", 1, "", "each element of the array must be an event object"},
        FaultCase{EVENT(R"("value":01)"), 0, "",
                  "the document is not well-formed JSON: a number is malformed"},
        FaultCase{EVENT(R"("value":1.)"), 0, "",
                  "the document is not well-formed JSON: a number is malformed"},
        FaultCase{EVENT(R"("value":-)"), 0, "",
                  "the document is not well-formed JSON: a number is malformed"},
        FaultCase{EVENT(R"("value":1x)"), 0, "",
                  "the document is not well-formed JSON: a number is malformed"},
        FaultCase{EVENT(R"("value":+1)"), 0, "", "the document is not well-formed JSON"},
        FaultCase{EVENT(R"("value":NaN)"), 0, "", "the document is not well-formed JSON"},
        FaultCase{EVENT(R"("value":truer)"), 0, "", ""}, FaultCase{EVENT(R"("value":nul)"), 0, "value", ""},
        FaultCase{EVENT(R"("value" 1)"), 0, "", "the document is not well-formed JSON"},
        FaultCase{EVENT(R"("value":1,)"), 0, "", "the document is not well-formed JSON"},
        FaultCase{EVENT(R"("value":"\x")"), 0, "",
                  "the document is not well-formed JSON: a text holds an escape"},
        FaultCase{EVENT(R"("value":"\ud800")"), 0, "",
                  "the document is not well-formed JSON: a text holds an escape"},
        FaultCase{"{\"device_id\":\"a\nb\",\"sensor_type\":\"t\",\"value\":1}", 0, "",
                  "the document is not well-formed JSON: a text holds a control character"},
        FaultCase{"{\"device_id\":\"\xff\",\"sensor_type\":\"t\",\"value\":1}", 0, "",
                  "the document is not well-formed JSON: it is not valid UTF-8"},
        FaultCase{"{\"device_id\":\"\xed\xa0\x80\",\"sensor_type\":\"t\",\"value\":1}", 0, "",
                  "the document is not well-formed JSON: it is not valid UTF-8"},
        FaultCase{R"({"device_id":"d)", 0, "",
                  "the document is not well-formed JSON: a text has no closing quote"},
        FaultCase{"\xef\xbb\xbf{}", 0, "", "the document"}));

// Found by fuzzing: NULs behind a number were taken for white space.
TEST(EventJson, TakesNoNulForWhiteSpace) {
  for (const char* number : {"1", "1.5"}) {
    EXPECT_EQ(
        refused(event_with("\"value\":" + std::string(number) + std::string(3, '\0'))).message.substr(0, 56),
        "the document is not well-formed JSON: a number is malfor");
  }
}

TEST(EventJson, SaysNearWhichByteTheDocumentBreaks) {
  const std::string json = "[" + event_with(R"("value":1)") + "!]";
  EXPECT_NE(refused(json).message.find("near byte " + std::to_string(json.find('!'))), std::string::npos)
      << refused(json).message;
}

TEST(EventJson, HoldsTheLimitOfTextToTheByte) {
  const std::string longest(WEIR_TEXT_MAX_BYTES, 'x');
  for (const char* key : {"device_id", "sensor_type", "unit"}) {
    const std::string member = std::string("\"") + key + "\":\"";
    EXPECT_EQ(parsed(event_with(member + longest + "\"")).size(), 1u);
    const ParseFault fault = refused(event_with(member + longest + "x\""));
    EXPECT_EQ(fault.field, key);
    EXPECT_EQ(fault.message, std::string("\"") + key + "\" is longer than 4096 bytes");
  }
  EXPECT_EQ(parsed(event_with("\"metadata\":{\"" + longest + "\":1}")).size(), 1u);
  EXPECT_EQ(refused(event_with("\"metadata\":{\"" + longest + "x\":1}")).message,
            "\"metadata\" holds a key that is longer than 4096 bytes");
}

TEST(EventJson, HoldsTheLimitOfEvents) {
  std::string json = "[";
  for (uint32_t i = 0; i < WEIR_BATCH_MAX_EVENTS; ++i) json += event_with("\"value\":1") + ",";
  json.back() = ']';
  EXPECT_EQ(parsed(json).size(), WEIR_BATCH_MAX_EVENTS);
  json.back() = ',';
  json += event_with("\"value\":1") + "]";
  const ParseFault fault = refused(json);
  EXPECT_EQ(fault.index, WEIR_BATCH_MAX_EVENTS);
  EXPECT_EQ(fault.message, "the array holds more than 65536 events");
}

TEST(EventJson, HoldsTheLimitOfABatchsBytes) {
  const std::string part(1u << 20, 'v');
  std::string json = "[";
  for (int i = 0; i < 17; ++i) json += event_with("\"value\":\"" + std::to_string(i) + part + "\"") + ",";
  json.back() = ']';
  const ParseFault fault = refused(json);
  EXPECT_EQ(fault.index, 15u);
  EXPECT_EQ(fault.message, "the events of the document take more than 16 MiB");
}

TEST(EventJson, RefusesADocumentOverItsLimitWithoutReadingIt) {
  EXPECT_EQ(refused(std::string(kMaxJsonBytes + 1, '[')).message, "the document is over 64 MiB");
}

TEST(EventJson, DoesNotFollowDeepNesting) {
  EXPECT_EQ(refused(std::string(100'000, '[') + std::string(100'000, ']')).message,
            "each element of the array must be an event object");
  const std::string deep =
      event_with("\"metadata\":" + std::string(100'000, '{') + std::string(100'000, '}'));
  refused(deep);
}

TEST(EventJson, UsesOneParserForManyDocuments) {
  EventParser parser;
  sdk::BatchBuilder batch;
  ParseFault fault;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(parser.parse(event_with("\"value\":1"), batch, &fault));
    EXPECT_FALSE(parser.parse("{\"device_id\":", batch, &fault));
    EXPECT_TRUE(
        parser.parse("[" + event_with("\"value\":1") + "," + event_with("\"value\":2") + "]", batch, &fault));
    EXPECT_EQ(batch.count(), 2u);
  }
}

TEST(EventJson, DoesNotReadWhatThePaddingHolds) {
  const std::string json = event_with("\"value\":1");
  EventParser parser;
  sdk::BatchBuilder batch;
  ParseFault fault;
  for (const char filler : {'\0', '1', '}', '"', '\xff'}) {
    std::string padded = json + std::string(kJsonPadding, filler);
    EXPECT_TRUE(parser.parse_padded(std::string_view(padded).substr(0, json.size()), batch, &fault))
        << fault.message;
  }
}

struct TimeCase {
  const char* text;
  int64_t unix_ns;
};
class Rfc3339 : public testing::TestWithParam<TimeCase> {};
TEST_P(Rfc3339, IsReadToTheNanosecond) {
  int64_t unix_ns = 0;
  const char* why = parse_rfc3339(GetParam().text, &unix_ns);
  EXPECT_EQ(why, nullptr) << GetParam().text << ' ' << why;
  EXPECT_EQ(unix_ns, GetParam().unix_ns) << GetParam().text;
}
constexpr int64_t kSecond = 1'000'000'000;
INSTANTIATE_TEST_SUITE_P(
    , Rfc3339,
    testing::Values(TimeCase{"1970-01-01T00:00:00Z", 0}, TimeCase{"1970-01-01t00:00:01z", kSecond},
                    TimeCase{"1970-01-01 00:00:01Z", kSecond}, TimeCase{"1970-01-01T01:00:00+01:00", 0},
                    TimeCase{"1969-12-31T18:29:00-05:31", 0}, TimeCase{"1970-01-01T00:00:00-00:00", 0},
                    TimeCase{"1969-12-31T23:59:59.5Z", -kSecond / 2},
                    TimeCase{"2023-11-14T22:13:20.123456789Z", 1'700'000'000'123'456'789},
                    TimeCase{"2023-11-14T22:13:20.1234567899999Z", 1'700'000'000'123'456'789},
                    TimeCase{"2024-02-29T00:00:00Z", 1'709'164'800 * kSecond},
                    TimeCase{"2000-02-29T00:00:00Z", 951'782'400 * kSecond},
                    TimeCase{"2016-12-31T23:59:60Z", 1'483'228'800 * kSecond},
                    TimeCase{"2017-01-01T00:59:60.5+01:00", 1'483'228'800 * kSecond + kSecond / 2},
                    TimeCase{"2262-04-11T23:47:16.854775807Z", std::numeric_limits<int64_t>::max()}));

struct NoTimeCase {
  const char* text;
  const char* why;
};
class NotRfc3339 : public testing::TestWithParam<NoTimeCase> {};
TEST_P(NotRfc3339, IsRefusedWithItsReason) {
  int64_t unix_ns = 0;
  const char* why = parse_rfc3339(GetParam().text, &unix_ns);
  ASSERT_NE(why, nullptr) << GetParam().text;
  EXPECT_STREQ(why, GetParam().why) << GetParam().text;
}
constexpr const char* kNot = "is not an RFC 3339 time such as 2026-11-24T20:15:00Z";
INSTANTIATE_TEST_SUITE_P(
    , NotRfc3339,
    testing::Values(
        NoTimeCase{"", kNot}, NoTimeCase{"2026-11-24", kNot}, NoTimeCase{"2026-11-24T20:15Z", kNot},
        NoTimeCase{"2026-11-24x20:15:00Z", kNot}, NoTimeCase{"+026-11-24T20:15:00Z", kNot},
        NoTimeCase{"2026-11-24T20:15:00.Z", kNot}, NoTimeCase{"2026-11-24T20:15:00+0100", kNot},
        NoTimeCase{"2026-11-24T20:15:00Zjunk", kNot}, NoTimeCase{"2026-11-24T20:15:00+01:0x", kNot},
        NoTimeCase{"2026-11-24T20:15:00", "has no time zone: end it with Z or an offset such as +01:00"},
        NoTimeCase{"2026-00-24T20:15:00Z", "has a month that is not 01 to 12"},
        NoTimeCase{"2026-13-24T20:15:00Z", "has a month that is not 01 to 12"},
        NoTimeCase{"2026-11-00T20:15:00Z", "has a day that its month does not have"},
        NoTimeCase{"2026-11-31T20:15:00Z", "has a day that its month does not have"},
        NoTimeCase{"1900-02-29T00:00:00Z", "has a day that its month does not have"},
        NoTimeCase{"2026-11-24T24:00:00Z", "has an hour that is not 00 to 23"},
        NoTimeCase{"2026-11-24T20:60:00Z", "has a minute that is not 00 to 59"},
        NoTimeCase{"2026-11-24T20:15:61Z", "has a second that is not 00 to 60"},
        NoTimeCase{"2026-11-24T20:15:60Z", "has a leap second that is not 23:59:60 UTC"},
        NoTimeCase{"2026-11-24T20:15:00+24:00", "has an offset that is not between -23:59 and +23:59"},
        NoTimeCase{"2262-04-11T23:47:16.854775808Z",
                   "lies outside of the years 1678 to 2262 that nanoseconds can count"},
        NoTimeCase{"0001-01-01T00:00:00Z",
                   "lies outside of the years 1678 to 2262 that nanoseconds can count"}));

}  // namespace
}  // namespace weir::mapping
