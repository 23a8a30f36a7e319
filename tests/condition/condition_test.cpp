// The language of `when`: what holds for which event, and what a wrong text is told.
#include "weir/condition/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/events.h"

namespace weir::condition {
namespace {

using test::TestEvent;
using testing::HasSubstr;

bool holds(const std::string& text, const TestEvent& event = {}) {
  auto compiled = Condition::compile(text);
  if (const Fault* fault = std::get_if<Fault>(&compiled)) {
    ADD_FAILURE() << text << ": " << fault->column << ": " << fault->message;
    return false;
  }
  test::Block batch = test::make_batch({TestEvent{}, event});
  return std::get<Condition>(compiled).holds(batch, 1);
}

// "column: message (expected ...)"
std::string fault(const std::string& text) {
  auto compiled = Condition::compile(text);
  const Fault* fault = std::get_if<Fault>(&compiled);
  if (fault == nullptr) return "it is right";
  return std::to_string(fault->column) + ": " + fault->message + " (expected " + fault->expected + ")";
}

TEST(Condition, ComparesTheValueByWhatTheDeviceSent) {
  EXPECT_TRUE(holds("value > 80", {.value = 80.5}));
  EXPECT_FALSE(holds("value > 80", {.value = 80.0}));
  EXPECT_TRUE(holds("value >= 80", {.value = int64_t{80}}));
  EXPECT_TRUE(holds("value == -3", {.value = -3.0}));
  EXPECT_TRUE(holds("value < 2.5e3", {.value = int64_t{2499}}));
  EXPECT_TRUE(holds("value == 'open'", {.value = std::string("open")}));
  EXPECT_TRUE(holds("value == true", {.value = true}));
  EXPECT_FALSE(holds("value == true", {.value = false}));
  EXPECT_TRUE(holds("80 < value", {.value = 81.0}));
}

TEST(Condition, WhatIsOfAnotherTypeIsUnequalAndHasNoOrder) {
  for (const test::TestValue& value : {test::TestValue(std::string("81")), test::TestValue(true),
                                       test::TestValue(test::Bytes{"81"}), test::TestValue(test::UnknownValue{})}) {
    EXPECT_FALSE(holds("value > 80", {.value = value}));
    EXPECT_FALSE(holds("value <= 80", {.value = value}));
    EXPECT_FALSE(holds("value == 81", {.value = value}));
    EXPECT_TRUE(holds("value != 81", {.value = value}));
  }
}

TEST(Condition, ComparesIntegersExactly) {
  const TestEvent event{.value = int64_t{9007199254740993}};  // 2^53 + 1 is no double
  EXPECT_TRUE(holds("value == 9007199254740993", event));
  EXPECT_FALSE(holds("value == 9007199254740992", event));
  EXPECT_TRUE(holds("value > 9007199254740992.0", event));
  EXPECT_FALSE(holds("value == 9007199254740992.0", event));
  EXPECT_TRUE(holds("value < 1e300", event));
  EXPECT_TRUE(holds("value > -1e300", {.value = INT64_MIN}));
  EXPECT_TRUE(holds("value < -2.5", {.value = int64_t{-3}}));
  EXPECT_TRUE(holds("value > -2.5", {.value = int64_t{-2}}));
  EXPECT_FALSE(holds("value > 9223372036854775807", {.value = INT64_MAX}));
}

TEST(Condition, KnowsTheFieldsOfAnEvent) {
  const TestEvent event{.device_id = "boiler-7", .sensor_type = "pressure", .unit = "bar",
                        .timestamp_ns = 1'700'000'000'000'000'000, .received_ns = 1'700'000'000'500'000'000};
  EXPECT_TRUE(holds("device_id == 'boiler-7'", event));
  EXPECT_TRUE(holds("sensor_type != \"temperature\"", event));
  EXPECT_TRUE(holds("unit in ['Pa', 'bar']", event));
  EXPECT_FALSE(holds("unit in ['Pa', 'kPa']", event));
  EXPECT_TRUE(holds("timestamp < received_at", event));
  EXPECT_TRUE(holds("timestamp >= 1700000000000000000", event));
  EXPECT_TRUE(holds("device_id < 'boiler-8'", event));
  EXPECT_TRUE(holds("value in [1, 21.5]", event));
}

TEST(Condition, ReadsMetadataAsWhatItIsComparedWith) {
  const TestEvent event{.metadata = {{"floor", "2"}, {"height", "2.50"}, {"indoor", "true"}, {"room 2", "lab"},
                                     {"weir.auth.subject", "CN=a"}, {"empty", ""}}};
  EXPECT_TRUE(holds("metadata.floor == '2'", event));
  EXPECT_TRUE(holds("metadata.floor == 2", event));
  EXPECT_TRUE(holds("metadata.floor < 2.5", event));
  EXPECT_TRUE(holds("metadata.height == 2.5", event));
  EXPECT_TRUE(holds("metadata.indoor == true", event));
  EXPECT_TRUE(holds("metadata['room 2'] like 'l?b'", event));
  EXPECT_TRUE(holds("metadata.weir.auth.subject == 'CN=a'", event));
  EXPECT_FALSE(holds("metadata['room 2'] > 1", event));
  EXPECT_FALSE(holds("metadata.indoor == 1", event));
  EXPECT_TRUE(holds("has(metadata.empty)", event));
  EXPECT_FALSE(holds("has(metadata.none)", event));
}

TEST(Condition, WhatIsAbsentIsUnequalToEverything) {
  EXPECT_FALSE(holds("unit == 'Cel'"));
  EXPECT_TRUE(holds("unit != 'Cel'"));
  EXPECT_FALSE(holds("unit < 'Cel'"));
  EXPECT_FALSE(holds("unit like '*'"));
  EXPECT_FALSE(holds("has(unit)"));
  EXPECT_TRUE(holds("has(unit)", {.unit = "Cel"}));
  EXPECT_FALSE(holds("metadata.a == metadata.b"));
}

TEST(Condition, KnowsTheFlags) {
  const std::pair<const char*, uint32_t> flags[] = {{"derived", WEIR_DERIVED}, {"replayed", WEIR_REPLAY},
                                                    {"retained", WEIR_RETAINED}, {"clock_suspect", WEIR_CLOCK_SUSPECT},
                                                    {"no_device_time", WEIR_NO_DEVICE_TIME}};
  for (const auto& [name, flag] : flags) {
    EXPECT_TRUE(holds(name, {.flags = flag})) << name;
    EXPECT_FALSE(holds(name, {.flags = ~flag})) << name;
    EXPECT_TRUE(holds(std::string(name) + " == false", {.flags = 0})) << name;
  }
}

TEST(Condition, BindsAsPeopleExpect) {
  EXPECT_TRUE(holds("true || false && false"));
  EXPECT_FALSE(holds("(true || false) && false"));
  EXPECT_TRUE(holds("!false && true"));
  EXPECT_FALSE(holds("!(false && true) && false"));
  EXPECT_TRUE(holds("!!true"));
  EXPECT_TRUE(holds("sensor_type=='temperature'&&value>20&&value<22"));
  EXPECT_TRUE(holds(" sensor_type == 'temperature'\n && value > 20 "));
}

TEST(Condition, MatchesPatterns) {
  const auto like = [](const std::string& text, const std::string& pattern) {
    return holds("device_id like '" + pattern + "'", {.device_id = text});
  };
  EXPECT_TRUE(like("boiler-7", "boiler-*"));
  EXPECT_TRUE(like("boiler-7", "*"));
  EXPECT_TRUE(like("boiler-7", "b*r-?"));
  EXPECT_TRUE(like("boiler-7", "**7*"));
  EXPECT_TRUE(like("aab", "*ab"));
  EXPECT_TRUE(like("größe", "gr??e"));
  EXPECT_FALSE(like("boiler-7", "boiler"));
  EXPECT_FALSE(like("boiler-7", "oiler-7"));
  EXPECT_FALSE(like("boiler-7", "boiler-7?"));
  EXPECT_FALSE(like("boiler-7", "*8"));
  // A pattern that would take for ever in a matcher that tries everything.
  EXPECT_FALSE(like(std::string(2000, 'a'), "*a*a*a*a*a*a*a*a*a*a*a*a*b"));
}

TEST(Condition, TakesEscapesInText) {
  EXPECT_TRUE(holds(R"(device_id == 'it\'s')", {.device_id = "it's"}));
  EXPECT_TRUE(holds(R"(device_id == "a\"b\\c")", {.device_id = "a\"b\\c"}));
}

