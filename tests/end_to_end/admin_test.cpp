// The admin port, as monitors and scripts see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <regex>
#include <sstream>

#include "end_to_end/site.h"
#include "support/stub_gateway.h"

namespace weir::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Admin : public ::testing::Test {
 protected:
  void start() {
    site_.main_line();
    site_.start();
  }
  HttpResponse ask(const std::string& method, const std::string& target, const HttpHeaders& headers = {}) {
    auto response = HttpClient(site_.admin_port()).request(method, target, "", headers);
    if (!response) throw std::runtime_error("no answer to " + method + " " + target);
    return *response;
  }
  HttpResponse get(const std::string& target) { return ask("GET", target); }

  Site site_;
};

TEST_F(Admin, SaysThatAllIsWell) {
  start();
  HttpResponse health = get("/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.header("Content-Type"), "application/json");
  json answer = json::parse(health.body);
  EXPECT_EQ(answer["gateway"], "ok");
  EXPECT_EQ(answer["storage"], "ok");
  EXPECT_EQ(answer["network"], "ok");
  EXPECT_GE(answer["uptime_hours"].get<double>(), 0);
  HttpResponse ready = get("/ready");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(json::parse(ready.body)["waiting_for"], json::array());
}

TEST_F(Admin, SaysWhoIsWaitedFor) {
  StubGateway other;  // has the port
  site_.main_line();
  site_.manifest("api", {{"plugin", "http.source"}, {"config", {{"listen", "127.0.0.1:" + std::to_string(other.port())}}}});
  site_.start_anyway();
  HttpResponse ready = get("/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(json::parse(ready.body)["waiting_for"][0].get<std::string>(), HasSubstr("api: "));
  HttpResponse health = get("/health");
  EXPECT_EQ(health.status, 503);
  EXPECT_THAT(json::parse(health.body)["network"].get<std::string>(), HasSubstr("is taken by another program"));
}

// https://prometheus.io/docs/instrumenting/exposition_formats/
TEST_F(Admin, ShowsMetricsThatPrometheusUnderstands) {
  start();
  ASSERT_EQ(site_.post(events(4)).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 4));
  HttpResponse metrics = get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.header("Content-Type"), "text/plain; version=0.0.4");
  const std::regex comment(R"(# (HELP [a-z_0-9]+ .+|TYPE [a-z_0-9]+ (counter|gauge)))");
  const std::regex sample(R"re([a-z_][a-z_0-9]*(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? -?[0-9.]+(e[+-]?[0-9]+)?)re");
  std::istringstream text(metrics.body);
  size_t samples = 0, imbalances = 0;
  for (std::string line; std::getline(text, line);) {
    bool is_comment = line.starts_with('#');
    EXPECT_TRUE(std::regex_match(line, is_comment ? comment : sample)) << line;
    samples += is_comment ? 0 : 1;
    if (!line.starts_with("weir_ledger_imbalance_events{")) continue;
    ++imbalances;
    EXPECT_EQ(line.substr(line.rfind(' ')), " 0") << line;
  }
  EXPECT_GT(samples, 30u);
  EXPECT_EQ(imbalances, 2u) << "store and unrouted";
  EXPECT_THAT(metrics.body, HasSubstr("\nweir_consumer_delivered_events_total{consumer=\"store\"} 4\n"));
  EXPECT_THAT(metrics.body, HasSubstr("\nweir_source_committed_events_total{source=\"api\"} 4\n"));
}

TEST_F(Admin, KnowsWhatIsNotThereAndWhatIsOnlyAskedWrongly) {
  start();
  for (const std::string target : {"/", "/healthy", "/api/v1/", "/api/v1/dead/", "/api/v2/status", "/api/v1/forget/"}) {
    for (const std::string method : {"GET", "POST"}) {
      HttpResponse missing = ask(method, target);
      EXPECT_EQ(missing.status, 404) << method << " " << target;
      EXPECT_EQ(json::parse(missing.body)["error"]["code"], "not_found") << target;
    }
  }
  const std::vector<std::array<std::string, 3>> wrong = {{"POST", "/health", "GET, HEAD"},
                                                         {"DELETE", "/api/v1/status", "GET, HEAD"},
                                                         {"GET", "/api/v1/apply", "POST"},
                                                         {"PUT", "/api/v1/forget/store", "POST"}};
  for (const auto& [method, target, allow] : wrong) {
    HttpResponse refused = ask(method, target);
    EXPECT_EQ(refused.status, 405) << method << " " << target;
    EXPECT_EQ(refused.header("Allow"), allow) << target;
  }
}

