// What enrich.validate lets through, and what it says about the rest.
#include <limits>

#include "enrich_fixture.h"

namespace weir::test {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000 * kSecond;

class Validate : public EnrichTest {
 protected:
  Outcome validate(const std::string& config, const std::vector<TestEvent>& events) {
    return run("enrich.validate", config, make_batch(events));
  }
  bool passes(const std::string& config, const TestEvent& event) {
    return validate(config, {event}).verdicts.at(0).decision == Decision::kKept;
  }
  // The message of the rejection, "" when the event passed.
  std::string complaint(const std::string& config, const TestEvent& event) {
    return validate(config, {event}).verdicts.at(0).reason;
  }
  static TestEvent at(int64_t timestamp_ns, uint32_t flags = 0) {
    return {.timestamp_ns = timestamp_ns, .received_ns = kNow, .flags = flags};
  }
};

TEST_F(Validate, LetsEverythingThroughUntouchedWithoutRules) {
  const Outcome outcome = validate("{}", {{}, {.value = "x"}, {.value = UnknownValue{}}, at(0)});
  EXPECT_TRUE(outcome.untouched);
}

TEST_F(Validate, NamesTheFirstRequiredFieldThatIsMissing) {
  const std::string config = R"({"required": ["unit", "timestamp", "metadata.site", "metadata.line"]})";
  TestEvent event = {.unit = "Cel", .metadata = {{"line", "1"}, {"site", "north"}}};
  EXPECT_EQ(complaint(config, event), "");
  event.metadata.erase("site");
  EXPECT_EQ(complaint(config, event), "metadata.site is missing");
  event.flags = WEIR_NO_DEVICE_TIME;
  EXPECT_EQ(complaint(config, event), "timestamp is missing");
  event.unit.clear();
  EXPECT_EQ(complaint(config, event), "unit is missing");
}

TEST_F(Validate, TakesTheLimitsOfARangeAsPartOfIt) {
  const std::string config = R"({"ranges": {"temperature": {"min": -40, "max": 125}}})";
  for (double value : {-40.0, 0.0, 125.0}) EXPECT_TRUE(passes(config, {.value = value})) << value;
  for (double value : {-40.01, 125.01}) EXPECT_FALSE(passes(config, {.value = value})) << value;
  EXPECT_FALSE(passes(config, {.value = int64_t{126}}));
}

TEST_F(Validate, SaysFieldValueAndLimitOfWhatIsOutOfRange) {
  EXPECT_EQ(
      complaint(R"({"ranges": {"temperature": {"min": -40, "max": 125.5}}})", {.value = 300.25, .unit = "K"}),
      "value of temperature is 300.25 K, outside -40 to 125.5");
  EXPECT_EQ(complaint(R"({"ranges": {"co2": {"min": 0}}})", {.sensor_type = "co2", .value = int64_t{-1}}),
            "value of co2 is -1, outside 0 to inf");
  EXPECT_EQ(complaint(R"({"ranges": {"co2": {"max": 5}}})", {.sensor_type = "co2", .value = 6.0}),
            "value of co2 is 6, outside -inf to 5");
}

TEST_F(Validate, ComparesInTheUnitOfTheLimits) {
  const std::string config = R"({"ranges": {"temperature": {"min": -40, "max": 125, "unit": "Cel"}}})";
  EXPECT_TRUE(passes(config, {.value = 200.0, .unit = "[degF]"}));
  EXPECT_TRUE(passes(config, {.value = 398.0, .unit = "K"}));
  EXPECT_TRUE(passes(config, {.value = 20.0, .unit = "°C"}));
  EXPECT_EQ(complaint(config, {.value = 9999.0, .unit = "[degF]"}),
            "value of temperature is 9999 [degF], outside -40 to 125 Cel");
}

TEST_F(Validate, TakesAValueWithoutAUnitToBeInTheUnitOfTheLimits) {
  const std::string config = R"({"ranges": {"temperature": {"max": 125, "unit": "Cel"}}})";
  EXPECT_TRUE(passes(config, {.value = 125.0}));
  EXPECT_FALSE(passes(config, {.value = 126.0}));
}

TEST_F(Validate, RefusesAUnitThatCannotBeComparedWithTheLimits) {
  const std::string config = R"({"ranges": {"temperature": {"max": 125, "unit": "Cel"}}})";
  EXPECT_EQ(complaint(config, {.value = 1.0, .unit = "bar"}),
            "value of temperature is in bar, which cannot be compared with Cel");
  EXPECT_FALSE(passes(config, {.value = 1.0, .unit = "furlong"}));
}

TEST_F(Validate, RefusesANumberThatIsInfiniteInTheUnitOfTheLimits) {
  EXPECT_FALSE(passes(R"({"ranges": {"pressure": {"max": 5, "unit": "Pa"}}})",
                      {.sensor_type = "pressure", .value = 1e308, .unit = "bar"}));
}

TEST_F(Validate, WantsANumberWhereThereIsARange) {
  EXPECT_EQ(complaint(R"({"ranges": {"temperature": {"min": 0}}})", {.value = "21"}),
            "value of temperature is a string, not a number");
}

TEST_F(Validate, JudgesOnlyTheSensorTypesItHasRulesFor) {
  EXPECT_TRUE(
      passes(R"({"ranges": {"temperature": {"max": 0}}})", {.sensor_type = "humidity", .value = 50.0}));
}

TEST_F(Validate, WantsTheKindOfValueOfTheSensorType) {
  const std::string config =
      R"({"types": {"n": "number", "i": "integer", "b": "boolean", "s": "string", "y": "bytes"}})";
  const std::vector<TestEvent> right = {
      {.sensor_type = "n", .value = 1.5},        {.sensor_type = "n", .value = int64_t{1}},
      {.sensor_type = "i", .value = int64_t{1}}, {.sensor_type = "b", .value = true},
      {.sensor_type = "s", .value = ""},         {.sensor_type = "y", .value = Bytes{"x"}}};
  EXPECT_TRUE(validate(config, right).untouched);
  EXPECT_EQ(complaint(config, {.sensor_type = "n", .value = true}), "value of n is a boolean, not a number");
  EXPECT_EQ(complaint(config, {.sensor_type = "i", .value = 1.0}), "value of i is a number, not an integer");
  EXPECT_EQ(complaint(config, {.sensor_type = "b", .value = int64_t{1}}),
            "value of b is an integer, not a boolean");
  EXPECT_EQ(complaint(config, {.sensor_type = "s", .value = Bytes{"x"}}),
            "value of s is bytes, not a string");
  EXPECT_EQ(complaint(config, {.sensor_type = "y", .value = UnknownValue{}}),
            "value of y is of an unknown type, not bytes");
}

TEST_F(Validate, RefusesATimestampThatWasTooOldWhenItWasReceived) {
  const std::string config = R"({"max_age": "24h"})";
  EXPECT_TRUE(passes(config, at(kNow - 86'400 * kSecond)));
  EXPECT_EQ(complaint(config, at(kNow - 90'000 * kSecond)),
            "timestamp is 90000s before its receipt, more than max_age 24h");
  EXPECT_FALSE(passes(config, at(kNow - 86'400 * kSecond - 1)));
  EXPECT_TRUE(passes(config, at(kNow + 1'000'000 * kSecond))) << "max_ahead judges that";
}

TEST_F(Validate, RefusesATimestampTooFarInTheFutureOfItsReceipt) {
  const std::string config = R"({"max_ahead": "5m"})";
  EXPECT_TRUE(passes(config, at(kNow + 300 * kSecond)));
  EXPECT_EQ(complaint(config, at(kNow + 3'600 * kSecond)),
            "timestamp is 3600s after its receipt, more than max_ahead 5m");
  EXPECT_TRUE(passes(config, at(0)));
}

TEST_F(Validate, JudgesTheFarthestTimestampsThatThereAre) {
  const std::string config = R"({"max_age": "1d", "max_ahead": "1d"})";
  EXPECT_THAT(complaint(config, at(std::numeric_limits<int64_t>::min())), HasSubstr("more than max_age"));
  EXPECT_THAT(complaint(config, at(std::numeric_limits<int64_t>::max())), HasSubstr("more than max_ahead"));
}

TEST_F(Validate, DoesNotJudgeATimestampThatTheDeviceDidNotSend) {
  EXPECT_TRUE(passes(R"({"max_age": "1h"})", at(0, WEIR_NO_DEVICE_TIME)));
}

TEST_F(Validate, DoesNotJudgeATimestampByAClockThatWasNotSet) {
  EXPECT_TRUE(passes(R"({"max_ahead": "1h"})", at(kNow + 86'400 * kSecond, WEIR_CLOCK_SUSPECT)));
}

TEST_F(Validate, ReadsTimesInAllTheirUnits) {
  const std::pair<const char*, int64_t> times[] = {
      {"90ns", 90},          {"1.5us", 1'500},        {"20ms", 20'000'000},      {"30s", 30 * kSecond},
      {"5m", 300 * kSecond}, {"2h", 7'200 * kSecond}, {"7d", 604'800 * kSecond}, {"0s", 0}};
  for (const auto& [text, nanoseconds] : times) {
    const std::string config = R"({"max_age": ")" + std::string(text) + "\"}";
    EXPECT_TRUE(passes(config, at(kNow - nanoseconds))) << text;
    EXPECT_FALSE(passes(config, at(kNow - nanoseconds - 1))) << text;
  }
}

TEST_F(Validate, DropsUnderAConstantReasonWhenToldSo) {
  const std::string config =
      R"({"on_violation": "drop", "required": ["metadata.site"], "types": {"door": "boolean"}, "max_age": "1h",
          "max_ahead": "1h", "ranges": {"temperature": {"max": 100, "unit": "Cel"}}})";
  const std::map<std::string, std::string> site = {{"site", "north"}};
  std::vector<TestEvent> events = {{},
                                   {.sensor_type = "door", .value = 1.0, .metadata = site},
                                   {.value = 101.0, .metadata = site},
                                   {.value = 101.0, .unit = "bar", .metadata = site},
                                   {.metadata = site, .timestamp_ns = 0},
                                   {.metadata = site, .timestamp_ns = kNow * 2},
                                   {.metadata = site}};
  std::vector<std::string> reasons;
  for (const Verdict& verdict : validate(config, events).verdicts) {
    reasons.push_back(verdict.decision == Decision::kDropped ? verdict.reason : "kept");
  }
  EXPECT_THAT(reasons, ::testing::ElementsAre("missing field", "wrong type", "out of range", "wrong unit",
                                              "too old", "too far ahead", "kept"));
}

TEST_F(Validate, TakesAnEmptyBatch) { EXPECT_TRUE(validate(R"({"required": ["unit"]})", {}).events.empty()); }

TEST_F(Validate, DecidesTheSameAboutTenThousandEventsHoweverTheyAreCut) {
  const std::string config = R"({"ranges": {"temperature": {"min": 10, "max": 90}, "humidity": {"max": 50}},
                                 "types": {"door": "boolean"}, "required": ["unit"]})";
  const char* sensors[] = {"temperature", "humidity", "door", "co2"};
  std::vector<TestEvent> events(10'000);
  for (size_t i = 0; i < events.size(); ++i) {
    events[i].sensor_type = sensors[i * 5 % 4];
    events[i].value = static_cast<double>(i % 101);
    events[i].unit = i % 13 == 0 ? "" : "Cel";
  }
  const Outcome whole = validate(config, events);
  EXPECT_EQ(validate(config, events).verdicts, whole.verdicts);
  Instance instance(library_, host_, "enrich.validate", config);
  std::vector<Verdict> verdicts;
  for (size_t begin = 0, size = 1; begin < events.size(); begin += size, size = size % 97 + 1) {
    const auto from = events.begin() + static_cast<ptrdiff_t>(begin);
    const Block batch =
        make_batch({from, from + static_cast<ptrdiff_t>(std::min(size, events.size() - begin))});
    TransformOutput output(batch);
    instance.process(batch, output);
    verdicts.insert(verdicts.end(), output.verdicts().begin(), output.verdicts().end());
  }
  EXPECT_EQ(verdicts, whole.verdicts);
}

TEST_F(Validate, RefusesAWrongConfigurationWithTheKeyAndTheReason) {
  const auto refused = [&](const char* config, const char* pointer, const char* text) {
    expect_refused("enrich.validate", config, pointer, text);
  };
  refused(R"({"required": ["value"]})", "/required/0", "metadata.KEY");
  refused(R"({"required": "unit"})", "/required", "must be an array");
  refused(R"({"ranges": {"a/b": {}}})", "/ranges/a~1b", "needs min, max or both");
  refused(R"({"ranges": {"t": {"min": 5, "max": 4}}})", "/ranges/t", "min is above its max");
  refused(R"({"ranges": {"t": {"min": "x"}}})", "/ranges/t/min", "must be a number");
  refused(R"({"ranges": {"t": {"min": 1, "unit": "furlong"}}})", "/ranges/t/unit", "not in the unit table");
  refused(R"({"ranges": {"t": {"low": 1}}})", "/ranges/t/low", "unknown key");
  refused(R"({"types": {"t": "bool"}})", "/types/t", "\"boolean\"");
  refused(R"({"max_age": "1 day"})", "/max_age", "\"24h\"");
  refused(R"({"max_age": "-1h"})", "/max_age", "\"24h\"");
  refused(R"({"max_ahead": "400000d"})", "/max_ahead", "\"24h\"");
  refused(R"({"on_violation": "keep"})", "/on_violation", "\"dead-letter\" or \"drop\"");
  refused(R"({"range": {}})", "/range", "unknown key");
  refused("5", "", "must be a JSON object");
}

}  // namespace
}  // namespace weir::test
