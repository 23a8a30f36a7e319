// Changes to events: what is written, what is shared, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "harness.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

Pipeline one(const TestTransform& transform) { return Pipeline({node("t", transform, {"source"})}, {"t"}); }

std::vector<test::TestEvent> events_after(const TestTransform& transform, const event::SharedBlock& block) {
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, block);
  EXPECT_EQ(output.pieces.size(), 1u);
  return output.pieces.empty() ? std::vector<test::TestEvent>()
                               : test::events_of(output.pieces[0].block->batch());
}

weir_amendment value_of_type(uint32_t type) {
  weir_amendment amendment{};
  amendment.field = WEIR_FIELD_VALUE;
  amendment.value_type = type;
  return amendment;
}

TEST(Amend, SetsEachFieldAndNothingElse) {
  auto block = shared(test::make_batch({{.unit = "K", .metadata = {{"site", "a"}}}, {}}));
  auto before = test::events_of(block->batch());
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    if (i == 1) return output.keep(i);
    weir_amendment time{};
    time.field = WEIR_FIELD_TIMESTAMP;
    time.value.i64 = 42;
    EXPECT_EQ(output.amend(i, time), WEIR_OK);
    EXPECT_EQ(output.amend_text(i, WEIR_FIELD_DEVICE_ID, "renamed"), WEIR_OK);
    EXPECT_EQ(output.amend_text(i, WEIR_FIELD_SENSOR_TYPE, "humidity"), WEIR_OK);
    EXPECT_EQ(output.amend_text(i, WEIR_FIELD_UNIT, "%"), WEIR_OK);
    EXPECT_EQ(output.amend_number(i, -3.5), WEIR_OK);
    EXPECT_EQ(output.amend_metadata(i, "floor", "3"), WEIR_OK);
  });
  auto after = events_after(transform, block);
  test::TestEvent expected = before[0];
  expected.timestamp_ns = 42;
  expected.device_id = "renamed";
  expected.sensor_type = "humidity";
  expected.unit = "%";
  expected.value = -3.5;
  expected.metadata = {{"floor", "3"}, {"site", "a"}};
  EXPECT_THAT(after, ElementsAre(expected, before[1]));
}

TEST(Amend, SetsAValueOfEveryType) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    weir_amendment amendment = value_of_type(WEIR_I64);
    amendment.value.i64 = -7;
    if (i == 1) amendment = value_of_type(WEIR_BOOL), amendment.value.boolean = 1;
    if (i == 2) amendment = value_of_type(WEIR_STRING), amendment.text = sdk::text("on");
    if (i == 3)
      amendment = value_of_type(WEIR_BYTES), amendment.text = sdk::text(std::string_view("\0\xFF", 2));
    if (i == 4) amendment = value_of_type(77), amendment.value.boolean = 12345;  // of a newer version
    EXPECT_EQ(output.amend(i, amendment), WEIR_OK);
  });
  auto after = events_after(transform, readings(5));
  EXPECT_EQ(after[0].value, test::TestValue(int64_t{-7}));
  EXPECT_EQ(after[1].value, test::TestValue(true));
  EXPECT_EQ(after[2].value, test::TestValue(std::string("on")));
  EXPECT_EQ(after[3].value, test::TestValue(test::Bytes{std::string("\0\xFF", 2)}));
  EXPECT_EQ(after[4].value, test::TestValue(test::UnknownValue{77, 12345}));
}

TEST(Amend, RemovesAUnitAndAMetadataKeyWithEmptyText) {
  auto block = shared(test::make_batch({{.unit = "K", .metadata = {{"a", "1"}, {"b", ""}, {"c", "3"}}}}));
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    EXPECT_EQ(output.amend_text(i, WEIR_FIELD_UNIT, ""), WEIR_OK);
    EXPECT_EQ(output.amend_metadata(i, "a", ""), WEIR_OK);
    EXPECT_EQ(output.amend_metadata(i, "unknown", ""), WEIR_OK);
  });
  auto after = events_after(transform, block);
  EXPECT_EQ(after[0].unit, "");
  EXPECT_THAT(after[0].metadata, UnorderedElementsAre(Pair("b", ""), Pair("c", "3")));
}