TEST(Condition, SaysWhereAWrongTextIsWrong) {
  EXPECT_EQ(fault(""), "1: it is empty (expected a comparison like value > 80)");
  EXPECT_EQ(fault("  "), "1: it is empty (expected a comparison like value > 80)");
  EXPECT_EQ(fault("value > 80 &&"), "14: the end stands where a field or a literal should (expected a comparison like value > 80)");
  EXPECT_EQ(fault("value"), "6: after 'value' a comparison is missing (expected a comparison like value > 80)");
  EXPECT_EQ(fault("valeu > 80"), "1: there is no field 'valeu' (expected device_id, sensor_type, unit, value, timestamp, received_at or metadata.KEY)");
  EXPECT_EQ(fault("value = 80"), "7: '=' is no operator (expected '==')");
  EXPECT_EQ(fault("value > 80 and retained"), "12: 'and' is no operator (expected '&&')");
  EXPECT_EQ(fault("value > 80 or retained"), "12: 'or' is no operator (expected '||')");
  EXPECT_EQ(fault("not retained"), "1: 'not' is no operator (expected '!')");
  EXPECT_EQ(fault("value * 2 > 80"), "7: there is no arithmetic here (expected a comparison of fields and literals)");
  EXPECT_EQ(fault("unit == 'Cel"), "9: this text has no end (expected a closing ')");
  EXPECT_EQ(fault("unit == 'größe' §"), "17: '§' means nothing here (expected a field, a literal or an operator)");
  EXPECT_EQ(fault("(value > 80"), "12: the end does not belong here (expected ')')");
  EXPECT_EQ(fault("value > 80)"), "11: ')' does not belong here (expected '&&', '||' or the end)");
  EXPECT_EQ(fault("value > 80 < 90"), "12: '<' does not belong here (expected '&&', '||' or the end)");
  EXPECT_EQ(fault("sensor_type > 5"), "15: 'sensor_type' is text and the number 5 is a number: they are never equal (expected text)");
  EXPECT_EQ(fault("timestamp == 'now'"), "14: 'timestamp' is a number and the text 'now' is text: they are never equal (expected a number)");
  EXPECT_EQ(fault("retained > true"), "10: true and false have no order (expected '==' or '!=')");
  EXPECT_EQ(fault("unit in 'Cel'"), "9: the text 'Cel' does not belong here (expected '[')");
  EXPECT_EQ(fault("unit in [value]"), "10: a list holds literals only (expected a text or a number)");
  EXPECT_EQ(fault("unit in []"), "10: ']' stands where a field or a literal should (expected a comparison like value > 80)");
  EXPECT_EQ(fault("timestamp like '1*'"), "1: 'like' compares text, and this is a number (expected a field that is text)");
  EXPECT_EQ(fault("unit like Cel"), "11: 'Cel' is no pattern (expected one like 'boiler-*')");
  EXPECT_EQ(fault("has(3)"), "5: has() asks for a field, and this is none (expected device_id, sensor_type, unit, value, timestamp, received_at or metadata.KEY)");
  EXPECT_EQ(fault("metadata == 1"), "10: '==' does not belong here (expected '[')");
  EXPECT_EQ(fault("metadata. == 1"), "1: the key of the metadata is missing (expected metadata.KEY or metadata['KEY'])");
  EXPECT_EQ(fault("value > 1e999"), "9: '1e999' is not a number (expected one like 80, -2.5 or 1e6)");
  EXPECT_EQ(fault("value > 80x"), "9: '80x' is not a number (expected one like 80, -2.5 or 1e6)");
  EXPECT_EQ(fault(R"(unit == 'a\n')"), "11: there is no escape \\n (expected \\\\, \\' or \\\")");
}

TEST(Condition, IsBounded) {
  EXPECT_THAT(fault(std::string(kMaxBytes + 1, ' ')), HasSubstr("longer than 4096 bytes"));
  std::string deep(kMaxDepth, '('), deeper(kMaxDepth + 1, '(');
  EXPECT_TRUE(holds(deep + "true" + std::string(kMaxDepth, ')')));
  EXPECT_THAT(fault(deeper + "true" + std::string(kMaxDepth + 1, ')')), HasSubstr("too deeply"));
  EXPECT_THAT(fault(std::string(kMaxDepth + 1, '!') + "true"), HasSubstr("too deeply"));
  std::string wide = "value > 80";
  while (wide.size() < 4000) wide += "||retained";
  EXPECT_FALSE(holds(wide));
}

}  // namespace
}  // namespace weir::condition
