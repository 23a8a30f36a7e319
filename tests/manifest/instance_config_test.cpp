#include "manifest/instance_config.h"

#include "manifests.h"

namespace weir::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A source "api" and a sink "store" behind it, with more keys each: ", \"retry\": {}".
class Instance : public testing::Test {
 protected:
  LoadedSet load(const std::string& source_keys, const std::string& sink_keys = "") {
    manifests.write("api.json", R"({"plugin":"http.source","config":{"listen":"h:1"})" + source_keys + "}");
    manifests.write("store.json", R"({"plugin":"sqlite.sink","from":["api"])" + sink_keys + "}");
    return manifests.load();
  }
  std::vector<std::string> complaints(const std::string& source_keys, const std::string& sink_keys = "") {
    load(source_keys, sink_keys);
    return manifests.complaints();
  }

  Manifests manifests;
};

TEST_F(Instance, HasDefaults) {
  const LoadedSet set = load("");
  EXPECT_EQ(text(set.problems), "");
  const InstanceConfig& sink = set.instances.at("store");
  EXPECT_EQ(sink.name, "store");
  EXPECT_EQ(sink.plugin, "sqlite.sink");
  EXPECT_EQ(sink.version.text(), "*");
  EXPECT_TRUE(sink.enabled);
  EXPECT_THAT(sink.from, ElementsAre(Edge{"api"}));
  EXPECT_EQ(sink.config, "{}");
  EXPECT_EQ(sink.durability, Durability::kStrict);
  EXPECT_EQ(sink.start, Start::kNow);
  EXPECT_EQ(sink.on_error, OnError::kDeadLetter);
  EXPECT_EQ(sink.retry, Retry());
  EXPECT_EQ(sink.limits, Limits());
  ASSERT_TRUE(sink.component.has_value());
  EXPECT_EQ(sink.component->kind, Kind::kSink);
}

TEST_F(Instance, ReadsEverySettingOfASource) {
  const LoadedSet set =
      load(R"(, "version": "^1.0", "enabled": true, "durability": "relaxed", "flush_ms": 250,
      "isolation": "in-process", "limits": { "events_per_second": 500, "bytes_in_flight": "8MiB" })");
  EXPECT_EQ(text(set.problems), "");
  const InstanceConfig& source = set.instances.at("api");
  EXPECT_EQ(source.version.text(), "^1.0");
  EXPECT_EQ(source.config, R"({"listen":"h:1"})");
  EXPECT_EQ(source.durability, Durability::kRelaxed);
  EXPECT_EQ(source.flush_ms, 250u);
  EXPECT_EQ(source.limits.events_per_second, 500u);
  EXPECT_EQ(source.limits.bytes_in_flight, 8u << 20);
}

TEST_F(Instance, ReadsEverySettingOfASink) {
  const LoadedSet set = load("", R"(, "start": "oldest", "on_error": "drop",
      "retry": { "initial": "250ms", "max": "30s", "multiplier": 1.5, "jitter": 0, "give_up_after": "2h" },
      "limits": { "batch_events": 100, "batch_bytes": "1MiB" })");
  EXPECT_EQ(text(set.problems), "");
  const InstanceConfig& sink = set.instances.at("store");
  EXPECT_EQ(sink.start, Start::kOldest);
  EXPECT_EQ(sink.on_error, OnError::kDrop);
  EXPECT_EQ(sink.retry,
            (Retry{std::chrono::milliseconds(250), std::chrono::seconds(30), 1.5, 0, std::chrono::hours(2)}));
  EXPECT_EQ(sink.limits.batch_events, 100u);
  EXPECT_EQ(sink.limits.batch_bytes, 1u << 20);
}

TEST_F(Instance, NeverGivesUpWhenToldSoEitherWay) {
  EXPECT_FALSE(load("", R"(, "retry": { "give_up_after": "0" })").instances.at("store").retry.give_up_after);
  EXPECT_FALSE(load("", R"(, "on_error": "retry")").instances.at("store").retry.give_up_after);
}

TEST_F(Instance, TakesEdgesAsTextAsListAndAsObject) {
  manifests.write("api2.json", R"({"plugin":"http.source","config":{"listen":"h:2"}})");
  manifests.write("a.json", R"({"plugin":"sqlite.sink","from":"api"})");
  manifests.write("b.json", R"({"plugin":"sqlite.sink","from":["api",{"instance":"api2"}]})");
  const LoadedSet set = load("");
  EXPECT_EQ(text(set.problems), "");
  EXPECT_THAT(set.instances.at("a").from, ElementsAre(Edge{"api"}));
  EXPECT_THAT(set.instances.at("b").from, ElementsAre(Edge{"api"}, Edge{"api2"}));
}