TEST_F(Admin, RefusesNumbersThatAreNone) {
  start();
  for (const std::string target : {"/api/v1/tail?limit=many", "/api/v1/tail?after=-1", "/api/v1/dead?limit=1e3",
                                   "/api/v1/dead?before=%31x", "/api/v1/dead/one", "/api/v1/tail?limit=99999999999999999999"}) {
    HttpResponse refused = get(target);
    EXPECT_EQ(refused.status, 400) << target;
    EXPECT_EQ(json::parse(refused.body)["error"]["code"], "invalid") << target;
  }
  EXPECT_EQ(get("/api/v1/tail?after=18446744073709551615").status, 200);
  EXPECT_EQ(get("/api/v1/dead/7").status, 404);
}

TEST_F(Admin, ReadsPercentSignsInPathAndQuery) {
  start();
  ASSERT_EQ(site_.post(events(2)).status, 202);
  EXPECT_EQ(json::parse(get("/api/v1/tail?source=%61pi&limit=%31").body)["events"].size(), 1u);
  HttpResponse refused = get("/api/v1/trace/a%20b%2Fc%zz");
  EXPECT_THAT(json::parse(refused.body)["error"]["message"].get<std::string>(), HasSubstr("'a b/c%zz'"));
}

TEST_F(Admin, TellsATailWhereToGoOn) {
  start();
  ASSERT_EQ(site_.post(events(10)).status, 202);
  ASSERT_TRUE(site_.wait_settled("store", 10));
  std::vector<uint64_t> seen;
  uint64_t after = 2;
  while (after < 10) {
    json page = json::parse(get("/api/v1/tail?limit=3&after=" + std::to_string(after)).body);
    ASSERT_GT(page["through"], after);
    after = page["through"];
    for (const json& line : page["events"]) seen.push_back(line["sequence"]);
  }
  EXPECT_EQ(seen, (std::vector<uint64_t>{3, 4, 5, 6, 7, 8, 9, 10}));
}

TEST_F(Admin, AnswersHeadWithoutABody) {
  start();
  HttpClient client(site_.admin_port());
  ASSERT_TRUE(client.send("HEAD /ready HTTP/1.1\r\nHost: a\r\n\r\nGET /ready HTTP/1.1\r\nHost: a\r\n\r\n"));
  auto head = client.read(kPatience, true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  auto whole = client.read();
  ASSERT_TRUE(whole) << "what follows a HEAD on the connection is lost";
  EXPECT_EQ(head->header("Content-Length"), std::to_string(whole->body.size()));
}

TEST_F(Admin, AnswersPipelinedRequestsInTheirOrder) {
  start();
  HttpClient client(site_.admin_port());
  std::string requests;
  for (const char* target : {"/api/v1/journal", "/health", "/nothing", "/ready"}) {
    requests += std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  ASSERT_TRUE(client.send(requests));
  EXPECT_THAT(client.read()->body, HasSubstr("newest_sequence"));
  EXPECT_THAT(client.read()->body, HasSubstr("uptime_hours"));
  EXPECT_EQ(client.read()->status, 404);
  EXPECT_THAT(client.read()->body, HasSubstr("waiting_for"));
}

TEST_F(Admin, ClosesAConnectionWhoseHeadIsTooLarge) {
  start();
  HttpClient client(site_.admin_port());
  client.send("GET /health HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(10'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(client.wait_for_close());
  EXPECT_EQ(get("/health").status, 200);
}

TEST_F(Admin, ClosesAConnectionThatDoesNotFinishItsRequest) {
  start();
  HttpClient client(site_.admin_port());
  ASSERT_TRUE(client.send("GET /health HTTP/1.1\r\n"));
  EXPECT_TRUE(client.wait_for_close());
}

TEST_F(Admin, KeepsRoomForTheCommandsWhenThePortIsCrowded) {
  start();
  std::vector<HttpClient> crowd;
  for (int i = 0; i < 100; ++i) crowd.emplace_back(site_.admin_port());
  EXPECT_TRUE(crowd.back().wait_for_close()) << "the number of connections is not bounded";
  Finished status = site_.weir({"status"});
  EXPECT_EQ(status.exit.code, 0) << status.errors;
}

TEST_F(Admin, TakesNoPostOfAWebPage) {
  start();
  HttpResponse refused = ask("POST", "/api/v1/forget/unrouted", {{"Origin", "http://example.com"}});
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/forget/unrouted").status, 200);
}

TEST_F(Admin, AnswersMonitorsWhileAnApplyIsUnderWay) {
  start();
  // prepare is given up after five seconds.
  site_.manifest("slow", {{"plugin", "test.source"}, {"config", {{"hang", "prepare"}}}});
  HttpClient apply(site_.admin_port());
  ASSERT_TRUE(apply.send("POST /api/v1/apply HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
  for (const char* target : {"/health", "/ready", "/metrics", "/api/v1/status"}) EXPECT_EQ(get(target).status, 200);
  pollfd answered{apply.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&answered, 1, 0), 0) << "the apply was over before: this shows nothing";
  auto answer = apply.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 409);
  EXPECT_THAT(answer->body, HasSubstr("did not return"));
}

}  // namespace
}  // namespace weir::test
