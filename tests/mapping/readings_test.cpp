// What a mapping of the format "readings" can say, one thing at a time.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mapping/mapped.h"

namespace weir::mapping {
namespace {

using Events = std::vector<test::TestEvent>;

// A mapping of one reading of the device "d" with these further members, and the mapping's own.
std::string one(const std::string& reading, const std::string& mapping = "") {
  return R"({"device": "d", )" + mapping + (mapping.empty() ? "" : ", ") + R"("readings": [{"type": "t", )" +
         reading + "}]}";
}

struct ValueCase {
  const char* rule;
  const char* json;
  test::TestValue value;
};
void PrintTo(const ValueCase& c, std::ostream* out) { *out << c.rule << ' ' << c.json; }
class MappedValue : public testing::TestWithParam<ValueCase> {};
TEST_P(MappedValue, IsWhatTheRuleSays) {
  EXPECT_EQ(mapped(one(std::string(R"("value": "/v")") + GetParam().rule),
                   std::string(R"({"v":)") + GetParam().json + "}"),
            (Events{event("d", "t", GetParam().value)}));
}
INSTANTIATE_TEST_SUITE_P(
    , MappedValue,
    testing::Values(
        ValueCase{"", "21.5", 21.5}, ValueCase{"", "21", int64_t{21}}, ValueCase{"", "true", true},
        ValueCase{"", "\"on\"", std::string("on")}, ValueCase{"", "\"21.5\"", std::string("21.5")},
        ValueCase{"", "9223372036854775807", std::numeric_limits<int64_t>::max()},
        ValueCase{"", "18446744073709551615", 18446744073709551615.0},
        ValueCase{"", "123456789012345678901234567890", 123456789012345678901234567890.0},
        ValueCase{"", "0.1234567890123456789012345", 0.1234567890123456789012345},
        ValueCase{R"(, "as": "number")", "\"21.5\"", 21.5},
        ValueCase{R"(, "as": "number")", "\" +021 \"", int64_t{21}},
        ValueCase{R"(, "as": "number")", "\"-007.50\"", -7.5},
        ValueCase{R"(, "as": "number")", "\"0\"", int64_t{0}},
        ValueCase{R"(, "as": "number")", "3", int64_t{3}}, ValueCase{R"(, "as": "boolean")", "1", true},
        ValueCase{R"(, "as": "boolean")", "0", false},
        ValueCase{R"(, "as": "text")", "1.50", std::string("1.50")},
        ValueCase{R"(, "as": "text")", "false", std::string("false")},
        ValueCase{R"(, "words": {"ON": true, "half": 0.5, "no": 0, "x": "y"})", "\"ON\"", true},
        ValueCase{R"(, "words": {"ON": true, "half": 0.5, "no": 0, "x": "y"})", "\"half\"", 0.5},
        ValueCase{R"(, "words": {"ON": true, "half": 0.5, "no": 0, "x": "y"})", "\"no\"", int64_t{0}},
        ValueCase{R"(, "words": {"ON": true, "half": 0.5, "no": 0, "x": "y"})", "\"x\"", std::string("y")},
        ValueCase{R"(, "words": {"low": 0}, "as": "number")", "\"12\"", int64_t{12}},
        ValueCase{R"(, "words": {"ON": true})", "7", int64_t{7}}));

TEST(Mapping, UsesTheMappingsWordsUnlessAReadingHasItsOwnOrIsText) {
  EXPECT_EQ(
      mapped(
          R"({"device": "d", "words": {"ON": true}, "readings": [{"type": "a", "value": ""}, {"type": "b", "value": "", "words": {"ON": 1}},
                       {"type": "c", "value": "", "as": "text"}]})",
          "\"ON\""),
      (Events{event("d", "a", true), event("d", "b", int64_t{1}), event("d", "c", std::string("ON"))}));
}