TEST_F(Instance, NeedsAPlugin) {
  manifests.write("x.json", "{\n}");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/x.json:1:1: the key 'plugin' is missing (expected a string: PLUGIN.COMPONENT, for "
          "example \"http.source\")"));
}

TEST_F(Instance, NeedsTheNameOfAComponent) {
  manifests.write("x.json", R"({"plugin": "HTTP"})");
  EXPECT_THAT(manifests.complaints(),
              ElementsAre("manifests/x.json:1:12: /plugin: \"HTTP\" is not the name of a component (expected "
                          "PLUGIN.COMPONENT, for example \"http.source\")"));
}

TEST_F(Instance, NeedsAComponentThatThereIs) {
  manifests.write("x.json", R"({"plugin": "mqtt.source", "version": "^1"})");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/x.json:1:12: /plugin: no plugin offers 'mqtt.source' (expected one of 'http.source' "
          "...)"));
}

TEST_F(Instance, NeedsAVersionThatThereIs) {
  EXPECT_THAT(
      complaints(R"(, "version": "^2.0")"),
      ElementsAre(
          "manifests/api.json:1:63: /version: there is only version 1.2.0 (expected a range that holds "
          "it)"));
}

TEST_F(Instance, NeedsAVersionRange) {
  EXPECT_THAT(
      complaints(R"(, "version": "new")"),
      ElementsAre(
          "manifests/api.json:1:63: /version: \"new\" is not a version range (expected for example ^1.0, "
          "~1.2, \">=1.0 <2\", 1.2.3 or *)"));
}

TEST_F(Instance, RefusesUnknownKeys) {
  EXPECT_THAT(
      complaints(R"(, "enable": true)"),
      ElementsAre("manifests/api.json:1:52: /enable: unknown key 'enable', did you mean 'enabled'? (expected "
                  "'config', 'durability', 'enabled', 'flush_ms', 'from', 'isolation', 'limits', 'on_error', "
                  "'plugin', 'retry', 'start' or 'version')"));
}

TEST_F(Instance, ChecksItsConfigurationAgainstTheComponentsSchema) {
  manifests.write("x.json", R"({ "plugin": "http.source",
  "config": { "listn": "127.0.0.1", "max_body": 0 } })");
  EXPECT_THAT(manifests.complaints(),
              testing::UnorderedElementsAre("manifests/x.json:2:13: /config: the key 'listen' is missing "
                                            "(expected text that matches ^.+:[0-9]+$: "
                                            "ADDRESS:PORT)",
                                            "manifests/x.json:2:15: /config/listn: unknown key 'listn', did "
                                            "you mean 'listen'? (expected 'listen', "
                                            "'max_body', 'mode' or 'token')",
                                            "manifests/x.json:2:49: /config/max_body: 0 is out of range "
                                            "(expected an integer from 1 to 65535)"));
}

TEST_F(Instance, MissesItsConfigurationAtItsOwnPlace) {
  manifests.write("x.json", R"({ "plugin": "http.source" })");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre("manifests/x.json:1:1: /config: the key 'listen' is missing (expected text that matches "
                  "^.+:[0-9]+$: ADDRESS:PORT)"));
}

TEST_F(Instance, BlamesThePluginForABrokenSchema) {
  manifests.catalog.add("bad.sink", Kind::kSink, "{ \"type\": 5 }");
  manifests.write("x.json", R"({ "plugin": "bad.sink", "from": "api" })");
  load("");
  EXPECT_THAT(
      manifests.complaints(),
      ElementsAre(
          "manifests/x.json:1:13: /plugin: the plugin \"bad.sink\" cannot be used: the schema is broken: "
          "JSON value is not a string. (expected a repaired plugin; this is no fault of the manifest)"));
}

TEST_F(Instance, GivesThePlaceOfWhatTheComponentItselfRefuses) {
  const LoadedSet set = load("");
  const Problem problem =
      set.instances.at("api").config_problem("/listen", "the port is taken", "a free one");
  EXPECT_EQ(manifests.without_home(problem.text()),
            "manifests/api.json:1:44: /config/listen: the port is taken (expected a free one)");
  EXPECT_EQ(set.instances.at("store").config_problem("", "no").text(),
            (manifests.folder() / "store.json").string() + ":1:1: /config: no");
}

