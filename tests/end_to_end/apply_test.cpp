// Changing the manifests of a running gateway: as a whole or not at all, and untouched instances do not notice (P3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/site.h"
#include "support/stub_gateway.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

TEST(Apply, AddsASinkWithoutDisturbingWhatRuns) {
  Site site;
  site.main_line();
  site.start();
  HttpClient kept = site.http();  // a connection that must survive
  ASSERT_EQ(kept.request("POST", "/v1/events", events(2).dump(), {{"Content-Type", "application/json"}})->status, 202);
  site.manifest("copy", {{"plugin", "sqlite.sink"}, {"from", {"api"}}, {"config", {{"path", "data/copy.db"}}}});
  ASSERT_TRUE(wait_until([&] { return site.consumer("copy").value("role", "") == "sink"; })) << site.log();
  ASSERT_EQ(kept.request("POST", "/v1/events", events(3).dump(), {{"Content-Type", "application/json"}})->status, 202);
  ASSERT_TRUE(site.wait_settled("copy", 3));
  EXPECT_EQ(site.consumer("copy")["committed"], 3) << "start: now means from the change on";
  ASSERT_TRUE(site.wait_settled("store", 5));
}

TEST(Apply, GivesASinkThatStartsAtTheOldestEverythingThatIsThere) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(4)).status, 202);
  site.manifest("copy", {{"plugin", "sqlite.sink"}, {"from", {"api"}}, {"start", "oldest"}, {"config", {{"path", "data/copy.db"}}}});
  ASSERT_TRUE(wait_until([&] { return site.consumer("copy").value("role", "") == "sink"; }));
  ASSERT_TRUE(site.wait_settled("copy", 4));
  EXPECT_EQ(site.consumer("copy")["delivered"], 4);
}

TEST(Apply, RefusesAWrongFileWithItsLineAndGoesOn) {
  Site site;
  site.main_line();
  site.start();
  site.manifest_text("broken", "{\n  \"plugin\": \"sqlite.sink\",\n  \"from\": [\"api\"],\n  \"config\": { \"path\": \"x.db\", \"pth\": 1 }\n}\n");
  ASSERT_TRUE(wait_until([&] { return !site.status()["refused_manifests"].empty(); })) << site.log();
  std::string text = site.status()["refused_manifests"][0]["text"];
  EXPECT_THAT(text, HasSubstr("broken.json:4:"));
  EXPECT_THAT(text, HasSubstr("pth"));
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 2));
  Finished check = site.weir({"check", site.manifests()}, false);
  EXPECT_EQ(check.exit.code, 2);
  EXPECT_THAT(check.errors, HasSubstr("broken.json:4:"));
  site.remove_manifest("broken");
  EXPECT_TRUE(wait_until([&] { return site.status()["refused_manifests"].empty(); }));
}

TEST(Apply, AppliesAChangedTransformToTheBacklogToo) {
  Site site;
  site.main_line();
  std::string control = site.path("control.json");
  site.manifest("tag", {{"plugin", "test.transform"}, {"from", {"api"}}, {"config", {{"unit", "old"}}}});
  site.manifest("log", {{"plugin", "test.sink"},
                        {"from", {"tag"}},
                        {"retry", {{"initial", "10ms"}, {"max", "20ms"}}},
                        {"config", {{"control", control}, {"log", site.path("log.txt")}}}});
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"tag"}}, {"config", {{"path", "data/events.db"}}}});
  site.start();
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 2));
  EXPECT_EQ(site.stored("unit"), (std::multiset<std::string>{"old", "old"}));
  site.manifest("tag", {{"plugin", "test.transform"}, {"from", {"api"}}, {"config", {{"unit", "new"}}}});
  EXPECT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  ASSERT_EQ(site.post(events(1)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 3));
  EXPECT_EQ(site.stored("unit"), (std::multiset<std::string>{"old", "old", "new"}));
}

TEST(Apply, KeepsThePlaceOfARemovedSinkUntilItIsForgotten) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 2));
  site.remove_manifest("store");
  ASSERT_TRUE(wait_until([&] { return site.consumer("store").value("role", "") == "detached"; })) << site.log();
  // Nobody takes events now: they are held, for the place that is kept and for nobody in particular.
  ASSERT_EQ(site.post(events(3)).status, 202);
  EXPECT_EQ(site.consumer("store")["pending"], 3);
  EXPECT_TRUE(wait_until([&] { return site.consumer("unrouted").value("pending", 0) == 3; }));
  site.main_line();
  ASSERT_TRUE(wait_until([&] { return site.consumer("store").value("role", "") == "sink"; }));
  ASSERT_TRUE(site.wait_settled("store", 5));
  EXPECT_EQ(site.stored("id").size(), 5u);
  EXPECT_TRUE(wait_until([&] { return site.consumer("unrouted").value("pending", 1) == 0; }));
  site.remove_manifest("store");
  ASSERT_TRUE(wait_until([&] { return site.consumer("store").value("role", "") == "detached"; }));
  EXPECT_EQ(site.weir({"forget", "store"}).exit.code, 0);
  EXPECT_TRUE(site.consumer("store").empty());
}

TEST(Apply, HoldsEventsThatNoSinkTakesForOneThatComesLater) {
  Site site;
  site.manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", "127.0.0.1:" + std::to_string(site.http_port())}}}});
  site.start();
  ASSERT_EQ(site.post(events(7)).status, 202);
  EXPECT_TRUE(wait_until([&] { return site.consumer("unrouted").value("pending", 0) == 7; }));
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"api"}}, {"start", "oldest"}, {"config", {{"path", "data/events.db"}}}});
  ASSERT_TRUE(wait_until([&] { return site.consumer("store").value("role", "") == "sink"; }));
  ASSERT_TRUE(site.wait_settled("store", 7));
  EXPECT_TRUE(wait_until([&] { return site.consumer("unrouted").value("pending", 1) == 0; }));
  EXPECT_EQ(site.status()["balanced"], true);
}

TEST(Apply, ReplacesASourceWithoutClosingItsPort) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(1)).status, 202);
  std::string listen = "127.0.0.1:" + std::to_string(site.http_port());
  site.manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", listen}, {"max_body_bytes", 2000}}}});
  EXPECT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  EXPECT_EQ(site.post(events(1)).status, 202);
  EXPECT_EQ(site.post(events(100)).status, 413);
  ASSERT_TRUE(site.wait_settled("store", 2));
  EXPECT_EQ(site.instance("api")["door"]["committed"], 2) << "since the gateway started, not since the change";
}

TEST(Apply, TriesAgainWhatCouldNotBeStarted) {
  Site site;
  site.main_line();
  {
    StubGateway other;  // has the port
    site.manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", "127.0.0.1:" + std::to_string(other.port())}}}});
    site.start_anyway();
    json api = site.instance("api");
    EXPECT_EQ(api["state"], "failed");
    EXPECT_THAT(api["reason"].get<std::string>(), HasSubstr("is taken by another program"));
    EXPECT_EQ(site.get("/ready")["ready"], false);
    EXPECT_EQ(site.instance("store")["state"], "running");
  }
  EXPECT_TRUE(wait_until([&] { return site.get("/ready")["ready"] == true; })) << site.log();
}

}  // namespace
}  // namespace weir::test