struct TimeCase {
  const char* rule;
  const char* json;
  int64_t ns;
};
void PrintTo(const TimeCase& c, std::ostream* out) { *out << c.rule << ' ' << c.json; }
class MappedTime : public testing::TestWithParam<TimeCase> {};
TEST_P(MappedTime, IsInNanoseconds) {
  EXPECT_EQ(mapped(one(R"("value": "/v")", std::string(R"("time": )") + GetParam().rule),
                   std::string(R"({"v":1,"t":)") + GetParam().json + "}"),
            (Events{event("d", "t", int64_t{1}, "", GetParam().ns)}));
}
constexpr const char* kInSeconds = R"({"pointer": "/t", "unit": "s"})";
constexpr const char* kInNs = R"({"pointer": "/t", "unit": "ns"})";
constexpr const char* kZoned = R"({"pointer": "/t", "zone": "+01:00"})";
INSTANTIATE_TEST_SUITE_P(
    , MappedTime,
    testing::Values(
        TimeCase{"\"/t\"", "\"2023-11-14T22:13:20.5Z\"", 1'700'000'000'500'000'000},
        TimeCase{kInSeconds, "1700000000", 1'700'000'000'000'000'000},
        TimeCase{kInSeconds, "\"1700000000\"", 1'700'000'000'000'000'000},
        TimeCase{kInSeconds, "1631186545.04", 1'631'186'545'040'000'000},
        TimeCase{kInSeconds, "1.276020076001e+09", 1'276'020'076'001'000'000},
        TimeCase{kInSeconds, "1700000000.1234567899", 1'700'000'000'123'456'789},
        TimeCase{kInSeconds, "17e8", 1'700'000'000'000'000'000}, TimeCase{kInSeconds, "-1.5", -1'500'000'000},
        TimeCase{kInSeconds, "1700000000000000000e-9", 1'700'000'000'000'000'000},
        TimeCase{R"({"pointer": "/t", "unit": "ms"})", "1700000000123", 1'700'000'000'123'000'000},
        TimeCase{R"({"pointer": "/t", "unit": "ms"})", "1700000000123.5", 1'700'000'000'123'500'000},
        TimeCase{R"({"pointer": "/t", "unit": "us"})", "1700000000123456", 1'700'000'000'123'456'000},
        TimeCase{kInNs, "1700000000123456789", 1'700'000'000'123'456'789},
        TimeCase{kInNs, "9223372036854775807", std::numeric_limits<int64_t>::max()},
        TimeCase{kZoned, "\"2023-11-14T23:13:20\"", 1'700'000'000'000'000'000},
        TimeCase{kZoned, "\"2023-11-14 23:13:20.25\"", 1'700'000'000'250'000'000},
        TimeCase{kZoned, "\"2023-11-14T22:13:20Z\"", 1'700'000'000'000'000'000}));

TEST(Mapping, TakesAnOptionalTimeThatIsNotSetAsNone) {
  const std::string mapping =
      one(R"("value": "/v")", R"("time": {"pointer": "/t", "unit": "s", "optional": true})");
  for (const char* unset : {"", ",\"t\":null", ",\"t\":0", ",\"t\":\"\""})
    EXPECT_EQ(mapped(mapping, std::string("{\"v\":1") + unset + "}"), (Events{event("d", "t", int64_t{1})}))
        << unset;
}

TEST(Mapping, LeavesOutAnOptionalReadingThatIsMissingOrNull) {
  const std::string mapping = R"({"device": "d", "readings": [{"type": "a", "value": "/a", "optional": true},
    {"type": "b", "for_each": "/b", "value": "", "optional": true}, {"every_field": "/c", "optional": true}, {"type": "v", "value": "/v"}]})";
  EXPECT_EQ(mapped(mapping, R"({"v":1})"), (Events{event("d", "v", int64_t{1})}));
  EXPECT_EQ(mapped(mapping, R"({"v":1,"a":null,"b":null,"c":null})"), (Events{event("d", "v", int64_t{1})}));
  EXPECT_EQ(refused(mapping, R"({"v":1,"a":[]})").pointer, "/a") << "optional is not wrong";
}

