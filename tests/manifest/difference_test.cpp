#include "manifest/difference.h"

#include <cstdlib>

#include "manifests.h"

namespace weir::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kSource = R"({"plugin":"http.source","config":{"listen":"h:1"}})";
constexpr const char* kUnits = R"({"plugin":"enrich.units","from":["api"]})";
constexpr const char* kSink = R"({"plugin":"sqlite.sink","from":["units"]})";

class Differences : public testing::Test {
 protected:
  Differences() {
    manifests.write("api.json", kSource).write("units.json", kUnits).write("store.json", kSink);
    running = load();
  }

  LoadedSet load() {
    LoadedSet set = manifests.load();
    EXPECT_EQ(text(set.problems), "");
    return set;
  }
  Difference compare_now() { return compare(running, load()); }
  Change only_change() {
    const Difference difference = compare_now();
    EXPECT_THAT(difference.added, IsEmpty());
    EXPECT_THAT(difference.removed, IsEmpty());
    EXPECT_EQ(difference.changed.size(), 1u);
    return difference.changed.empty() ? Change() : difference.changed.front();
  }

  Manifests manifests;
  LoadedSet running;
};

TEST_F(Differences, AreNoneWhenOnlyCommentsAndOrderChanged) {
  manifests.write("api.json",
                  "// the door\n{ \"config\": { \"listen\": \"h:1\" },\n \"plugin\": \"http.source\" }");
  EXPECT_TRUE(compare_now().empty());
}

TEST_F(Differences, AreNoneWhenADefaultIsWrittenOut) {
  manifests.write("store.json",
                  R"({"plugin":"sqlite.sink","from":"units","start":"now","config":{},"enabled":true})");
  EXPECT_TRUE(compare_now().empty());
}

TEST_F(Differences, NameWhatWasAddedAndRemoved) {
  std::filesystem::remove(manifests.folder() / "store.json");
  manifests.write("cloud.json", kSink).write("backup.json", kSink);
  const Difference difference = compare_now();
  EXPECT_THAT(difference.added, ElementsAre("backup", "cloud"));
  EXPECT_THAT(difference.removed, ElementsAre("store"));
  EXPECT_THAT(difference.changed, IsEmpty());
  EXPECT_FALSE(difference.empty());
}

TEST_F(Differences, TakeDisablingForRemovalAndEnablingForAddition) {
  manifests.write("store.json", R"({"plugin":"sqlite.sink","enabled":false,"from":["units"]})");
  EXPECT_THAT(compare_now().removed, ElementsAre("store"));
  EXPECT_THAT(compare(load(), running).added, ElementsAre("store"));
}

TEST_F(Differences, TellAChangedConfiguration) {
  manifests.write("api.json", R"({"plugin":"http.source","config":{"listen":"h:2"}})");
  const Change change = only_change();
  EXPECT_EQ(change.name, "api");
  EXPECT_TRUE(change.config);
  EXPECT_FALSE(change.component || change.edges || change.delivery);
}

TEST_F(Differences, TellAChangedSecretBehindAnUnchangedFile) {
  manifests.write("api.json",
                  R"({"plugin":"http.source","config":{"listen":"h:1","token":"${file:token}"}})");
  manifests.write_outside("token", "old");
  running = load();
  manifests.write_outside("token", "new");
  EXPECT_TRUE(only_change().config);
}

TEST_F(Differences, TellAnotherVersionOfThePluginUnderAnUnchangedManifest) {
  manifests.catalog.add("enrich.units", Kind::kTransform, "", "1.3.0");
  const Change change = only_change();
  EXPECT_EQ(change.name, "units");
  EXPECT_TRUE(change.component);
  EXPECT_FALSE(change.config || change.edges || change.delivery);
}

TEST_F(Differences, DoNotMindAnotherRangeThatGivesTheSameVersion) {
  manifests.write("units.json", R"({"plugin":"enrich.units","version":"^1.0","from":["api"]})");
  EXPECT_TRUE(compare_now().empty());
}

TEST_F(Differences, TellChangedEdges) {
  manifests.write("store.json", R"({"plugin":"sqlite.sink","from":["api"]})");
  const Change change = only_change();
  EXPECT_TRUE(change.edges);
  EXPECT_FALSE(change.component || change.config || change.delivery);
}

TEST_F(Differences, TellEachChangedDeliveryOption) {
  for (const char* option : {R"("start":"oldest")", R"("on_error":"drop")", R"("retry":{"max":"2m"})",
                             R"("limits":{"batch_events":5})"}) {
    manifests.write("store.json", R"({"plugin":"sqlite.sink","from":["units"],)" + std::string(option) + "}");
    const Change change = only_change();
    EXPECT_TRUE(change.delivery) << option;
    EXPECT_FALSE(change.component || change.config || change.edges) << option;
  }
}

TEST_F(Differences, TellWhatOfTheGatewayMayChangeWhileItRuns) {
  manifests.write("gateway.json",
                  R"({"plugin_dirs":[],"journal":{"retention":"1h"},"memory":{"max_bytes":"32MiB"}})");
  const Difference difference = compare_now();
  EXPECT_TRUE(difference.plugin_dirs);
  EXPECT_TRUE(difference.journal);
  EXPECT_TRUE(difference.memory);
  EXPECT_THAT(difference.refused, IsEmpty());
}

TEST_F(Differences, RefuseWhatNeedsARestart) {
  manifests.write("gateway.json", R"({"gateway_id":"a","data_dir":"d","admin":{"listen":"127.0.0.1:1"}})");
  running = load();
  manifests.write("gateway.json", "{\"gateway_id\":\"b\",\n\"data_dir\":\"e\"}");
  const Difference difference = compare_now();
  std::vector<std::string> texts;
  for (const Problem& problem : difference.refused) texts.push_back(manifests.without_home(problem.text()));
  constexpr const char* kExpected =
      " while the gateway runs (expected the old value, or a restart of the gateway)";
  EXPECT_THAT(texts,
              ElementsAre("manifests/gateway.json:1:15: /gateway_id: cannot change from \"a\" to \"b\"" +
                              std::string(kExpected),
                          "manifests/gateway.json:2:12: /data_dir: cannot change from \"d\" to \"e\"" +
                              std::string(kExpected),
                          "manifests/gateway.json:1:1: /admin/listen: cannot change from \"127.0.0.1:1\" to "
                          "\"127.0.0.1:9600\"" +
                              std::string(kExpected)));
}

}  // namespace
}  // namespace weir::manifest
