// Derived events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "event/identity.h"
#include "harness.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

weir_new_event number(double value) {
  weir_new_event event{};
  event.value_type = WEIR_F64;
  event.value.f64 = value;
  return event;
}

Pipeline one(const TestTransform& transform) { return Pipeline({node("t", transform, {"source"})}, {"t"}); }

// Emits value + 100, value + 200 ... `copies` times; keeps the event itself when asked to.
TestTransform multiply(int copies, bool keep) {
  return TestTransform::each([=](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    if (keep) output.keep(i);
    for (int k = 1; k <= copies; ++k) {
      EXPECT_EQ(output.emit(i, number(event.record().value.f64 + 100 * k)), WEIR_OK);
    }
  });
}

TEST(Emit, AddsEventsBehindTheOneTheyComeFrom) {
  TestTransform transform = multiply(2, true);
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output),
              ElementsAre("1.0 0 K", "1.1 100 K", "1.2 200 K", "2.0 1 K", "2.1 101 K", "2.2 201 K"));
  EXPECT_THAT(output.pieces[0].causes, ElementsAre(0, 0, 0, 1, 1, 1));
  EXPECT_EQ(pipeline.counts(0).emitted, 4u);
}

TEST(Emit, ReplacesTheEventWhenItIsNotKept) {
  TestTransform transform = multiply(1, false);
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output), ElementsAre("1.0 100 K", "2.0 101 K"));
  EXPECT_TRUE(output.verdicts.empty());
}

TEST(Emit, GivesFlagAndIdToWhatWasMade) {
  TestTransform transform = multiply(1, true), replace = multiply(1, false);
  auto block = readings(1);
  event::Id cause;
  std::memcpy(cause.data(), block->event(0)->id, 16);
  Pipeline adding = one(transform), replacing = one(replace);
  auto added = run(adding, block), replaced = run(replacing, block);
  const event::Block& two = *added.pieces[0].block;
  EXPECT_EQ(two.event(0)->flags & WEIR_DERIVED, 0u);
  EXPECT_EQ(event::to_text(two.event(0)->id), event::to_text(cause.data()));
  EXPECT_EQ(two.event(1)->flags & WEIR_DERIVED, uint32_t{WEIR_DERIVED});
  EXPECT_EQ(event::to_text(two.event(1)->id), event::to_text(event::derive(cause, 1).data()));
  // The event itself is gone, and what stands for it must not pass for it.
  EXPECT_EQ(event::to_text(replaced.pieces[0].block->event(0)->id),
            event::to_text(event::derive(cause, 0).data()));
}

TEST(Emit, TakesWhatIsNotSaidFromTheCause) {
  auto block =
      shared(test::make_batch({{.value = std::string("on"), .unit = "V", .metadata = {{"site", "a"}}}}));
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    EXPECT_EQ(output.emit(i, weir_new_event{}), WEIR_OK);
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, block);
  test::TestEvent expected = test::events_of(block->batch())[0];
  test::TestEvent made = test::events_of(output.pieces[0].block->batch())[0];
  expected.flags = WEIR_DERIVED;
  expected.id_byte = made.id_byte;
  EXPECT_EQ(made, expected);
}

TEST(Emit, SetsWhatIsSaid) {
  auto block =
      shared(test::make_batch({{.unit = "V", .metadata = {{"site", "a"}, {"weir.auth.subject", "m"}}}}));
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    const weir_text pairs[] = {sdk::text("z"), sdk::text("26"), sdk::text("b"), sdk::text("2")};
    weir_new_event event{};
    event.timestamp_ns = 5;
    event.device_id = sdk::text("d");
    event.sensor_type = sdk::text("s");
    event.unit = sdk::text("u");
    event.value_type = WEIR_STRING;
    event.value_text = sdk::text("text");
    event.metadata_count = 2;
    event.metadata = pairs;
    EXPECT_EQ(output.emit(i, event), WEIR_OK);
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, block);
  test::TestEvent made = test::events_of(output.pieces[0].block->batch())[0];
  EXPECT_EQ(made.timestamp_ns, 5);
  EXPECT_EQ(made.device_id, "d");
  EXPECT_EQ(made.sensor_type, "s");
  EXPECT_EQ(made.unit, "u");
  EXPECT_EQ(made.value, test::TestValue(std::string("text")));
  // The cause's own metadata is replaced; what the host said about the event follows it.
  EXPECT_THAT(made.metadata,
              UnorderedElementsAre(Pair("b", "2"), Pair("weir.auth.subject", "m"), Pair("z", "26")));
}