TEST_F(Instance, RefusesSettingsThatMeanNothingForItsKind) {
  manifests.write("units.json",
                  R"({"plugin":"enrich.units","from":["api"],"start":"oldest","on_error":"retry"})");
  EXPECT_THAT(
      complaints(R"(, "start": "now", "retry": {})", R"(, "durability": "strict")"),
      ElementsAre(
          "manifests/api.json:1:52: /start: 'start' means nothing for a source (expected it only with a "
          "stateful transform or a sink)",
          "manifests/api.json:1:68: /retry: 'retry' means nothing for a source (expected it only with a "
          "sink)",
          "manifests/store.json:1:41: /durability: 'durability' means nothing for a sink (expected it only "
          "with a source)",
          "manifests/units.json:1:41: /start: 'start' means nothing for a transform (expected it only with "
          "a stateful transform or a sink)",
          "manifests/units.json:1:69: /on_error: \"retry\" means nothing for a transform: it would refuse "
          "the event again (expected \"dead-letter\" or \"drop\")"));
}

TEST_F(Instance, RefusesWhatThisVersionDoesNotHaveYet) {
  EXPECT_THAT(
      complaints("", R"(, "limits": { "pending_bytes": "1MiB" })"),
      ElementsAre(
          "manifests/store.json:1:70: /limits/pending_bytes: a quota for one sink's backlog is not in this "
          "version yet (expected no pending_bytes; the journal's max_bytes bounds all backlogs together)"));
}

TEST_F(Instance, ReadsConditionsOfEdgesAndPointsAtTheColumnOfAWrongOne) {
  manifests.write("f.json", R"({"plugin":"sqlite.sink","from":[{"instance":"api","when":"value > 3"}]})");
  EXPECT_THAT(complaints(""), IsEmpty());
  manifests.write("f.json", R"({"plugin":"sqlite.sink","from":[{"instance":"api","when":"value > "}]})");
  EXPECT_THAT(complaints(""),
              ElementsAre("manifests/f.json:1:58: /from/0/when: at column 9 of the condition: the end stands where a "
                          "field or a literal should (expected a comparison like value > 80)"));
  manifests.write("f.json", R"({"plugin":"sqlite.sink","from":[{"instance":"api","when":""}]})");
  EXPECT_THAT(complaints(""), ElementsAre(testing::HasSubstr("of the condition: it is empty")));
  manifests.write("f.json", R"({"plugin":"sqlite.sink",
    "from":[{"instance":"api","when":"value > 3"}, {"instance":"api","when":"value < 1"}]})");
  EXPECT_THAT(complaints(""), ElementsAre(testing::HasSubstr("\"api\" appears twice (expected one edge, its conditions "
                                                             "joined by ||)")));
}

TEST_F(Instance, RefusesSettingsThatContradictEachOther) {
  EXPECT_THAT(
      complaints(R"(, "flush_ms": 100)"),
      ElementsAre("manifests/api.json:1:64: /flush_ms: flush_ms does nothing here: the source is strict and "
                  "flushes before each answer (expected no flush_ms, or \"durability\": \"relaxed\")"));
  EXPECT_THAT(
      complaints("", R"(, "retry": { "initial": "5s", "max": "1s" })"),
      ElementsAre(
          "manifests/store.json:1:76: /retry/max: the longest delay is shorter than the first (expected at "
          "least 5.0s)"));
  EXPECT_THAT(
      complaints("", R"(, "on_error": "retry", "retry": { "give_up_after": "1h" })"),
      ElementsAre("manifests/store.json:1:90: /retry/give_up_after: give_up_after contradicts \"on_error\": "
                  "\"retry\", which never gives up (expected no give_up_after, or another on_error)"));
}

TEST_F(Instance, RefusesLimitsAndTimesOutOfRange) {
  EXPECT_THAT(
      complaints(R"(, "durability": "relaxed", "flush_ms": 0)", R"(, "retry": { "initial": "0" })"),
      ElementsAre(
          "manifests/api.json:1:89: /flush_ms: 0 is out of range (expected an integer from 1 to 60000)",
          "manifests/store.json:1:63: /retry/initial: \"0\" is too short (expected at least 1ms)"));
  EXPECT_THAT(
      complaints("", R"(, "limits": { "batch_bytes": "17MiB" })"),
      ElementsAre(
          "manifests/store.json:1:68: /limits/batch_bytes: \"17MiB\" is out of range (expected a size from "
          "1.0 KiB to 16.0 MiB)"));
}

TEST_F(Instance, IsCheckedForItsFormOnlyWhileItIsDisabled) {
  manifests.write("off.json", R"({"plugin":"mqtt.source","version":"^9","enabled":false,"config":{"x":1}})");
  EXPECT_THAT(complaints(""), IsEmpty());
  EXPECT_FALSE(manifests.load().instances.at("off").component.has_value());
  manifests.write("off.json", R"({"plugin":"mqtt.source","enabled":false,"durability":"no"})");
  EXPECT_THAT(
      complaints(""),
      ElementsAre("manifests/off.json:1:54: /durability: \"no\" is none of the values allowed here (expected "
                  "\"strict\" or \"relaxed\")"));
}

}  // namespace
}  // namespace weir::manifest
