// Transforms that break the contract, and output that does not fit a batch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "harness.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Pipeline one(const TestTransform& transform) { return Pipeline({node("t", transform, {"source"})}, {"t"}); }

TEST(FaultyTransform, MayUseIndicesOutOfRangeWithoutEffect) {
  TestTransform transform([](const weir_batch* batch, weir_output* output, weir_error*) {
    weir_amendment amendment{};
    amendment.field = WEIR_FIELD_UNIT;
    weir_new_event event{};
    for (uint32_t i : {batch->count, batch->count + 1, UINT32_MAX}) {
      output->keep(output, i);
      output->drop(output, i, {"x", 1});
      output->reject(output, i, 1, {"x", 1});
      EXPECT_EQ(output->amend(output, i, &amendment), WEIR_E_INVALID);
      EXPECT_EQ(output->emit(output, i, &event), WEIR_E_INVALID);
    }
    for (uint32_t i = 0; i < batch->count; ++i) output->keep(output, i);
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  auto block = readings(3);
  auto output = run(pipeline, block);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
  EXPECT_EQ(pipeline.counts(0).ignored_calls, 15u);
}

TEST(FaultyTransform, MayPassNullPointers) {
  TestTransform transform([](const weir_batch*, weir_output* output, weir_error*) {
    EXPECT_EQ(output->amend(output, 0, nullptr), WEIR_E_INVALID);
    EXPECT_EQ(output->emit(output, 0, nullptr), WEIR_E_INVALID);
    weir_amendment amendment{};
    amendment.field = WEIR_FIELD_VALUE;
    amendment.value_type = WEIR_BYTES;
    amendment.text = {nullptr, UINT64_MAX};
    EXPECT_EQ(output->amend(output, 0, &amendment), WEIR_E_INVALID);
    EXPECT_EQ(output->put(output, {"k", 1}, nullptr, 0), WEIR_E_UNSUPPORTED);
    output->drop(output, 0, {nullptr, 77});
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(1))), ElementsAre("0 filtered t 0 "));
}

TEST(FaultyTransform, MayUseItsOutputAfterTheCallWithoutEffect) {
  weir_output* kept = nullptr;
  TestTransform transform([&](const weir_batch* batch, weir_output* output, weir_error*) {
    kept = output;
    for (uint32_t i = 0; i < batch->count; ++i) output->keep(output, i);
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  run(pipeline, readings(2));
  weir_new_event event{};
  kept->keep(kept, 0);
  kept->drop(kept, 0, {"late", 4});
  EXPECT_EQ(kept->emit(kept, 0, &event), WEIR_E_INVALID);
  EXPECT_THAT(run(pipeline, readings(2)).verdicts, IsEmpty());
}

TEST(FaultyTransform, LosesNoEventThatItForgets) {
  TestTransform transform([](const weir_batch*, weir_output* output, weir_error*) {
    output->keep(output, 1);
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(3));
  EXPECT_THAT(brief(output), ElementsAre("2.0 1 K"));
  EXPECT_THAT(verdicts(pipeline, output),
              ElementsAre("0 filtered t 0 no decision", "2 filtered t 0 no decision"));
  EXPECT_EQ(pipeline.counts(0).undecided, 2u);
}

TEST(FaultyTransform, RejectsWhatIsUndecidedWhenItFails) {
  TestTransform transform([](const weir_batch*, weir_output* output, weir_error* error) {
    output->keep(output, 0);
    output->drop(output, 1, {"small", 5});
    weir_new_event event{};
    output->emit(output, 2, &event);
    std::strncpy(error->text, "table is corrupt", error->text_capacity);
    return WEIR_E_INTERNAL;
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(4));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "3.0 2 K"));
  EXPECT_THAT(verdicts(pipeline, output),
              ElementsAre("1 filtered t 0 small", "3 rejected t 6 table is corrupt"));
}

TEST(FaultyTransform, FailsWithoutATextOrWithOneThatHasNoEnd) {
  TestTransform silent([](const weir_batch*, weir_output*, weir_error*) { return WEIR_E_INVALID; });
  TestTransform endless([](const weir_batch*, weir_output*, weir_error* error) {
    std::memset(error->text, 'x', error->text_capacity);
    error->text = nullptr;
    return WEIR_E_INVALID;
  });
  Pipeline one_pipeline = one(silent), other = one(endless);
  EXPECT_THAT(verdicts(one_pipeline, run(one_pipeline, readings(1))),
              ElementsAre("0 rejected t 1 the transform failed with status 1 and no text"));
  auto output = run(other, readings(1));
  EXPECT_EQ(output.verdicts[0].reason, std::string(512, 'x'));
}

TEST(FaultyTransform, ChangesItsMindTowardsTheStricter) {
  TestTransform transform([](const weir_batch*, weir_output* output, weir_error*) {
    output->keep(output, 0);
    output->drop(output, 0, {"a", 1});
    output->keep(output, 0);
    output->reject(output, 1, 9, {"b", 1});
    output->drop(output, 1, {"c", 1});
    output->drop(output, 2, {"d", 1});
    output->reject(output, 2, 9, {"e", 1});
    output->reject(output, 2, 9, {"f", 1});
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(3))),
              ElementsAre("0 filtered t 0 a", "1 rejected t 9 b", "2 rejected t 9 e"));
  EXPECT_EQ(pipeline.counts(0).rejected, 2u);
}

TEST(FaultyTransform, GivesReasonsThatCanBeShown) {
  TestTransform transform([](const weir_batch*, weir_output* output, weir_error*) {
    const std::string longer = std::string(511, 'y') + "\xC3\xA9 and more";
    output->drop(output, 0, sdk::text("two\nlines"));
    output->drop(output, 1, sdk::text("broken \xFF text"));
    output->drop(output, 2, sdk::text(longer));
    output->drop(output, 3, sdk::text("d\xC3\xA9j\xC3\xA0 vu"));
    return WEIR_OK;
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(4));
  EXPECT_EQ(output.verdicts[0].reason, "two?lines");
  EXPECT_EQ(output.verdicts[1].reason, "broken ? text");
  EXPECT_EQ(output.verdicts[2].reason, std::string(511, 'y'));
  EXPECT_EQ(output.verdicts[3].reason, "d\xC3\xA9j\xC3\xA0 vu");
}

// ---- output that does not fit a batch

TEST(Limits, SpreadsMoreEventsThanABatchHoldsOverSeveralPieces) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    for (int k = 0; k < 600; ++k) output.emit(i, weir_new_event{});
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(200));
  ASSERT_GT(output.pieces.size(), 1u);
  size_t records = 0;
  for (const Piece& piece : output.pieces) {
    EXPECT_LE(piece.count(), WEIR_BATCH_MAX_EVENTS);
    EXPECT_LE(piece.block->size(), WEIR_BATCH_MAX_BYTES);
    records += piece.count();
  }
  EXPECT_EQ(records, 200u * 600);
  EXPECT_THAT(output.verdicts, IsEmpty());
  EXPECT_EQ(pipeline.counts(0).in, 200u);
  EXPECT_EQ(pipeline.counts(0).emitted, 200u * 600);
}

TEST(Limits, CountsKeptAndEmittedEventsTogether) {
  TestTransform transform = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    output.keep(i);
    output.emit(i, weir_new_event{});
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(40'000));
  EXPECT_EQ(output.pieces.size(), 2u);
  for (const Piece& piece : output.pieces) EXPECT_LE(piece.count(), WEIR_BATCH_MAX_EVENTS);
  EXPECT_EQ(pipeline.counts(0).emitted, 40'000u);
}

TEST(Limits, RejectsAnEventThatTurnsIntoMoreThanABatch) {
  TestTransform transform =
      TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
        if (event.record().value.f64 != 1) return output.keep(i);
        for (uint32_t k = 0; k <= WEIR_BATCH_MAX_EVENTS; ++k) output.emit(i, weir_new_event{});
      });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(4));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "3.0 2 K", "4.0 3 K"));
  EXPECT_THAT(verdicts(pipeline, output),
              ElementsAre("1 rejected t 1 its output is larger than a batch can be"));
}

