// What enrich.units does with events; the numbers themselves are in unit_table_test.cpp.
#include <limits>

#include "enrich_fixture.h"

namespace weir::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Units : public EnrichTest {
 protected:
  Outcome convert(const std::vector<TestEvent>& events, const std::string& config = "{}") {
    return run("enrich.units", config, make_batch(events));
  }
  TestEvent convert_one(const TestEvent& event, const std::string& config = "{}") {
    return convert({event}, config).events.at(0);
  }
};

TEST_F(Units, ChangesNothingButTheValueAndTheUnit) {
  TestEvent event = {
      .device_id = "boiler-1", .value = 212.0, .unit = "[degF]", .metadata = {{"site", "north"}}};
  event.sequence = 9;
  TestEvent expected = event;
  expected.value = 100.0;
  expected.unit = "Cel";
  EXPECT_EQ(convert_one(event), expected);
}

TEST_F(Units, CorrectsTheSpellingAloneWhenTheUnitIsRight) {
  const Outcome outcome = convert({{.value = 21.5, .unit = "°C"}});
  EXPECT_EQ(outcome.events[0].unit, "Cel");
  EXPECT_THAT(outcome.verdicts[0].amended, ElementsAre(WEIR_FIELD_UNIT));
}

TEST_F(Units, LeavesABatchUntouchedThatIsRightAlready) {
  EXPECT_TRUE(convert({{.value = 21.5, .unit = "Cel"}, {.value = int64_t{5}, .unit = "lx"}, {.value = 1.0}})
                  .untouched);
}

TEST_F(Units, LeavesWhatIsNoNumberAsItIs) {
  EXPECT_TRUE(convert({{.value = "70", .unit = "[degF]"},
                       {.value = true, .unit = "mV"},
                       {.value = Bytes{"x"}, .unit = "psi"},
                       {.value = UnknownValue{}, .unit = "°F"}})
                  .untouched);
}

