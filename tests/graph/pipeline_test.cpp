// Routes, fates, parts and ids: what a pipeline promises about where events go.
#include "graph/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/interrupted.h"
#include "event/identity.h"
#include "harness.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Lines = std::vector<std::string>;

double number(const sdk::EventView& event) { return event.record().value.f64; }

// Drops events below `limit`.
TestTransform at_least(double limit) {
  return TestTransform::each([limit](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    number(event) >= limit ? output.keep(i) : output.drop(i, "too small");
  });
}

TestTransform add(double amount) {
  return TestTransform::each([amount](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    output.amend_number(i, number(event) + amount);
  });
}

// Rejects odd values with code 5.
TestTransform only_even() {
  return TestTransform::each([](const sdk::EventView& event, uint32_t i, sdk::Output& output) {
    static_cast<int>(number(event)) % 2 == 0 ? output.keep(i) : output.reject(i, 5, "odd");
  });
}

TEST(Pipeline, PassesTheVeryBlockOnWhenEverythingIsKept) {
  TestTransform first = TestTransform::keep_all(), second = TestTransform::keep_all();
  Pipeline pipeline({node("a", first, {"source"}), node("b", second, {"a"})}, {"b"});
  auto block = readings(100);
  auto output = run(pipeline, block);
  ASSERT_EQ(output.pieces.size(), 1u);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
  EXPECT_TRUE(output.pieces[0].causes.empty());
  EXPECT_THAT(output.verdicts, IsEmpty());
  EXPECT_EQ(first.calls() + second.calls(), 2u);
}

TEST(Pipeline, PassesTheBlockOnWhenTheSinkTakesStraightFromTheSource) {
  Pipeline pipeline({}, {"source"});
  auto block = readings(3);
  auto output = run(pipeline, block);
  ASSERT_EQ(output.pieces.size(), 1u);
  EXPECT_EQ(output.pieces[0].block.get(), block.get());
}

TEST(Pipeline, TakesOnlySourcesThatAPathLeadsFrom) {
  TestTransform keep = TestTransform::keep_all();
  Pipeline pipeline({node("a", keep, {"one"}), node("dead end", keep, {"three"})}, {"a", "two"});
  EXPECT_TRUE(pipeline.takes("one"));
  EXPECT_TRUE(pipeline.takes("two"));
  EXPECT_FALSE(pipeline.takes("three"));
  EXPECT_FALSE(pipeline.takes("a"));
  auto output = run(pipeline, readings(2), "three");
  EXPECT_THAT(output.pieces, IsEmpty());
  EXPECT_THAT(output.verdicts, IsEmpty());
  EXPECT_EQ(keep.calls(), 0u);
}

TEST(Pipeline, RunsOnlyTheNodesThatTheSourceReaches) {
  TestTransform one = TestTransform::keep_all(), two = TestTransform::keep_all();
  Pipeline pipeline({node("a", one, {"one"}), node("b", two, {"two"})}, {"a", "b"});
  run(pipeline, readings(2), "two");
  EXPECT_EQ(one.calls(), 0u);
  EXPECT_EQ(two.calls(), 1u);
}

TEST(Pipeline, SortsNodesThatAreGivenInAnyOrder) {
  TestTransform plus = add(1), filter = at_least(2);
  Pipeline pipeline({node("last", filter, {"first"}), node("first", plus, {"source"})}, {"last"});
  EXPECT_THAT(brief(run(pipeline, readings(3))), ElementsAre("2.0 2 K", "3.0 3 K"));
}

TEST(Pipeline, SaysWhoDroppedAnEventAndWhy) {
  TestTransform filter = at_least(2);
  Pipeline pipeline({node("filter", filter, {"source"})}, {"filter"});
  auto output = run(pipeline, readings(4));
  EXPECT_THAT(brief(output), ElementsAre("3.0 2 K", "4.0 3 K"));
  EXPECT_THAT(output.pieces[0].causes, ElementsAre(2, 3));
  EXPECT_THAT(verdicts(pipeline, output),
              ElementsAre("0 filtered filter 0 too small", "1 filtered filter 0 too small"));
}

TEST(Pipeline, GivesNoPieceWhenEveryEventIsDropped) {
  TestTransform filter = at_least(100);
  Pipeline pipeline({node("filter", filter, {"source"})}, {"filter"});
  auto output = run(pipeline, readings(4));
  EXPECT_THAT(output.pieces, IsEmpty());
  EXPECT_EQ(output.verdicts.size(), 4u);
}

TEST(Pipeline, DoesNotAskTheNextNodeAboutNothing) {
  TestTransform filter = at_least(100), keep = TestTransform::keep_all();
  Pipeline pipeline({node("filter", filter, {"source"}), node("next", keep, {"filter"})}, {"next"});
  run(pipeline, readings(4));
  EXPECT_EQ(keep.calls(), 0u);
}