TEST(Amend, LetsTheLastOfSeveralChangesOfOneFieldCount) {
  auto block = shared(test::make_batch({{.metadata = {{"m", "old"}}}}));
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    for (const char* text : {"first", "second"}) {
      output.amend_text(i, WEIR_FIELD_DEVICE_ID, text);
      output.amend_metadata(i, "gone", text);
      output.amend_metadata(i, "m", text);
    }
    output.amend_metadata(i, "gone", "");
  });
  auto after = events_after(transform, block);
  EXPECT_EQ(after[0].device_id, "second");
  EXPECT_THAT(after[0].metadata, ElementsAre(Pair("m", "second")));
}

TEST(Amend, KeepsTheHostsMetadataAndLetsNobodyTouchIt) {
  auto block = shared(test::make_batch({{.metadata = {{"weir.auth.subject", "meter-7"}, {"z", "1"}}}}));
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    EXPECT_EQ(output.amend_metadata(i, "weir.auth.subject", "root"), WEIR_E_INVALID);
    EXPECT_EQ(output.amend_metadata(i, "weir.auth.subject", ""), WEIR_E_INVALID);
    EXPECT_EQ(output.amend_metadata(i, "a", "2"), WEIR_OK);
  });
  EXPECT_THAT(events_after(transform, block)[0].metadata,
              UnorderedElementsAre(Pair("weir.auth.subject", "meter-7"), Pair("a", "2"), Pair("z", "1")));
}

TEST(Amend, RefusesWhatWouldMakeTheEventInvalidAndChangesNothing) {
  const std::string too_long(WEIR_TEXT_MAX_BYTES + 1, 'x');
  const std::string broken = "caf\xC3", with_nul("a\0b", 3);
  TestTransform transform = TestTransform::each([&](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.keep(i);
    for (uint32_t field : {WEIR_FIELD_DEVICE_ID, WEIR_FIELD_SENSOR_TYPE, WEIR_FIELD_UNIT}) {
      for (const std::string& text : {too_long, broken, with_nul}) {
        EXPECT_EQ(output.amend_text(i, field, text), WEIR_E_INVALID);
      }
    }
    EXPECT_EQ(output.amend_text(i, WEIR_FIELD_DEVICE_ID, ""), WEIR_E_INVALID);
    EXPECT_EQ(output.amend_text(i, WEIR_FIELD_SENSOR_TYPE, ""), WEIR_E_INVALID);
    for (double number :
         {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
      EXPECT_EQ(output.amend_number(i, number), WEIR_E_INVALID);
    }
    weir_amendment boolean = value_of_type(WEIR_BOOL);
    boolean.value.boolean = 2;
    EXPECT_EQ(output.amend(i, boolean), WEIR_E_INVALID);
    EXPECT_EQ(output.amend(i, value_of_type(0)), WEIR_E_INVALID);
    weir_amendment string = value_of_type(WEIR_STRING);
    string.text = sdk::text(broken);
    EXPECT_EQ(output.amend(i, string), WEIR_E_INVALID);
    for (const std::string& text : {too_long, broken, with_nul, std::string()}) {
      EXPECT_EQ(output.amend_metadata(i, text, "x"), WEIR_E_INVALID);
    }
    EXPECT_EQ(output.amend_metadata(i, "key", broken), WEIR_E_INVALID);
    weir_amendment unknown{};
    unknown.field = 99;
    EXPECT_EQ(output.amend(i, unknown), WEIR_E_UNSUPPORTED);
  });
  Pipeline pipeline = one(transform);
  auto block = readings(1);
  auto output = run(pipeline, block);
  ASSERT_EQ(output.pieces.size(), 1u);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
  EXPECT_EQ(pipeline.counts(0).ignored_calls, 23u);
}

TEST(Amend, DoesNotTakeAFailedAmendmentForADecision) {
  TestTransform transform = TestTransform::each(
      [](const sdk::EventView&, uint32_t i, sdk::Output& output) { output.amend_number(i, std::nan("")); });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(1));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("0 filtered t 0 no decision"));
}

TEST(Amend, SharesTextThatIsSetAgainAndAgain) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.amend_text(i, WEIR_FIELD_UNIT, "Cel");
    output.amend_number(i, 1);
  });
  Pipeline pipeline = one(transform);
  auto block = readings(100);
  auto output = run(pipeline, block);
  ASSERT_EQ(output.pieces.size(), 1u);
  EXPECT_LE(output.pieces[0].block->size(), block->size() + 8);
  EXPECT_EQ(brief(output)[99], "100.0 1 Cel");
}

