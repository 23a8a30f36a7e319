// The whole path with the real peers: curl, the HTTP source, the journal, the transforms, a SQLite file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/site.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// api -> valid -> units -> store, as the default manifests have it.
void default_graph(Site& site) {
  site.main_line();
  site.manifest("valid", {{"plugin", "enrich.validate"},
                          {"from", {"api"}},
                          {"config", {{"ranges", {{"temperature", {{"min", -100}, {"max", 200}}}}}}}});
  site.manifest("units", {{"plugin", "enrich.units"}, {"from", {"valid"}}});
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"units"}}, {"config", {{"path", "data/events.db"}}}});
}

TEST(MainLine, BringsAnEventFromCurlToTheSqliteFile) {
  Site site;
  default_graph(site);
  site.start();
  std::string body = R"({"device_id":"d1","timestamp":"2026-01-31T12:00:00Z","sensor_type":"temperature",)"
                     R"("value":70.5,"unit":"[degF]","metadata":{"site":"a"}})";
  Finished curl = run({"curl", "-s", "-S", "-i", "-H", "Content-Type: application/json", "-d", body,
                       "http://127.0.0.1:" + std::to_string(site.http_port()) + "/v1/events"});
  ASSERT_EQ(curl.exit.code, 0) << curl.errors;
  EXPECT_THAT(curl.output, HasSubstr("HTTP/1.1 202"));
  json answer = json::parse(curl.output.substr(curl.output.find("\r\n\r\n") + 4));
  EXPECT_EQ(answer["accepted"], 1);
  ASSERT_TRUE(site.wait_settled("store", 1));
  EXPECT_EQ(site.stored("id"), std::multiset<std::string>{answer["ids"][0]});
  EXPECT_EQ(site.stored("unit"), std::multiset<std::string>{"Cel"});
  EXPECT_EQ(site.stored("round(value, 2)"), std::multiset<std::string>{"21.39"});
  EXPECT_EQ(site.stored("gateway_id"), std::multiset<std::string>{"test-site"});
  EXPECT_EQ(site.stopped_cleanly(), true);
}

TEST(MainLine, KeepsWhatATransformRefusesAsADeadLetterAndBalances) {
  Site site;
  default_graph(site);
  site.start();
  json good = {{"device_id", "d1"}, {"sensor_type", "temperature"}, {"value", 20}, {"unit", "Cel"}};
  json bad = good;
  bad["value"] = 900;
  ASSERT_EQ(site.post(json::array({good, bad, good})).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 3));
  json store = site.consumer("store");
  EXPECT_EQ(store["delivered"], 2);
  EXPECT_EQ(store["dead"], 1);
  EXPECT_EQ(store["balanced"], true);
  json dead = site.get("/api/v1/dead")["dead_letters"];
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0]["refused_by"], "valid");
  EXPECT_EQ(dead[0]["plugin"], "enrich.validate");
  EXPECT_EQ(dead[0]["source"], "api");
  json whole = site.get("/api/v1/dead/" + dead[0]["number"].dump());
  EXPECT_EQ(whole["event"]["value"], 900);
  EXPECT_EQ(site.get("/api/v1/journal/recount")["agrees"], true);
  EXPECT_EQ(site.status()["balanced"], true);
}

