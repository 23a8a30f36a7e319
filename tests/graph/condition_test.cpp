// Conditions on edges: who gets an event, and what becomes of one that nobody gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/leftover.h"
#include "harness.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Edge when(const char* from, const char* condition) {
  return {from, std::get<condition::Condition>(condition::Condition::compile(condition))};
}

TEST(EdgeCondition, LetsThroughWhatItHoldsFor) {
  Pipeline pipeline({}, {when("source", "value >= 2")});
  auto output = run(pipeline, readings(4));
  EXPECT_THAT(brief(output), ElementsAre("3.0 2 K", "4.0 3 K"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("0 unmatched  0 no condition holds", "1 unmatched  0 no condition holds"));
}

TEST(EdgeCondition, ABlockThatComesThroughWholeIsNotCopied) {
  Pipeline pipeline({}, {when("source", "value >= 0")});
  auto block = readings(3);
  auto output = run(pipeline, block);
  ASSERT_EQ(output.pieces.size(), 1u);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
}

TEST(EdgeCondition, StandsInFrontOfANodeToo) {
  TestTransform keep = TestTransform::keep_all();
  Pipeline pipeline({node("keep", keep, {when("source", "value == 1")})}, {"keep"});
  auto output = run(pipeline, readings(3));
  EXPECT_THAT(brief(output), ElementsAre("2.0 1 K"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("0 unmatched keep 0 no condition holds", "2 unmatched keep 0 no condition holds"));
}

TEST(EdgeCondition, AnEventTakesEachWayWhoseConditionHolds) {
  TestTransform high = TestTransform::keep_all(), low = TestTransform::keep_all();
  Pipeline pipeline({node("high", high, {when("source", "value >= 1")}), node("low", low, {when("source", "value <= 1")})},
                    {"high", "low"});
  auto output = run(pipeline, readings(3));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "2.0 1 K", "2.1 1 K", "3.0 2 K"));
  EXPECT_THAT(output.verdicts, IsEmpty());
}

TEST(EdgeCondition, SeesWhatTheTransformInFrontMadeOfTheEvent) {
  TestTransform plus = TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    output.amend_number(i, event.record().value.f64 + 10);
  });
  Pipeline pipeline({node("plus", plus, {"source"})}, {when("plus", "value > 11")});
  EXPECT_THAT(brief(run(pipeline, readings(3))), ElementsAre("3.0 12 K"));
}

TEST(EdgeCondition, ARejectionWinsOverAnUnmatchedCondition) {
  TestTransform refuse = TestTransform::each(
      [](const sdk::EventView&, uint32_t i, sdk::Output& output) { output.reject(i, 7, "no"); });
  Pipeline pipeline({node("refuse", refuse, {"source"})}, {"refuse", when("source", "value > 5")});
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(1))), ElementsAre("0 rejected refuse 7 no"));
}

std::vector<std::string> names(const Leftover& leftover) {
  std::vector<std::string> names;
  for (const std::string& source : leftover.sources) names.push_back("source " + source);
  for (const std::string& node : leftover.nodes) names.push_back("node " + node);
  for (const Edge& edge : leftover.taken) names.push_back("taken " + edge.from + (edge.when ? " ?" : ""));
  return names;
}

TEST(Leftover, WithoutConditionsThereIsNone) {
  EXPECT_THAT(names(leftover({{"api", Kind::kSource, {}},
                              {"units", Kind::kTransform, {"api"}},
                              {"store", Kind::kSink, {"units"}}})),
              IsEmpty());
}

TEST(Leftover, ASourceWithAFreeWayLeavesNothingOver) {
  EXPECT_THAT(names(leftover({{"api", Kind::kSource, {}},
                              {"units", Kind::kTransform, {"api"}},
                              {"alarm", Kind::kSink, {when("units", "value > 80")}},
                              {"store", Kind::kSink, {"units"}}})),
              IsEmpty());
}

TEST(Leftover, NamesTheTransformsInFrontOfTheConditionsAndNoOthers) {
  EXPECT_THAT(names(leftover({{"api", Kind::kSource, {}},
                              {"units", Kind::kTransform, {"api"}},
                              {"late", Kind::kTransform, {when("units", "value > 80")}},
                              {"alarm", Kind::kSink, {"late"}},
                              {"cold", Kind::kSink, {when("units", "value < 0")}}})),
              ElementsAre("source api", "node units", "taken units ?", "taken units ?"));
}

TEST(Leftover, AConditionThatLeadsToNoConsumerDoesNotCount) {
  EXPECT_THAT(names(leftover({{"api", Kind::kSource, {}},
                              {"nowhere", Kind::kTransform, {when("api", "value > 80")}},
                              {"other", Kind::kSource, {}},
                              {"store", Kind::kSink, {when("other", "value > 80")}}})),
              ElementsAre("source other", "taken other ?"));
}

TEST(Leftover, AStatefulTransformIsAConsumerAndASource) {
  EXPECT_THAT(names(leftover({{"api", Kind::kSource, {}},
                              {"mean", Kind::kStateful, {when("api", "value > 80")}},
                              {"store", Kind::kSink, {when("mean", "value > 90")}}})),
              ElementsAre("source api", "source mean", "taken api ?", "taken mean ?"));
}

TEST(Leftover, APipelineOfItCallsUnmatchedWhatNobodyGets) {
  TestTransform plus = TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    output.amend_number(i, event.record().value.f64 + 10);
  });
  Leftover over = leftover({{"source", Kind::kSource, {}},
                            {"plus", Kind::kTransform, {"source"}},
                            {"high", Kind::kSink, {when("plus", "value > 12")}},
                            {"low", Kind::kSink, {when("plus", "value < 11"), when("source", "value < 0")}}});
  Pipeline pipeline({node("plus", plus, {"source"})}, over.taken);
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(5))),
              ElementsAre("1 unmatched  0 no condition holds", "2 unmatched  0 no condition holds"));
}

}  // namespace
}  // namespace weir::graph
