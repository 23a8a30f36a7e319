#include "manifests.h"

namespace weir::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The default chain api -> units -> store, and what a test adds to it.
class Graph : public testing::Test {
 protected:
  Graph() {
    manifests.write("api.json", R"({"plugin":"http.source","config":{"listen":"h:1"}})");
    transform("units", R"(["api"])");
    sink("store", R"(["units"])");
  }

  void transform(const std::string& name, const std::string& from) {
    manifests.write(name + ".json", "{\"plugin\":\"enrich.units\",\"from\":" + from + "}");
  }
  void sink(const std::string& name, const std::string& from) {
    manifests.write(name + ".json", "{\"plugin\":\"sqlite.sink\",\"from\":" + from + "}");
  }

  Manifests manifests;
};

TEST_F(Graph, OfAChainIsGood) { EXPECT_THAT(manifests.complaints(), IsEmpty()); }

TEST_F(Graph, MayForkAndJoin) {
  transform("left", R"(["api"])");
  transform("right", R"(["api"])");
  sink("both", R"(["left", "right"])");
  EXPECT_THAT(manifests.complaints(), IsEmpty());
}

TEST_F(Graph, RefusesAnInstanceThatIsNotThere) {
  sink("cloud", R"(["unit"])");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre("manifests/cloud.json:1:33: /from/0: there is no instance \"unit\", did you mean 'units'? "
                  "(expected \"api\" or \"units\")"));
}

TEST_F(Graph, BlamesNobodyElseForAFileThatCannotBeRead) {
  manifests.write("units.json", "{ \"plugin\" }");
  EXPECT_THAT(manifests.complaints(),
              ElementsAre("manifests/units.json:1:12: unexpected '}' (expected ':' after the key)"));
}

TEST_F(Graph, PointsToTheNameInsideAnEdgeObject) {
  sink("cloud", R"([{"instance":"nowhere"}])");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre("manifests/cloud.json:1:45: /from/0/instance: there is no instance \"nowhere\" (expected "
                  "\"api\" or \"units\")"));
}

TEST_F(Graph, RefusesADisabledInstanceAsOrigin) {
  manifests.write("units.json", R"({"plugin":"enrich.units","enabled":false,"from":["api"]})");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/store.json:1:33: /from/0: the instance \"units\" is disabled (expected one that is "
          "enabled, or this one disabled too)"));
}

TEST_F(Graph, RefusesASinkAsOrigin) {
  sink("cloud", R"("store")");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre("manifests/cloud.json:1:32: /from: the instance \"store\" is a sink and gives no events on "
                  "(expected a source or a transform)"));
}

TEST_F(Graph, RefusesAnOriginNamedTwice) {
  sink("cloud", R"(["api","api"])");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre("manifests/cloud.json:1:39: /from/1: \"api\" appears twice (expected each name once)"));
}

TEST_F(Graph, RefusesASourceWithAnOrigin) {
  manifests.write("two.json", R"({"plugin":"http.source","config":{"listen":"h:1"},"from":["api"]})");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/two.json:1:51: /from: a source gets its events from outside (expected no 'from')"));
}

TEST_F(Graph, RefusesASinkAndATransformWithoutAnOrigin) {
  manifests.write("cloud.json", R"({"plugin":"sqlite.sink"})")
      .write("valid.json", R"({"plugin":"enrich.units"})");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/cloud.json:1:1: the key 'from' is missing: a sink needs its events (expected "
          "\"from\": [\"NAME\"] with the name of a source or transform)",
          "manifests/valid.json:1:1: the key 'from' is missing: a transform needs its events (expected "
          "\"from\": [\"NAME\"] with the name of a source or transform)"));
  sink("cloud", "[]");
  transform("valid", R"("api")");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/cloud.json:1:32: /from: there are 0 elements (expected no fewer than 1 elements)"));
}

TEST_F(Graph, NamesTheCircleInTheDirectionOfTheEvents) {
  transform("a", R"(["api","c"])");
  transform("b", R"(["a"])");
  transform("c", R"(["b"])");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/b.json:1:34: /from/0: events would go round in a circle: a -> b -> c -> a (expected a "
          "graph that ends)"));
}

TEST_F(Graph, RefusesAnInstanceThatFeedsItself) {
  transform("a", R"(["a"])");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/a.json:1:34: /from/0: events would go round in a circle: a -> a (expected a graph "
          "that ends)"));
}

TEST_F(Graph, WalksALongChainWithoutTrouble) {
  std::string from = "api";
  for (int i = 0; i < 900; ++i) {
    const std::string name = "t" + std::to_string(i);
    transform(name, "\"" + from + "\"");
    from = name;
  }
  EXPECT_THAT(manifests.complaints(), IsEmpty());
}

}  // namespace
}  // namespace weir::manifest