TEST_F(Units, KeepsAWholeNumberWholeWhenTheFactorIsWhole) {
  EXPECT_EQ(convert_one({.value = int64_t{9'007'199'254'740'993}, .unit = "kPa"}).value,
            TestValue(int64_t{9'007'199'254'740'993'000}));
  EXPECT_EQ(convert_one({.value = int64_t{-3}, .unit = "kWh"}).value, TestValue(int64_t{-10'800'000}));
  EXPECT_EQ(convert_one({.value = int64_t{9'007'199'254'740'993}, .unit = "celsius"}).value,
            TestValue(int64_t{9'007'199'254'740'993}));
}

TEST_F(Units, MakesAWholeNumberARealOneWhenTheFactorIsAFraction) {
  EXPECT_EQ(convert_one({.value = int64_t{3300}, .unit = "mV"}).value, TestValue(3.3));
  EXPECT_EQ(convert_one({.value = int64_t{50}, .unit = "°F"}).value, TestValue(10.0));
}

TEST_F(Units, MakesAWholeNumberARealOneWhenTheProductDoesNotFit) {
  EXPECT_EQ(convert_one({.value = std::numeric_limits<int64_t>::max(), .unit = "km"}).value,
            TestValue(9223372036854775807.0 * 1000));
}

TEST_F(Units, RejectsANumberThatIsTooLargeForTheTargetUnit) {
  const Outcome outcome = convert({{.value = 1e308, .unit = "bar"}, {.value = 1.0, .unit = "bar"}});
  EXPECT_EQ(outcome.verdicts[0].decision, Decision::kRejected);
  EXPECT_EQ(outcome.verdicts[0].reason, "value of temperature is too large to be converted to Pa");
  EXPECT_EQ(outcome.verdicts[1].decision, Decision::kKept);
}

TEST_F(Units, ConvertsToTheTargetsOfItsConfiguration) {
  const std::string config = R"({"targets": {"pressure": "kPa", "temperature": "[degF]", "level": "dB[W]"}})";
  const Outcome outcome = convert({{.value = 2.5, .unit = "bar"},
                                   {.value = 250.0, .unit = "kPa"},
                                   {.value = 100.0, .unit = "Cel"},
                                   {.value = -78.0, .unit = "dBm"},
                                   {.value = 1.0, .unit = "kW"}},
                                  config);
  EXPECT_EQ(outcome.events[0].value, TestValue(250.0));
  EXPECT_EQ(outcome.events[0].unit, "kPa");
  EXPECT_TRUE(outcome.verdicts[1].amended.empty());
  EXPECT_EQ(outcome.events[2].value, TestValue(212.0));
  EXPECT_EQ(outcome.events[3].value, TestValue(-108.0));
  EXPECT_EQ(outcome.events[4].value, TestValue(1000.0));
}

TEST_F(Units, TakesATargetInAnySpelling) {
  EXPECT_EQ(convert_one({.value = 1.0, .unit = "MJ"}, R"({"targets": {"energy": "kWh"}})").unit, "kW.h");
}

TEST_F(Units, KeepsAnUnknownUnitUnlessToldOtherwise) {
  EXPECT_TRUE(convert({{.value = 1.0, .unit = "furlong"}}).untouched);
  EXPECT_TRUE(convert({{.value = 1.0, .unit = std::string(4096, 'x')}}).untouched);
}

TEST_F(Units, DistinguishesCapitalsAsUcumDoes) {
  EXPECT_EQ(convert_one({.value = 1.0, .unit = "mW"}).value, TestValue(0.001));
  EXPECT_EQ(convert_one({.value = 1.0, .unit = "MW"}).value, TestValue(1e6));
}

// Equal strings may share an offset, and nothing forbids that one is the beginning of another.
TEST_F(Units, TellsTwoUnitsApartThatBeginAtTheSamePlaceOfTheBatch) {
  sdk::BatchBuilder builder;
  const weir_ref unit = builder.text("mV");
  for (const uint32_t size : {2u, 1u, 2u}) {
    weir_event_v1& event = builder.add();
    event.device_id = event.sensor_type = builder.text("x");
    event.value_type = WEIR_F64;
    event.value.f64 = 1000;
    event.unit = {unit.offset, size};
  }
  const Outcome outcome = run("enrich.units", "{}", builder.finish());
  EXPECT_EQ(outcome.events[0].value, TestValue(1.0));
  EXPECT_EQ(outcome.events[1].value, TestValue(1000.0));
  EXPECT_EQ(outcome.events[1].unit, "m");
  EXPECT_EQ(outcome.events[2].value, TestValue(1.0));
}

TEST_F(Units, DropsAnUnknownUnitWhenToldSo) {
  const Outcome outcome =
      convert({{.value = 1.0, .unit = "furlong"}, {.value = 1.0}}, R"({"unknown": "drop"})");
  EXPECT_EQ(outcome.verdicts[0], (Verdict{Decision::kDropped, 0, "unknown unit", {}}));
  EXPECT_EQ(outcome.verdicts[1].decision, Decision::kKept) << "no unit is not an unknown one";
}

TEST_F(Units, RejectsAnUnknownUnitWhenToldSo) {
  const Outcome outcome = convert({{.value = 1.0, .unit = "furlong"}}, R"({"unknown": "dead-letter"})");
  EXPECT_EQ(outcome.verdicts[0].decision, Decision::kRejected);
  EXPECT_EQ(outcome.verdicts[0].reason, "unit \"furlong\" of temperature is not in the unit table");
}

// Every fourth event in each of several units, so that the cache of a batch sees hits, misses and collisions.
std::vector<TestEvent> mixed(size_t count) {
  const char* units[] = {"[degF]", "Cel", "psi", "",  "kWh", "furlong", "mV",
                         "lx",     "K",   "mph", "g", "dBm", "L/min"};
  std::vector<TestEvent> events(count);
  for (size_t i = 0; i < count; ++i) {
    events[i].unit = units[i * 7 % std::size(units)];
    events[i].value =
        i % 3 == 0 ? TestValue(static_cast<int64_t>(i)) : TestValue(0.1 * static_cast<double>(i));
  }
  return events;
}

TEST_F(Units, TakesAnEmptyBatch) { EXPECT_TRUE(convert({}).events.empty()); }

TEST_F(Units, MakesTheSameOfTenThousandEventsHoweverTheyAreCut) {
  const std::vector<TestEvent> events = mixed(10'000);
  const Outcome whole = convert(events, R"({"unknown": "dead-letter"})");
  ASSERT_EQ(whole.verdicts.size(), events.size());
  EXPECT_EQ(convert(events, R"({"unknown": "dead-letter"})").events, whole.events);

  Instance instance(library_, host_, "enrich.units", R"({"unknown": "dead-letter"})");
  std::vector<TestEvent> pieces;
  std::vector<Verdict> verdicts;
  for (size_t begin = 0, size = 1; begin < events.size(); begin += size, size = size % 97 + 1) {
    const size_t end = std::min(begin + size, events.size());
    const Block batch = make_batch(
        {events.begin() + static_cast<ptrdiff_t>(begin), events.begin() + static_cast<ptrdiff_t>(end)}, 1,
        begin + 1);
    TransformOutput output(batch);
    instance.process(batch, output);
    for (const TestEvent& event : output.result()) pieces.push_back(event);
    verdicts.insert(verdicts.end(), output.verdicts().begin(), output.verdicts().end());
  }
  EXPECT_EQ(pieces, whole.events);
  EXPECT_EQ(verdicts, whole.verdicts);
}

TEST_F(Units, RefusesAWrongConfigurationWithTheKeyAndTheChoices) {
  expect_refused("enrich.units", R"({"targets": {"presure": "kPa"}})", "/targets/presure",
                 "no quantity of this name; there are temperature, pressure");
  expect_refused("enrich.units", R"({"targets": {"pressure": "Cel"}})", "/targets/pressure",
                 "Cel is no unit of this quantity; there are Pa, hPa");
  expect_refused("enrich.units", R"({"targets": {"pressure": 5}})", "/targets/pressure", "must be a unit");
  expect_refused("enrich.units", R"({"targets": []})", "/targets", "must be an object");
  expect_refused("enrich.units", R"({"unknown": "ignore"})", "/unknown", "must be \"keep\"");
  expect_refused("enrich.units", R"({"target": {}})", "/target", "unknown key");
  expect_refused("enrich.units", "[", "", "must be a JSON object");
}

TEST_F(Units, DescribesItselfAsAPureTransform) {
  for (const char* component : {"enrich.units", "enrich.validate"}) {
    const weir_descriptor* descriptor = library_.descriptor(component);
    ASSERT_NE(descriptor, nullptr);
    EXPECT_EQ(descriptor->kind, WEIR_KIND_TRANSFORM);
    EXPECT_EQ(descriptor->transform, WEIR_TRANSFORM_PURE);
    EXPECT_EQ(descriptor->capabilities, 0u);
    EXPECT_EQ(descriptor->required[0], nullptr) << "a pure transform asks nothing of its host";
  }
}

TEST(EnrichPlugin, UnloadsAfterItHasWorked) {
  const std::string path = plugin_path("enrich");
  {
    const PluginLibrary library(path);
    PluginHost host;
    const Block batch = make_batch({{.value = 50.0, .unit = "degF"}});
    for (const char* component : {"enrich.units", "enrich.validate"}) {
      Instance instance(library, host, component, "{}");
      TransformOutput output(batch);
      instance.process(batch, output);
    }
    EXPECT_THROW(Instance(library, host, "enrich.units", R"({"unknown": 1})"), CallFailed);
    EXPECT_TRUE(is_mapped(path));
  }
  EXPECT_FALSE(is_mapped(path));
}

}  // namespace
}  // namespace weir::test
