// Who is owed what when manifests change, and what a change leaves behind (P3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/site.h"
#include "support/stub_gateway.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string listen_at(uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

bool can_connect(uint16_t port) {
  try {
    HttpClient client(port);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

TEST(Places, HoldWhatASourceBroughtBeforeASinkTookIt) {
  Site site;
  site.main_line();
  site.manifest("meter", {{"plugin", "test.source"}, {"config", {{"count", 5}}}});
  site.start();
  ASSERT_TRUE(wait_until([&] { return site.consumer("unrouted").value("pending", 0) == 5; }));
  ASSERT_TRUE(site.wait_settled("store", 5));
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"api", "meter"}}, {"config", {{"path", "data/events.db"}}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  ASSERT_EQ(site.post(events(1)).status, 202);
  // The change has come to it when the event behind the held ones is settled.
  ASSERT_TRUE(wait_until([&] { return site.consumer("unrouted").value("filtered", 0) >= 1; }));
  EXPECT_EQ(site.consumer("unrouted")["pending"], 5) << "what no sink ever saw was let go of";
  ASSERT_TRUE(site.stopped_cleanly());
  site.start();  // and the meter brings five more, which the sink takes
  ASSERT_TRUE(site.wait_settled("store", 11));
  ASSERT_TRUE(wait_until([&] { return site.consumer("unrouted").value("filtered", 0) >= 6; }));
  EXPECT_EQ(site.consumer("unrouted")["pending"], 5) << "forgotten by the restart";
  EXPECT_EQ(site.stored("id").size(), 6u);
  EXPECT_EQ(site.status()["balanced"], true);
}

TEST(Places, CanBeForgottenWhenTheirManifestWentWhileTheGatewayWasStopped) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 2));
  ASSERT_TRUE(site.stopped_cleanly());
  site.remove_manifest("store");
  site.start();
  EXPECT_EQ(site.consumer("store")["role"], "detached");
  Finished forget = site.weir({"forget", "store"});
  EXPECT_EQ(forget.exit.code, 0) << forget.errors;
  EXPECT_TRUE(site.consumer("store").empty());
}

TEST(Places, OfASinkThatNeverStartedCanBeForgottenToo) {
  Site site;
  site.main_line();
  site.manifest("copy", {{"plugin", "test.sink"}, {"from", {"api"}}, {"config", {{"fail", "prepare"}}}});
  site.start_anyway();
  EXPECT_EQ(site.consumer("copy")["role"], "waiting");
  EXPECT_EQ(site.weir({"forget", "copy"}).exit.code, 1);
  site.remove_manifest("copy");
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  EXPECT_EQ(site.consumer("copy")["role"], "detached");
  EXPECT_EQ(site.weir({"forget", "copy"}).exit.code, 0);
}

TEST(Change, IsTakenThoughSomethingElseCannotBeStarted) {
  StubGateway other;  // has the port
  Site site;
  site.main_line();
  site.manifest("second", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(other.port())}}}});
  site.start_anyway();
  ASSERT_EQ(site.instance("second")["state"], "failed");
  site.manifest("copy", {{"plugin", "sqlite.sink"}, {"from", {"api"}}, {"config", {{"path", "data/copy.db"}}}});
  json applied = site.post_api("/api/v1/apply");
  EXPECT_EQ(applied["applied"], true) << applied;
  EXPECT_EQ(site.consumer("copy")["role"], "sink");
  EXPECT_EQ(site.instance("second")["state"], "failed");
}

TEST(Change, SaysOnceWhyAnInstanceCannotBeStarted) {
  StubGateway other;
  Site site;
  site.main_line();
  site.manifest("second", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(other.port())}}}});
  site.start_anyway();
  // Three more tries at least: a sink that starts late shows that they are made.
  ASSERT_TRUE(wait_until([&] { return site.get("/api/v1/status")["uptime_s"] > 6.5; }));
  std::string log = site.log();
  size_t first = log.find("cannot be started");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("cannot be started", first + 1), std::string::npos) << log;
}

TEST(Change, DoesNotTryAgainWhatHangs) {
  Site site;
  site.main_line();
  site.manifest("stuck", {{"plugin", "test.source"}, {"config", {{"hang", "prepare"}}}});
  site.start_anyway();
  EXPECT_EQ(site.instance("stuck")["state"], "failed");
  // A process of its own is ended with all that it held; in the gateway each try would leave a thread and a library behind.
  bool isolated = std::getenv("WEIR_TEST_ISOLATION") != nullptr;
  EXPECT_THAT(site.log(), HasSubstr(isolated ? "it will be tried again" : "it is not tried again until its manifest changes"));
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 2));
  site.manifest("stuck", {{"plugin", "test.source"}, {"config", {{"count", 3}}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  EXPECT_EQ(site.instance("stuck")["state"], "running");
}

TEST(Change, ClosesThePortThatASourceLeft) {
  Site site;
  site.main_line();
  site.start();
  uint16_t fresh = StubGateway().port();
  site.manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(fresh)}}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  EXPECT_TRUE(can_connect(fresh));
  EXPECT_FALSE(can_connect(site.http_port())) << "connections are taken where nobody answers";
}

TEST(Change, LeavesNoPortOpenWhenItIsRefused) {
  Site site;
  site.main_line();
  site.start();
  uint16_t fresh = StubGateway().port();
  site.manifest("second", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(fresh)}}}});
  site.manifest("third", {{"plugin", "test.sink"}, {"from", {"second"}}, {"config", {{"fail", "prepare"}}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], false);
  EXPECT_FALSE(can_connect(fresh));
  EXPECT_THAT(site.log(), Not(HasSubstr("stop is not possible")));
  EXPECT_EQ(site.post(events(1)).status, 202);
}

TEST(Change, KeepsTheOldSourceWhenTheNewOneCannotStart) {
  Site site;
  site.main_line();
  site.manifest("meter", {{"plugin", "test.source"}, {"config", {{"count", 1}}}});
  site.start();
  site.manifest("meter", {{"plugin", "test.source"}, {"config", {{"count", 9}, {"fail", "start"}}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  json meter = site.instance("meter");
  EXPECT_EQ(meter["state"], "failed");
  EXPECT_EQ(meter["door"]["committed"], 1) << "the old one went before the new one stood";
}

TEST(Change, KeepsCountingAtTheDoorOfAReplacedSource) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(4)).status, 202);
  site.manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", listen_at(site.http_port())}, {"max_body_bytes", 5000}}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  ASSERT_EQ(site.post(events(3)).status, 202);
  EXPECT_EQ(site.instance("api")["door"]["committed"], 7);
  EXPECT_EQ(site.status()["balanced"], true);
}

TEST(Change, ReplacesASourceByASinkOfTheSameName) {
  Site site;
  site.main_line();
  site.manifest("extra", {{"plugin", "test.source"}, {"config", {{"count", 1}}}});
  site.start();
  site.manifest("extra", {{"plugin", "test.sink"}, {"from", {"api"}}});
  ASSERT_EQ(site.post_api("/api/v1/apply")["applied"], true);
  json extra = site.instance("extra");
  EXPECT_EQ(extra["kind"], "sink");
  EXPECT_FALSE(extra.contains("door")) << "the source still runs";
  ASSERT_EQ(site.post(events(2)).status, 202);
  ASSERT_TRUE(site.wait_settled("extra", 2));
}

}  // namespace
}  // namespace weir::test