TEST(Mapping, GoesThroughArraysAndObjects) {
  EXPECT_EQ(mapped(R"({"for_each": "/gateways", "device": "{#/site}-{/id}", "readings": [
                       {"for_each": "/sensors", "type": "{item}.{key}.{/n}", "value": "/v", "unit": "{/u?}"}]})",
                   R"({"site":"s","gateways":[{"id":1,"sensors":[{"n":"a","v":1,"u":"V"},{"n":"b","v":2}]},
                                              {"id":2,"sensors":{"x":{"n":"c","v":3}}}]})"),
            (Events{event("s-1", "0.0.a", int64_t{1}, "V"), event("s-1", "0.1.b", int64_t{2}),
                    event("s-2", "1.x.c", int64_t{3})}));
}

TEST(Mapping, TakesOnlyTheItemsAskedFor) {
  EXPECT_EQ(
      mapped(
          R"({"for_each": {"pointer": "", "only": ["s*:*"], "ignore": ["*:1"]}, "device": "d", "readings": [{"type": "{item}", "value": ""}]})",
          R"({"s:0":1,"switch:1":2,"switch:2":3,"input:0":4,"s":5})"),
      (Events{event("d", "s:0", int64_t{1}), event("d", "switch:2", int64_t{3})}));
}

TEST(Mapping, TakesNumbersBooleansAndNamedWordsOfEveryField) {
  EXPECT_EQ(
      mapped(
          R"({"device": "d", "readings": [{"every_field": "/o", "as": "number", "words": {"ON": true}, "types": {"t": "temperature", "in.t": "inner"},
                       "nested": true, "ignore": ["id", "in.x*"]}]})",
          R"({"o":{"t":1,"id":2,"s":"ON","n":"7.5","word":"red","none":null,"list":[1,2],"in":{"t":3,"x1":4,"id":5,"y":true}}})"),
      (Events{event("d", "temperature", int64_t{1}), event("d", "s", true), event("d", "n", 7.5),
              event("d", "inner", int64_t{3}), event("d", "in.y", true)}));
  EXPECT_EQ(
      mapped(R"({"device": "d", "readings": [{"every_field": ""}]})", R"({"a":1,"b":{"c":2},"d":"text"})"),
      (Events{event("d", "a", int64_t{1})}));
  EXPECT_EQ(
      mapped(
          R"({"device": "d", "readings": [{"every_field": "", "nested": true, "only": ["c", "x.*"], "type": "p-{key}"}]})",
          R"({"a":1,"b":{"c":2},"x":{"y":3}})"),
      (Events{event("d", "p-c", int64_t{2}), event("d", "p-y", int64_t{3})}));
}

TEST(Mapping, FindsUnitsByNameAndBySensorType) {
  EXPECT_EQ(mapped(R"({"device": "d", "units": {"temp*": "Cel", "*": "1"}, "unit_names": {"°F": "[degF]"},
                       "readings": [{"type": "temp1", "value": "/a", "unit": "{/u?}"}, {"type": "count", "value": "/a"}]})",
                   R"({"a":1,"u":"°F"})"),
            (Events{event("d", "temp1", int64_t{1}, "[degF]"), event("d", "count", int64_t{1}, "1")}));
}

TEST(Mapping, GivesMetadataToEachEventAndAReadingsOwnToIts) {
  const Events events =
      mapped(R"({"device": "d", "metadata": {"site": "{/site}", "gone": "{/gone?}", "a": "1"},
      "readings": [{"type": "x", "value": "/v"}, {"type": "y", "value": "/v", "metadata": {"site": "own", "b": "{/v}{{}}"}}, {"type": "z", "value": "/v"}]})",
             R"({"v":1.50,"site":"s"})");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].metadata, (std::map<std::string, std::string>{{"site", "s"}, {"a", "1"}}));
  EXPECT_EQ(events[1].metadata,
            (std::map<std::string, std::string>{{"site", "own"}, {"a", "1"}, {"b", "1.50{}"}}));
  EXPECT_EQ(events[2].metadata, events[0].metadata);
}

