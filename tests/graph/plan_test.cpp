#include "graph/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/result.h"

namespace weir::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Vertex source(std::string name) { return {std::move(name), Kind::kSource, {}}; }
Vertex pure(std::string name, std::vector<std::string> from) {
  return {std::move(name), Kind::kTransform, std::move(from)};
}
Vertex stateful(std::string name, std::vector<std::string> from) {
  return {std::move(name), Kind::kStateful, std::move(from)};
}
Vertex sink(std::string name, std::vector<std::string> from) {
  return {std::move(name), Kind::kSink, std::move(from)};
}

std::string refusal(const std::vector<Vertex>& vertices) {
  auto result = plan(vertices);
  EXPECT_FALSE(result.ok());
  return result.ok() ? "" : result.error().text();
}

TEST(Plan, ListsWhatStandsInFrontOfEachSink) {
  auto result = plan({source("api"), source("mqtt"), pure("units", {"validate"}), pure("validate", {"api"}),
                      sink("store", {"units", "mqtt"}), sink("raw", {"api"})});
  ASSERT_OK(result);
  ASSERT_EQ(result->paths.size(), 2u);
  EXPECT_EQ(result->paths[0].consumer, "raw");
  EXPECT_THAT(result->paths[0].nodes, IsEmpty());
  EXPECT_THAT(result->paths[0].sources, ElementsAre("api"));
  EXPECT_EQ(result->paths[1].consumer, "store");
  EXPECT_THAT(result->paths[1].from, ElementsAre("units", "mqtt"));
  EXPECT_THAT(result->paths[1].nodes, ElementsAre("validate", "units"));
  EXPECT_THAT(result->paths[1].sources, ElementsAre("api", "mqtt"));
}

TEST(Plan, ListsANodeOfADiamondOnce) {
  auto result =
      plan({source("s"), pure("a", {"s"}), pure("b", {"a"}), pure("c", {"a"}), sink("k", {"c", "b"})});
  ASSERT_OK(result);
  EXPECT_THAT(result->paths[0].nodes, ElementsAre("a", "b", "c"));
}

TEST(Plan, IsTheSameWhateverOrderTheInstancesComeIn) {
  std::vector<Vertex> vertices = {source("s"),           pure("a", {"s"}), pure("b", {"s"}),
                                  pure("c", {"b", "a"}), sink("k", {"c"}), sink("l", {"a"})};
  auto by_name = [](const Vertex& x, const Vertex& y) { return x.name < y.name; };
  std::sort(vertices.begin(), vertices.end(), by_name);
  auto first = plan(vertices);
  ASSERT_OK(first);
  do {
    auto other = plan(vertices);
    ASSERT_OK(other);
    for (size_t k = 0; k < 2; ++k) EXPECT_EQ(other->paths[k].nodes, first->paths[k].nodes);
  } while (std::next_permutation(vertices.begin(), vertices.end(), by_name));
}

TEST(Plan, TreatsAStatefulTransformAsAConsumerAndAsASource) {
  auto result = plan(
      {source("s"), pure("a", {"s"}), stateful("window", {"a"}), pure("b", {"window"}), sink("k", {"b"})});
  ASSERT_OK(result);
  ASSERT_EQ(result->paths.size(), 2u);
  EXPECT_EQ(result->paths[0].consumer, "k");
  EXPECT_THAT(result->paths[0].nodes, ElementsAre("b"));
  EXPECT_THAT(result->paths[0].sources, ElementsAre("window"));
  EXPECT_EQ(result->paths[1].consumer, "window");
  EXPECT_THAT(result->paths[1].nodes, ElementsAre("a"));
  EXPECT_THAT(result->paths[1].sources, ElementsAre("s"));
}

TEST(Plan, NamesWhatLeadsNowhere) {
  auto result = plan({source("s"), source("t"), pure("a", {"t"}), sink("k", {"s"})});
  ASSERT_OK(result);
  EXPECT_THAT(result->unused, ElementsAre("a"));
  EXPECT_THAT(result->unheard, ElementsAre("t"));
}

TEST(Plan, SpellsACycleOut) {
  EXPECT_THAT(
      refusal({source("s"), pure("a", {"c", "s"}), pure("b", {"a"}), pure("c", {"b"}), sink("k", {"c"})}),
      HasSubstr("a: events would go round in a cycle: a -> b -> c -> a"));
  EXPECT_THAT(refusal({pure("a", {"a"})}), HasSubstr("a -> a"));
}

TEST(Plan, FindsACycleThatNoSinkHears) {
  EXPECT_THAT(refusal({source("s"), sink("k", {"s"}), pure("x", {"y"}), pure("y", {"x"})}),
              HasSubstr("x -> y -> x"));
}

TEST(Plan, FindsACycleThroughAStatefulTransform) {
  EXPECT_THAT(refusal({source("s"), stateful("w", {"a"}), pure("a", {"s", "w"})}), HasSubstr("a -> w -> a"));
}

TEST(Plan, RefusesEdgesThatCannotBe) {
  EXPECT_THAT(refusal({source("s"), sink("k", {"nobody"})}),
              HasSubstr("k: takes from 'nobody', which is no instance"));
  EXPECT_THAT(refusal({source("s"), sink("k", {"s"}), sink("l", {"k"})}), HasSubstr("which is a sink"));
  EXPECT_THAT(refusal({source("s"), {"t", Kind::kSource, {"s"}}}), HasSubstr("t: a source takes nothing"));
  EXPECT_THAT(refusal({source("s"), sink("k", {})}), HasSubstr("k: gets no events"));
  EXPECT_THAT(refusal({source("s"), source("s")}), HasSubstr("s: two instances have this name"));
}

TEST(Plan, HasRoomForNothing) {
  auto result = plan({});
  ASSERT_OK(result);
  EXPECT_THAT(result->paths, IsEmpty());
}

}  // namespace
}  // namespace weir::graph