TEST(Limits, RejectsAnEventWhoseTextWouldNotFit) {
  const std::string huge(WEIR_BATCH_MAX_BYTES, 'x');
  TestTransform transform =
      TestTransform::each([&](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
        weir_amendment amendment{};
        amendment.field = WEIR_FIELD_VALUE;
        amendment.value_type = WEIR_STRING;
        amendment.text = sdk::text(huge);
        if (event.record().value.f64 == 1) output.amend(i, amendment);
        output.keep(i);
      });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K"));
  EXPECT_THAT(verdicts(pipeline, output),
              ElementsAre("1 rejected t 1 its output is larger than a batch can be"));
}

TEST(Limits, SpreadsLargeTextOverSeveralPieces) {
  const std::string large(3 * 1024 * 1024, 'x');
  TestTransform transform = TestTransform::each([&](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    EXPECT_NE(output.amend_metadata(i, "blob", std::to_string(i) + large), WEIR_E_INVALID);
  });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(6));
  EXPECT_GT(output.pieces.size(), 1u);
  EXPECT_EQ(brief(output).size(), 6u);
  EXPECT_THAT(output.verdicts, IsEmpty());
}

TEST(Limits, StopsATransformThatNeverStopsAmending) {
  TestTransform transform =
      TestTransform::each([&](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
        if (event.record().value.f64 == 0) return output.keep(i);
        while (output.amend_number(i, 5) == WEIR_OK) continue;
      });
  Pipeline pipeline = one(transform);
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K"));
  EXPECT_EQ(output.verdicts.size(), 1u);
}

