// The load generator must measure what it says it measures: these tests hold it against a server whose answers
// and delays are known.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "load/bodies.h"
#include "load/generator.h"
#include "support/stub_gateway.h"

namespace weir::bench {
namespace {

using test::StubAnswer;
using test::StubGateway;
using test::StubRequest;
using namespace std::chrono_literals;

LoadOptions short_load(const StubGateway& gateway) {
  LoadOptions options;
  options.port = gateway.port();
  options.connections = 4;
  options.events_per_request = 10;
  options.warm_up = 0s;
  options.duration = 0.3s;
  return options;
}

TEST(Bodies, AreDifferentValidJsonOfTheSizeThatIsSaid) {
  auto bodies = make_bodies(kBodyPool, 100);
  EXPECT_EQ(std::set<std::string>(bodies.begin(), bodies.end()).size(), kBodyPool);
  for (const std::string& body : bodies) {
    auto events = nlohmann::json::parse(body);
    ASSERT_EQ(events.size(), 100u);
    for (const char* key : {"device_id", "timestamp", "sensor_type", "value", "unit"}) {
      EXPECT_TRUE(events[0].contains(key)) << key;
    }
    EXPECT_GT(body.size(), 10'500u);
    EXPECT_LT(body.size(), 12'500u);
  }
  EXPECT_TRUE(nlohmann::json::parse(make_bodies(1, 1)[0]).is_object());
}

TEST(Percentiles, AreNearestRank) {
  std::vector<int64_t> latencies;
  for (int64_t i = 1000; i >= 1; --i) latencies.push_back(i * 1'000'000);
  Latency latency = summarize(latencies);
  EXPECT_DOUBLE_EQ(latency.p50_ms, 500);
  EXPECT_DOUBLE_EQ(latency.p99_ms, 990);
  EXPECT_DOUBLE_EQ(latency.p999_ms, 999);
  EXPECT_DOUBLE_EQ(latency.max_ms, 1000);
}

TEST(ClosedLoop, CountsWhatTheServerSaw) {
  StubGateway gateway;
  LoadOptions options = short_load(gateway);
  options.max_events = 500;
  options.duration = 30s;
  LoadResult result = run_load(options);
  EXPECT_EQ(result.problem, "");
  EXPECT_GE(result.total_acknowledged, 500u);
  EXPECT_LE(result.total_acknowledged, 540u);  // at most one more from each connection
  EXPECT_GE(gateway.requests().size(), 50u);
  EXPECT_EQ(result.broken + result.refused + result.busy, 0u);
}

TEST(ClosedLoop, KeepsBusyAnswersApartFromRefusals) {
  StubGateway gateway([](const StubRequest&, size_t index) {
    if (index % 10 == 3) return StubAnswer{503, "Retry-After: 1\r\n", "", false};
    if (index % 10 == 7) return StubAnswer{400, "", "no", false};
    return StubAnswer{};
  });
  LoadResult result = run_load(short_load(gateway));
  EXPECT_GT(result.busy, 0u);
  EXPECT_GT(result.refused, 0u);
  EXPECT_GT(result.acknowledged_events, 0u);
  EXPECT_EQ(result.requests, result.busy + result.refused + result.acknowledged_events / 10);
}

TEST(ClosedLoop, CountsBrokenConnectionsAndGoesOn) {
  StubGateway gateway([](const StubRequest&, size_t index) {
    StubAnswer answer;
    answer.hang_up = index == 5;
    return answer;
  });
  LoadResult result = run_load(short_load(gateway));
  EXPECT_EQ(result.broken, 1u);
  EXPECT_GT(gateway.requests().size(), 10u);
}

TEST(OpenLoop, KeepsItsRate) {
  StubGateway gateway;
  LoadOptions options = short_load(gateway);
  options.requests_per_second = 200;
  options.duration = 1s;
  LoadResult result = run_load(options);
  EXPECT_GE(gateway.requests().size(), 195u);
  EXPECT_LE(gateway.requests().size(), 202u);
  EXPECT_EQ(result.behind, 0u);
}

TEST(OpenLoop, CountsTheWaitOfEveryRequestThatWasDueDuringAStall) {
  // One stall of 400 ms on one connection, at 100 requests/s: some 40 requests were due meanwhile, the last of
  // them waited next to nothing and the first all of it. A generator that measured from the moment of sending
  // would see one slow request.
  StubGateway gateway([](const StubRequest&, size_t index) {
    if (index == 20) std::this_thread::sleep_for(400ms);  // the stall itself, not a way to wait for something
    return StubAnswer{};
  });
  LoadOptions options = short_load(gateway);
  options.connections = 1;
  options.requests_per_second = 100;
  options.duration = 1s;
  LoadResult result = run_load(options);
  EXPECT_GE(result.latency.max_ms, 390);
  // 41 of 100 requests waited; evenly spread up to 400 ms, the 80th hundredth lies at about half of it.
  EXPECT_GE(result.latency.p99_ms, 300);
  EXPECT_LT(result.latency.p50_ms, 100);
}

TEST(OpenLoop, SaysHowManyRequestsWereNeverSent) {
  StubGateway gateway([](const StubRequest&, size_t) {
    std::this_thread::sleep_for(100ms);  // a server that is too slow for the rate
    return StubAnswer{};
  });
  LoadOptions options = short_load(gateway);
  options.connections = 1;
  options.requests_per_second = 200;
  options.duration = 0.5s;
  options.drain = 0.1s;
  EXPECT_GT(run_load(options).behind, 20u);
}

TEST(Load, SaysWhenNobodyListens) {
  LoadOptions options;
  options.port = StubGateway().port();
  EXPECT_NE(run_load(options).problem, "");
}

TEST(ProcessUsage, ReadsTheCpuTimeAndMemoryOfAnotherProcess) {
  ProcessUsage usage = process_usage(getppid());
  EXPECT_GT(usage.rss_bytes, 0u);
  EXPECT_GE(usage.peak_rss_bytes, usage.rss_bytes);
  EXPECT_EQ(process_usage(0x7ffffff0).rss_bytes, 0u);
}

}  // namespace
}  // namespace weir::bench