TEST(Mapping, TakesDeviceAndTimeOfAReadingInPlaceOfTheMappings) {
  EXPECT_EQ(
      mapped(
          R"({"device": "a", "time": "/gone", "readings": [{"type": "t", "value": "/v", "device": "{/id}", "time": {"pointer": "/at", "unit": "s"}}]})",
          R"({"v":1,"id":"own","at":5})"),
      (Events{event("own", "t", int64_t{1}, "", 5'000'000'000)}));
}

TEST(Mapping, ReadsEscapedKeysAndPointers) {
  EXPECT_EQ(mapped(one(R"("value": "/a~1b/~0/é/0")"), R"({"a/b":{"~":{"\u00e9":[7]}}})"),
            (Events{event("d", "t", int64_t{7})}));
}

TEST(Mapping, TakesAPayloadThatIsOneNumber) {
  EXPECT_EQ(mapped(one(R"("value": "")"), " 21.5\n"), (Events{event("d", "t", 21.5)}));
}

TEST(Mapping, TakesValuesOfTheCallersVariables) {
  const std::string_view names[] = {"device_id"};
  MappingFault fault;
  const auto mapping = Mapping::compile(
      R"({"template": "/{site}", "device": "{site}/{device_id}", "readings": [{"type": "t", "value": "/{device_id}"}]})",
      names, &fault);
  ASSERT_NE(mapping, nullptr) << fault.message;
  EXPECT_EQ(mapping->variables(), (std::vector<std::string>{"device_id", "site"}));
  const std::string_view values[] = {"x", "s"};
  MappedParser parser;
  sdk::BatchBuilder batch;
  PayloadFault refused;
  ASSERT_TRUE(parser.parse(*mapping, R"({"x":1})", {values, 0}, batch, &refused)) << refused.message;
  EXPECT_EQ(test::events_of(batch.finish()), (Events{event("s/x", "t", int64_t{1})}));
}

TEST(Mapping, RefusesAVariableThatIsNoText) {
  const auto mapping =
      compiled(R"({"template": "{site}", "device": "{site}", "readings": [{"type": "t", "value": ""}]})");
  const std::string_view values[] = {"a\xff"};
  MappedParser parser;
  sdk::BatchBuilder batch;
  PayloadFault fault;
  EXPECT_FALSE(parser.parse(*mapping, "1", {values, 0}, batch, &fault));
  EXPECT_EQ(fault.message, "the value of {site} is not valid UTF-8");
}

TEST(Mapping, LetsAPayloadWithoutReadingsPassOnlyWhenItIsToldTo) {
  const std::string readings = R"("device": "d", "readings": [{"every_field": ""}])";
  EXPECT_EQ(mapped("{" + readings + R"(, "allow_empty": true})", "{}"), Events{});
  EXPECT_EQ(refused("{" + readings + "}", "{}").message,
            "the payload holds no reading that the mapping asks for (\"allow_empty\": true lets that pass)");
}

TEST(Mapping, UsesOneParserForManyMappingsAndGoesOnAfterAFault) {
  MappedParser parser;
  sdk::BatchBuilder batch;
  PayloadFault fault;
  const auto first = compiled(one(R"("value": "/a")", R"("metadata": {"m": "{/a}"})")),
             second = compiled(one(R"("value": "/b")"));
  ASSERT_TRUE(parser.parse(*first, R"({"a":1})", {}, batch, &fault));
  EXPECT_FALSE(parser.parse(*second, R"({"b":[}])", {}, batch, &fault));
  ASSERT_TRUE(parser.parse(*second, R"({"b":2})", {}, batch, &fault)) << fault.message;
  EXPECT_EQ(test::events_of(batch.finish()), (Events{event("d", "t", int64_t{2})}));
}

}  // namespace
}  // namespace weir::mapping