TEST(Limits, RejectsAnEventThatAllBranchesTogetherMakeTooLarge) {
  std::vector<test::TestEvent> events(2);
  events[1].value = std::string(WEIR_BATCH_MAX_BYTES / 2, 'x');
  TestTransform keep = TestTransform::keep_all();
  TestTransform other = TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    if (event.record().value_type != WEIR_STRING) return output.keep(i);
    weir_amendment amendment{};
    amendment.field = WEIR_FIELD_VALUE;
    amendment.value_type = WEIR_STRING;
    const std::string text(WEIR_BATCH_MAX_BYTES / 2 - 4096, 'y');
    amendment.text = sdk::text(text);
    output.amend(i, amendment);
  });
  Pipeline pipeline({node("a", keep, {"source"}), node("b", other, {"source"})}, {"a", "b", "source"});
  auto output = run(pipeline, shared(test::make_batch(events)));
  EXPECT_EQ(brief(output).size(), 3u);
  EXPECT_THAT(verdicts(pipeline, output),
              ElementsAre("1 rejected  1 what became of it on all branches is larger than a batch can be"));
}

TEST(Limits, CountsTextThatManyOutputsShareOnce) {
  TestTransform keep = TestTransform::keep_all();
  TestTransform copies = TestTransform::each([](const sdk::EventView&, uint32_t i, sdk::Output& output) {
    for (int k = 0; k < 100; ++k) output.emit(i, weir_new_event{});
  });
  auto block = shared(test::make_batch({{.value = std::string(1024 * 1024, 'x')}}));
  Pipeline pipeline({node("keep", keep, {"source"}), node("copies", copies, {"source"})}, {"keep", "copies"});
  auto output = run(pipeline, block);
  EXPECT_EQ(output.pieces.size(), 1u);
  EXPECT_EQ(output.pieces[0].count(), 101u);
  EXPECT_THAT(output.verdicts, IsEmpty());
}

TEST(Limits, JoinsBranchesThatDoNotFitOneBatchTogether) {
  TestTransform keep = TestTransform::keep_all();
  std::vector<test::TestEvent> events(4);
  for (size_t i = 0; i < events.size(); ++i)
    events[i].value = std::string(3 * 1024 * 1024, static_cast<char>('a' + i));
  Pipeline pipeline({node("a", keep, {"source"}), node("b", keep, {"source"})}, {"a", "b"});
  auto output = run(pipeline, shared(test::make_batch(events)));
  EXPECT_EQ(brief(output).size(), 8u);
  for (const Piece& piece : output.pieces) EXPECT_LE(piece.block->size(), WEIR_BATCH_MAX_BYTES);
}

}  // namespace
}  // namespace weir::graph