TEST(Emit, RefusesWhatWouldBeInvalid) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.keep(i);
    weir_new_event event = number(NAN);
    EXPECT_EQ(output.emit(i, event), WEIR_E_INVALID);
    event = {};
    event.device_id = sdk::text("\xFF");
    EXPECT_EQ(output.emit(i, event), WEIR_E_INVALID);
    event = {};
    event.unit = {nullptr, 3};
    EXPECT_EQ(output.emit(i, event), WEIR_E_INVALID);
    event = {};
    event.metadata_count = 1;
    EXPECT_EQ(output.emit(i, event), WEIR_E_INVALID) << "no pairs given";
    const weir_text reserved[] = {sdk::text("weir.x"), sdk::text("1")};
    event.metadata = reserved;
    EXPECT_EQ(output.emit(i, event), WEIR_E_INVALID);
    const weir_text twice[] = {sdk::text("a"), sdk::text("1"), sdk::text("a"), sdk::text("2")};
    event.metadata = twice;
    event.metadata_count = 2;
    EXPECT_EQ(output.emit(i, event), WEIR_E_INVALID);
  });
  Pipeline pipeline = one(transform);
  auto block = readings(1);
  auto output = run(pipeline, block);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
  EXPECT_EQ(pipeline.counts(0).ignored_calls, 6u);
}

TEST(Emit, NumbersWhatSeveralNodesMade) {
  TestTransform twice = multiply(1, true), again = multiply(1, true);
  Pipeline pipeline({node("a", twice, {"source"}), node("b", again, {"a"})}, {"b"});
  auto output = run(pipeline, readings(1));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "1.1 100 K", "1.2 100 K", "1.3 200 K"));
}

TEST(Emit, LetsALaterNodeDropAPart) {
  TestTransform twice = multiply(2, true);
  TestTransform drop = TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    event.record().value.f64 < 100 ? output.drop(i, "original") : output.keep(i);
  });
  Pipeline pipeline({node("a", twice, {"source"}), node("b", drop, {"a"})}, {"b"});
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output), ElementsAre("1.0 100 K", "1.1 200 K", "2.0 101 K", "2.1 201 K"));
  EXPECT_TRUE(output.verdicts.empty());
}

TEST(Emit, ReportsTheFirstPartOfAnEventWhoseEveryPartIsDropped) {
  TestTransform twice = multiply(1, true);
  TestTransform backwards([](const weir_batch* batch, weir_output* output, weir_error*) {
    for (uint32_t i = batch->count; i-- > 0;) sdk::Output(output).drop(i, i == 0 ? "first" : "second");
    return WEIR_OK;
  });
  Pipeline pipeline({node("a", twice, {"source"}), node("b", backwards, {"a"})}, {"b"});
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(1))), ElementsAre("0 filtered b 0 first"));
}

TEST(Emit, KeepsTheOrderOfTheCallsForEachCause) {
  TestTransform transform([](const weir_batch* batch, weir_output* raw, weir_error*) {
    sdk::Output output(raw);
    for (int k = 1; k <= 2; ++k) {
      for (uint32_t i = batch->count; i-- > 0;) output.emit(i, number(10 * k + i));
    }
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  EXPECT_THAT(brief(run(pipeline, readings(2))), ElementsAre("1.0 10 K", "1.1 20 K", "2.0 11 K", "2.1 21 K"));
}

TEST(Emit, DerivesFromTheEventAsTheTransformSawIt) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.amend_number(i, 77);
    output.emit(i, weir_new_event{});
  });
  Pipeline pipeline = one(transform);
  EXPECT_THAT(brief(run(pipeline, readings(1))), ElementsAre("1.0 77 K", "1.1 0 K"));
}

TEST(Emit, CopiesFieldsThatAreNewerThanThisVersion) {
  TestTransform transform = multiply(1, true);
  Pipeline pipeline = one(transform);
  auto block = with_stride(readings(2), 8);
  auto output = run(pipeline, block);
  const event::Block& made = *output.pieces[0].block;
  ASSERT_EQ(made.batch()->event_size, 136u);
  for (uint32_t i = 0; i < 4; ++i) {
    const auto* old = reinterpret_cast<const uint8_t*>(block->event(i / 2));
    EXPECT_EQ(std::memcmp(old + 128, reinterpret_cast<const uint8_t*>(made.event(i)) + 128, 8), 0);
  }
}

TEST(Emit, StandsBesideARejectionOfItsCause) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.emit(i, number(1));
    output.reject(i, 3, "broken");
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(1));
  EXPECT_THAT(brief(output), ElementsAre("1.0 1 K"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("0 rejected t 3 broken +"));
}

}  // namespace
}  // namespace weir::graph