TEST(Pipeline, LeavesTheInputAsItWas) {
  TestTransform plus = add(10), filter = at_least(11);
  Pipeline pipeline({node("plus", plus, {"source"}), node("filter", filter, {"plus"})}, {"filter"});
  auto block = readings(3);
  const std::string before(reinterpret_cast<const char*>(block->data()), block->size());
  run(pipeline, block);
  EXPECT_EQ(before, std::string(reinterpret_cast<const char*>(block->data()), block->size()));
}

TEST(Pipeline, RejectsWithTheTransformsCode) {
  TestTransform even = only_even();
  Pipeline pipeline({node("even", even, {"source"})}, {"even"});
  auto output = run(pipeline, readings(3));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "3.0 2 K"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("1 rejected even 5 odd"));
}

TEST(Pipeline, CountsARejectionAsFilteredWhenTheManifestSaysDrop) {
  TestTransform even = only_even();
  Pipeline pipeline({node("even", even, {"source"}, true)}, {"even"});
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("1 filtered even 5 odd"));
  EXPECT_EQ(pipeline.counts(0).filtered, 1u);
  EXPECT_EQ(pipeline.counts(0).rejected, 0u);
}

// source -> low (drops < 2) -> sink, source -> plus (adds 10) -> sink
TEST(Pipeline, NumbersTheOutputsOfOneEventOverAllBranches) {
  TestTransform low = at_least(2), plus = add(10);
  Pipeline pipeline({node("low", low, {"source"}), node("plus", plus, {"source"})}, {"low", "plus"});
  auto output = run(pipeline, readings(3));
  EXPECT_THAT(brief(output), ElementsAre("1.0 10 K", "2.0 11 K", "3.0 2 K", "3.1 12 K"));
  // Dropped on one branch, delivered on the other: no verdict.
  EXPECT_THAT(output.verdicts, IsEmpty());
}

TEST(Pipeline, OrdersPartsByTheSinksListOfBranches) {
  TestTransform one = add(1), two = add(2);
  std::vector<NodeSpec> nodes = {node("one", one, {"source"}), node("two", two, {"source"})};
  Pipeline forth(nodes, {"one", "two"}), back(nodes, {"two", "one"});
  EXPECT_THAT(brief(run(forth, readings(1))), ElementsAre("1.0 1 K", "1.1 2 K"));
  EXPECT_THAT(brief(run(back, readings(1))), ElementsAre("1.0 2 K", "1.1 1 K"));
}

TEST(Pipeline, GivesAnEventToEachBranchAsItWasAtTheFork) {
  // Both branches amend the block that the node before the fork made: neither sees the other's changes.
  TestTransform plus = add(100), one = add(1), two = add(2);
  Pipeline pipeline({node("plus", plus, {"source"}), node("one", one, {"plus"}), node("two", two, {"plus"})},
                    {"one", "two", "plus"});
  EXPECT_THAT(brief(run(pipeline, readings(2))),
              ElementsAre("1.0 101 K", "1.1 102 K", "1.2 100 K", "2.0 102 K", "2.1 103 K", "2.2 101 K"));
}

// A diamond: both branches meet again in a node, not only in the sink.
TEST(Pipeline, RunsANodeBehindADiamondOverBothBranches) {
  TestTransform plus = add(10), keep = TestTransform::keep_all(), even = only_even();
  Pipeline pipeline(
      {node("plus", plus, {"source"}), node("keep", keep, {"source"}), node("even", even, {"keep", "plus"})},
      {"even"});
  auto output = run(pipeline, readings(3));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "1.1 10 K", "3.0 2 K", "3.1 12 K"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("1 rejected even 5 odd"));
}

TEST(Pipeline, ReportsARejectionBesideTheOutputOfOtherBranches) {
  TestTransform keep = TestTransform::keep_all(), even = only_even();
  Pipeline pipeline({node("keep", keep, {"source"}), node("even", even, {"source"})}, {"keep", "even"});
  auto output = run(pipeline, readings(2));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K", "1.1 0 K", "2.0 1 K"));
  EXPECT_THAT(verdicts(pipeline, output), ElementsAre("1 rejected even 5 odd +"));
}

TEST(Pipeline, LetsARejectionWinOverAFilterOfAnotherBranch) {
  TestTransform none = at_least(100), even = only_even();
  Pipeline pipeline({node("none", none, {"source"}), node("even", even, {"source"})}, {"none", "even"});
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(2))), ElementsAre("1 rejected even 5 odd"));
}

TEST(Pipeline, NamesTheFirstOfTwoNodesThatDrop) {
  TestTransform none = at_least(100), nothing = at_least(200);
  Pipeline pipeline({node("b", nothing, {"source"}), node("a", none, {"source"})}, {"a", "b"});
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(1))), ElementsAre("0 filtered a 0 too small"));
}