TEST(Amend, ShowsTheTransformAnUnchangedBatchDuringTheCall) {
  TestTransform transform =
      TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
        output.amend_number(i, 99);
        output.amend_text(i, WEIR_FIELD_UNIT, std::string(4000, static_cast<char>('a' + i % 26)));
        EXPECT_EQ(event.record().value.f64, i);
        EXPECT_EQ(event.unit(), "K");
      });
  Pipeline pipeline({node("1", transform, {"source"}), node("2", TestTransform::keep_all(), {"1"})}, {"1"});
  run(pipeline, readings(50));
}

// The first change copies the block; the next nodes write numbers and drop events in that copy.
TEST(Amend, EditsThePrivateCopyOfAnEarlierNodeInPlace) {
  const weir_batch *second_saw = nullptr, *third_saw = nullptr;
  TestTransform first = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.amend_text(i, WEIR_FIELD_UNIT, "V");
  });
  TestTransform second([&](const weir_batch* batch, weir_output* output, weir_error*) {
    second_saw = batch;
    for (uint32_t i = 0; i < batch->count; ++i) sdk::Output(output).amend_number(i, 10.0 * i);
    return WEIR_OK;
  });
  TestTransform third([&](const weir_batch* batch, weir_output* output, weir_error*) {
    third_saw = batch;
    for (uint32_t i = 0; i < batch->count; ++i)
      i % 2 ? output->keep(output, i) : output->drop(output, i, {"", 0});
    return WEIR_OK;
  });
  Pipeline pipeline({node("1", first, {"source"}), node("2", second, {"1"}), node("3", third, {"2"})}, {"3"});
  auto block = readings(4);
  auto output = run(pipeline, block);
  EXPECT_NE(second_saw, block->batch());
  EXPECT_EQ(second_saw, third_saw);
  EXPECT_EQ(third_saw, output.pieces[0].block->batch());
  EXPECT_THAT(brief(output), ElementsAre("2.0 10 V", "4.0 30 V"));
}

TEST(Amend, KeepsFieldsThatAreNewerThanThisVersion) {
  auto block = with_stride(readings(4), 24);
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    if (i == 1) return output.drop(i, "one");
    output.amend_number(i, 1);
    if (i == 2) output.amend_metadata(i, "k", "v");
  });
  TestTransform again = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    i == 0 ? output.drop(i, "zero") : output.keep(i);  // in place
  });
  Pipeline pipeline({node("t", transform, {"source"}), node("again", again, {"t"})}, {"again"});
  auto output = run(pipeline, block);
  const event::Block& made = *output.pieces[0].block;
  ASSERT_EQ(made.batch()->event_size, 152u);
  ASSERT_EQ(made.batch()->count, 2u);
  for (uint32_t i = 0; i < 2; ++i) {
    const auto* old = reinterpret_cast<const uint8_t*>(block->event(i + 2));
    const auto* now = reinterpret_cast<const uint8_t*>(made.event(i));
    EXPECT_EQ(std::memcmp(old + 128, now + 128, 24), 0);
  }
  EXPECT_THAT(brief(output), ElementsAre("3.0 1 K k=v", "4.0 1 K"));
}

TEST(Amend, DropsAnAmendedEventWhenItIsDroppedAfterwards) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.amend_metadata(i, "k", "v");
    i == 0 ? output.drop(i, "after all") : output.keep(i);
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output), ElementsAre("2.0 1 K k=v"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("0 filtered t 0 after all"));
}

TEST(Amend, SortsChangesThatComeInAnyOrder) {
  TestTransform transform([](const weir_batch* batch, weir_output* output, weir_error*) {
    for (uint32_t i = batch->count; i-- > 0;) sdk::Output(output).amend_metadata(i, "i", std::to_string(i));
    for (uint32_t i = 0; i < batch->count; ++i) sdk::Output(output).amend_number(i, i + 0.5);
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  EXPECT_THAT(brief(run(pipeline, readings(3))),
              ElementsAre("1.0 0.5 K i=0", "2.0 1.5 K i=1", "3.0 2.5 K i=2"));
}

}  // namespace
}  // namespace weir::graph