TEST(MainLine, DeliversMoreThanOneBatchHoldsFromOneBatch) {
  Site site;
  site.main_line();
  for (const char* branch : {"one", "other"}) {
    site.manifest(branch, {{"plugin", "test.transform"}, {"from", {"api"}}, {"config", {{"copies", 40}}}});
  }
  site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"one", "other"}}, {"config", {{"path", "data/events.db"}}}});
  site.start();
  constexpr size_t kEvents = 1000;  // 80,000 come out; a batch holds 65,536
  ASSERT_EQ(site.post(events(kEvents)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", kEvents)) << site.consumer("store").dump(2) << site.log();
  EXPECT_EQ(site.consumer("store")["delivered"], kEvents);
  EXPECT_EQ(site.stored("part").size(), 80 * kEvents);
}

TEST(MainLine, CountsAnEventOnceThatOneBranchRefusesAndTheOtherDelivers) {
  Site site;
  site.main_line();
  site.manifest("strict", {{"plugin", "test.transform"}, {"from", {"api"}}, {"config", {{"reject_devices", {"device-1"}}}}});
  site.manifest("tolerant", {{"plugin", "test.transform"}, {"from", {"api"}}});
  site.manifest("store",
                {{"plugin", "sqlite.sink"}, {"from", {"strict", "tolerant"}}, {"config", {{"path", "data/events.db"}}}});
  site.start();
  ASSERT_EQ(site.post(events(4)).status, 202);  // of four devices
  ASSERT_TRUE(site.wait_settled("store", 4));
  json store = site.consumer("store");
  EXPECT_EQ(store["delivered"], 3);
  EXPECT_EQ(store["dead"], 1);
  EXPECT_EQ(store["balanced"], true);
  EXPECT_EQ(site.stored("part").size(), 7u) << "twice what both let pass, and once what one of them did";
  json answer = site.get("/api/v1/dead");
  ASSERT_EQ(answer["dead_letters"].size(), 1u);
  EXPECT_EQ(answer["dead_letters"][0]["refused_by"], "strict");
  json recount = site.get("/api/v1/journal/recount");
  EXPECT_EQ(recount["agrees"], true) << recount.dump(2);
}

TEST(MainLine, AnswersARepeatedRequestWithTheIdsOfTheFirst) {
  Site site;
  site.main_line();
  site.start();
  HttpResponse first = site.post(events(3), {{"Idempotency-Key", "order-66"}});
  ASSERT_EQ(first.status, 202);
  site.kill();
  site.start();
  HttpResponse again = site.post(events(3), {{"Idempotency-Key", "order-66"}});
  ASSERT_EQ(again.status, 202);
  EXPECT_EQ(json::parse(again.body)["ids"], json::parse(first.body)["ids"]);
  EXPECT_EQ(json::parse(again.body)["duplicates"], 3);
  ASSERT_TRUE(site.wait_settled("store", 3));
  EXPECT_EQ(site.stored("id").size(), 3u);
}

TEST(MainLine, GoesOnAfterAStopWhereItWas) {
  Site site;
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(10)).status, 202);
  ASSERT_TRUE(site.stopped_cleanly());
  site.start();
  ASSERT_EQ(site.post(events(10, 10)).status, 202);
  ASSERT_TRUE(site.wait_settled("store", 20));
  json store = site.consumer("store");
  EXPECT_EQ(store["committed"], 20);
  EXPECT_EQ(store["delivered"], 20);
  EXPECT_EQ(site.stored("epoch").count(*site.stored("epoch").begin()), 20u) << "the epoch changed at a clean stop";
}

TEST(MainLine, AnswersRelaxedSourcesBeforeTheDiskAndShowsTheirLossWindow) {
  Site site;
  site.main_line();
  site.manifest("api", {{"plugin", "http.source"},
                        {"durability", "relaxed"},
                        {"flush_ms", 200},
                        {"config", {{"listen", "127.0.0.1:" + std::to_string(site.http_port())}}}});
  site.start();
  ASSERT_EQ(site.post(events(5)).status, 202);
  EXPECT_EQ(site.instance("api")["durability"], "relaxed");
  EXPECT_EQ(site.instance("api")["loss_window_ms"], 200);
  ASSERT_TRUE(site.wait_settled("store", 5));
}

TEST(MainLine, TracesAnEventToItsSink) {
  Site site;
  site.main_line();
  site.start();
  std::string id = json::parse(site.post(events(1)).body)["ids"][0];
  ASSERT_TRUE(site.wait_settled("store", 1));
  Finished trace = site.weir({"trace", id});
  EXPECT_EQ(trace.exit.code, 0) << trace.errors;
  EXPECT_THAT(trace.output, HasSubstr("store: settled"));
  Finished unknown = site.weir({"trace", "01981c3e-7e4a-7c3f-9d2e-1f0a2b3c4d5e"});
  EXPECT_EQ(unknown.exit.code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("the journal holds no event"));
}

}  // namespace
}  // namespace weir::test