TEST(Pipeline, LetsTwoConsumersShareAnInstance) {
  TestTransform plus = add(1), filter = at_least(2);
  Pipeline first({node("plus", plus, {"source"})}, {"plus"});
  Pipeline second({node("plus", plus, {"source"}), node("filter", filter, {"plus"})}, {"filter"});
  auto block = readings(2);
  EXPECT_THAT(brief(run(first, block)), ElementsAre("1.0 1 K", "2.0 2 K"));
  EXPECT_THAT(brief(run(second, block)), ElementsAre("2.0 2 K"));
}

TEST(Pipeline, IgnoresANameThatIsGivenTwice) {
  Pipeline pipeline({}, {"source", "source"});
  EXPECT_THAT(brief(run(pipeline, readings(1))), ElementsAre("1.0 0 K"));
}

TEST(Pipeline, KeepsTheIdOfTheFirstPartAndDerivesTheOthers) {
  TestTransform one = add(1), two = add(2);
  Pipeline pipeline({node("one", one, {"source"}), node("two", two, {"source"})}, {"one", "two"});
  auto block = readings(1);
  auto output = run(pipeline, block);
  const event::Block& made = *output.pieces[0].block;
  event::Id cause;
  std::memcpy(cause.data(), block->event(0)->id, 16);
  EXPECT_EQ(event::to_text(made.event(0)->id), event::to_text(cause.data()));
  EXPECT_EQ(event::to_text(made.event(1)->id), event::to_text(event::derive(cause, 1).data()));
  EXPECT_EQ(made.event(1)->flags & WEIR_DERIVED, 0u) << "no transform made it";
}

TEST(Pipeline, CountsWhatEachNodeDid) {
  TestTransform even = only_even(), low = at_least(2);
  Pipeline pipeline({node("even", even, {"source"}), node("low", low, {"even"})}, {"low"});
  run(pipeline, readings(5));
  run(pipeline, readings(5));
  EXPECT_EQ(pipeline.counts(0).in, 10u);
  EXPECT_EQ(pipeline.counts(0).rejected, 4u);
  EXPECT_EQ(pipeline.counts(1).in, 6u);
  EXPECT_EQ(pipeline.counts(1).filtered, 2u);
}

TEST(Pipeline, ReusesAnOutputThatHeldSomethingElse) {
  TestTransform even = only_even();
  Pipeline pipeline({node("even", even, {"source"})}, {"even"});
  Pipeline::Output output;
  EXPECT_TRUE(pipeline.run("source", readings(5), &output));
  EXPECT_TRUE(pipeline.run("source", readings(1), &output));
  EXPECT_THAT(brief(output), ElementsAre("1.0 0 K"));
  EXPECT_THAT(output.verdicts, IsEmpty());
}

TEST(Pipeline, NothingComesOutWhenATransformIsInterruptedAndTheBlockCanBeRunAgain) {
  TestTransform even = only_even();
  bool interrupt = true;
  TestTransform later([&](const weir_batch* batch, weir_output* output, weir_error*) -> weir_status {
    output->reject(output, 0, 1, {"half a word", 11});
    if (interrupt) return base::kInterrupted;
    for (uint32_t i = 1; i < batch->count; ++i) output->keep(output, i);
    return WEIR_OK;
  });
  NodeSpec spec = node("later", later, {"even"});
  spec.transform.interruptible = true;
  Pipeline pipeline({node("even", even, {"source"}), spec}, {"even", "later"});
  Pipeline::Output output;
  auto block = readings(5);
  EXPECT_FALSE(pipeline.run("source", block, &output));
  EXPECT_THAT(output.pieces, IsEmpty());
  EXPECT_THAT(output.verdicts, IsEmpty());
  EXPECT_EQ(pipeline.counts(1).in, 0u);
  interrupt = false;
  EXPECT_THAT(verdicts(pipeline, run(pipeline, block)), testing::Contains("0 rejected later 1 half a word +"));
}

TEST(Pipeline, APluginsOwnStatusInterruptsNothing) {
  TestTransform forges([](const weir_batch*, weir_output*, weir_error*) -> weir_status { return base::kInterrupted; });
  Pipeline pipeline({node("forges", forges, {"source"})}, {"forges"});
  EXPECT_THAT(verdicts(pipeline, run(pipeline, readings(1))),
              ElementsAre("0 rejected forges 1000000 the transform failed with status 1000000 and no text"));
}

TEST(PipelineDeathTest, TreatsACycleAsADefectOfTheGateway) {
  TestTransform keep = TestTransform::keep_all();
  EXPECT_DEATH(Pipeline({node("a", keep, {"b"}), node("b", keep, {"a"})}, {"a"}), "defect");
}

}  // namespace
}  // namespace weir::graph
