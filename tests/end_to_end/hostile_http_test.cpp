// What must not harm an HTTP source: each of these requests is answered as docs/http.md says or its connection is closed, a
// well-behaved device beside it notices nothing, and in the end the gateway holds no more than before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "end_to_end/hostile_requests.h"
#include "end_to_end/site.h"
#include "support/wait.h"

namespace weir::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

// Of the gateway and of its children.
uint64_t resident_bytes(int pid) {
  uint64_t pages = 0, resident = 0;
  std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> pages >> resident;
  return resident * 4096;
}

class HostileHttp : public testing::Test {
 protected:
  HostileHttp() {
    site_.main_line();
    site_.manifest("api", {{"plugin", "http.source"},
                           {"config",
                            {{"listen", "127.0.0.1:" + std::to_string(site_.http_port())},
                             {"max_connections", 12'000},
                             {"max_buffered_bytes", 64 << 20},
                             {"max_body_bytes", 1 << 20},
                             {"header_timeout_ms", 1'000},
                             {"body_timeout_ms", 1'000}}}});
  }
  uint64_t delivered() { return site_.consumer("store")["delivered"]; }
  double connections() { return site_.instance("api")["metrics"].value("connections", -1.0); }
  int pid() {
    json instance = site_.instance("api");
    return instance.contains("process") ? instance["process"]["pid"].get<int>() : site_.process().pid();
  }

  Site site_;
};

TEST_F(HostileHttp, EachIsAnsweredAsDocumentedAndTheNextRequestWorks) {
  site_.start();
  HttpClient device = site_.http();  // that goes on all the time
  uint64_t expected = 0;
  size_t cases = 0;
  uint64_t warm = 0;
  for (int round = 0; round < 2; ++round) {
    for (const HostileRequest& hostile : hostile_requests()) {
      SCOPED_TRACE(hostile.name);
      ++cases;
      HttpClient client = site_.http();
      client.send(hostile.bytes);  // it may be cut off while it sends
      if (hostile.half_close) client.finish_sending();
      size_t at = 0;
      for (const Expected& answer : hostile.answers) {
        auto response = client.read(5s, hostile.head);
        ASSERT_TRUE(response) << "no answer " << at;
        EXPECT_EQ(response->status, answer.status) << response->body;
        if (answer.code[0] != '\0') {
          json body = json::parse(response->body, nullptr, false);
          EXPECT_EQ(body.is_object() && body.contains("error") ? body["error"].value("code", "") : "", answer.code)
              << response->body;
        }
        if (response->status == 202) expected += json::parse(response->body)["ids"].size();
        ++at;
      }
      if (hostile.closes) {
        EXPECT_TRUE(client.wait_for_close(10s)) << "the connection stays open";
      }
      auto next = device.request("POST", "/v1/events", R"({"device_id":"good","sensor_type":"t","value":1})",
                                 {{"Content-Type", "application/json"}});
      ASSERT_TRUE(next);
      ASSERT_EQ(next->status, 202);
      ++expected;
      if (HasFatalFailure()) return;
    }
    if (round == 0) warm = resident_bytes(pid());
  }
  EXPECT_GE(cases / 2, 150u) << "the table has become shorter";
  EXPECT_TRUE(wait_until([&] { return delivered() == expected; })) << delivered() << " of " << expected;
  EXPECT_TRUE(wait_until([&] { return connections() == 1; })) << connections();
  EXPECT_LT(resident_bytes(pid()), warm + (4 << 20)) << "the second round of the same took memory";
  EXPECT_TRUE(site_.stopped_cleanly()) << site_.log();
}

TEST_F(HostileHttp, TenThousandIdleConnectionsCostLittleAndHoldNobodyUp) {
  constexpr size_t kMany = 10'000;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  constexpr rlim_t kNeeded = kMany + 1'000;
  limit.rlim_max = std::max(limit.rlim_max, kNeeded);  // root may raise it
  limit.rlim_cur = std::max(limit.rlim_cur, kNeeded);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0)  // the gateway inherits it
      << "this test needs " << kNeeded << " open files: raise the hard limit (ulimit -Hn)";
  site_.start();
  const uint64_t before = resident_bytes(pid());
  {
    std::vector<HttpClient> idle;
    for (size_t i = 0; i < kMany; ++i) {
      idle.push_back(site_.http());
      // Half of them begin a request; those are cut off after header_timeout.
      if (i % 2 == 0) {
        ASSERT_TRUE(idle.back().send("POST /v1/events HT"));
      }
      if (i % 1000 == 0) {
        EXPECT_EQ(site_.post(events(1, static_cast<int64_t>(i))).status, 202);
      }
    }
    EXPECT_EQ(site_.post(events(1, 20'000)).status, 202);
    EXPECT_LT(resident_bytes(pid()) - std::min(before, resident_bytes(pid())), uint64_t{128} << 20);
    // Who says nothing, or stops in the middle, is let go.
    EXPECT_TRUE(wait_until([&] { return connections() == 0; }, 60s)) << connections();
  }
  ASSERT_TRUE(site_.wait_settled("store", 11));
  EXPECT_EQ(site_.stored("id").size(), 11u);
  EXPECT_TRUE(site_.stopped_cleanly()) << site_.log();
}

}  // namespace
}  // namespace weir::test
