// What http.sink sends, and over which connections.
#include <gmock/gmock.h>

#include <atomic>
#include <latch>

#include "sink_fixture.h"

namespace weir::http::sink {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST_F(HttpSink, SendsABatchAsOneArrayWithEveryFieldAndTheKeyOfEachEvent) {
  host_.set_gateway_id("site-a-1");
  const Block batch = make_batch(
      {{.device_id = "boiler", .unit = "Cel", .part = 2, .id_byte = 0x0F}, {.value = true}}, 0x1F, 42);
  EXPECT_EQ(outcomes(start().deliver(batch), 2), "DD");
  const auto requests = receiver_->requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].target, "/events");
  EXPECT_EQ(requests[0].header("content-type"), "application/json");
  EXPECT_EQ(requests[0].header("host"), "127.0.0.1:" + std::to_string(receiver_->port()));
  const json events = json::parse(requests[0].body);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["idempotency_key"], "site-a-1/000000000000001f/42/2");
  EXPECT_EQ(events[0]["device_id"], "boiler");
  EXPECT_EQ(events[0]["unit"], "Cel");
  EXPECT_EQ(events[1]["idempotency_key"], "site-a-1/000000000000001f/43/0");
  EXPECT_EQ(events[1]["value"], true);
}

TEST_F(HttpSink, SendsALineAnEventWhenAskedTo) {
  start({{"format", "ndjson"}}).deliver(numbers(3));
  const auto requests = receiver_->requests();
  EXPECT_EQ(requests.at(0).header("content-type"), "application/x-ndjson");
  EXPECT_EQ(std::count(requests[0].body.begin(), requests[0].body.end(), '\n'), 3);
  EXPECT_EQ(requests[0].events().at(2)["value"], 2);
}

class Compressed : public HttpSink,
                   public testing::WithParamInterface<std::pair<const char*, const char*>> {};
TEST_P(Compressed, BodiesAreReadAsTheSame) {
  const auto [compression, format] = GetParam();
  const Completion completion =
      start({{"compression", compression}, {"format", format}}).deliver(numbers(200));
  EXPECT_EQ(completion.of(0).outcome, WEIR_DELIVERED) << completion.of(0).reason;
  const auto requests = receiver_->requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].header("content-encoding"), compression);
  EXPECT_LT(requests[0].wire_bytes, requests[0].body.size() / 4);
  ASSERT_EQ(requests[0].events().size(), 200u);
  EXPECT_EQ(requests[0].events()[199]["value"], 199);
}
INSTANTIATE_TEST_SUITE_P(, Compressed,
                         testing::Values(std::pair{"gzip", "json"}, std::pair{"gzip", "ndjson"},
                                         std::pair{"zstd", "json"}, std::pair{"zstd", "ndjson"}));

TEST_F(HttpSink, SendsConfiguredHeadersWithoutTheLineEndOfASecretsFile) {
  start({{"headers", {{"Authorization", "Bearer s3cret\n"}, {"User-Agent", "ours"}}}}).deliver(numbers(1));
  EXPECT_EQ(receiver_->requests().at(0).header("authorization"), "Bearer s3cret");
  EXPECT_EQ(receiver_->requests().at(0).header("user-agent"), "ours");
}

TEST_F(HttpSink, GivesTheSameEventsTheSameKeyAndOthersAnotherOne) {
  test::Instance& sink = start();
  sink.deliver(numbers(2));
  sink.deliver(numbers(2));
  sink.deliver(numbers(2, /*first_sequence=*/2));
  sink.deliver(numbers(1));
  const auto requests = receiver_->requests();
  ASSERT_EQ(requests.size(), 4u);
  std::vector<std::string> keys;
  for (const auto& request : requests) keys.push_back(request.header("idempotency-key"));
  EXPECT_THAT(keys[0], MatchesRegex("\"[0-9a-f]{32}\""));
  EXPECT_EQ(keys[1], keys[0]);
  EXPECT_NE(keys[2], keys[0]);
  EXPECT_NE(keys[3], keys[0]);
}

TEST_F(HttpSink, GoesOnWithTheTraceOfTheFirstEvent) {
  start().deliver(numbers(2));
  EXPECT_THAT(receiver_->requests().at(0).header("traceparent"),
              MatchesRegex("00-f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0-[0-9a-f]{16}-01"));
}

TEST_F(HttpSink, CutsABatchIntoBodiesOfTheLimitAndSendsALongEventAlone) {
  std::vector<TestEvent> events(4);
  for (TestEvent& event : events) event.value = std::string(300, 'x');
  events[2].value = std::string(3000, 'y');
  EXPECT_EQ(outcomes(start({{"batch_bytes", 1500}}).deliver(make_batch(events)), 4), "DDDD");
  std::vector<size_t> sizes;
  for (const auto& request : receiver_->requests()) {
    sizes.push_back(request.events().size());
    if (sizes.back() > 1) {
      EXPECT_LE(request.body.size(), 1500u);
    }
  }
  EXPECT_EQ(sizes, (std::vector<size_t>{2, 1, 1}));
}

TEST_F(HttpSink, UsesOneConnectionForManyRequests) {
  test::Instance& sink = start();
  for (int i = 0; i < 20; ++i) sink.deliver(numbers(1));
  EXPECT_EQ(receiver_->requests().at(19).connection, 0u);
  EXPECT_EQ(host_.metric("connections_opened_total"), 1);
  EXPECT_EQ(host_.metric("requests_total"), 20);
}

TEST_F(HttpSink, SendsAgainAtOnceWhenTheServerHasClosedAKeptConnection) {
  test::Instance& sink =
      start([](const ReceivedRequest&, size_t) { return ReceiverAnswer{.then_close = true}; });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(outcomes(sink.deliver(numbers(1)), 1), "D");
  EXPECT_EQ(host_.metric("request_failures_total"), 0);
}

TEST_F(HttpSink, SendsAgainWithTheSameKeyWhenAKeptConnectionBreaksBeforeTheAnswer) {
  test::Instance& sink =
      start([](const ReceivedRequest&, size_t index) { return ReceiverAnswer{.hang_up = index == 1}; });
  sink.deliver(numbers(1));
  EXPECT_EQ(outcomes(sink.deliver(numbers(2)), 2), "DD");
  const auto requests = receiver_->requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1].header("idempotency-key"), requests[2].header("idempotency-key"));
}

TEST_F(HttpSink, HasSeveralRequestsInFlight) {
  std::latch together(3);
  test::Instance& sink =
      start([&](const ReceivedRequest&, size_t) { return together.arrive_and_wait(), ReceiverAnswer{}; },
            {{"requests_in_flight", 3}});
  EXPECT_EQ(sink.limits().max_in_flight, 3u);
  const Block batches[] = {numbers(1, 1), numbers(1, 2), numbers(1, 3)};
  for (uint64_t i = 0; i < 3; ++i) sink.submit(batches[i], i + 1);
  for (uint64_t i = 0; i < 3; ++i) {
    const auto completion = host_.delivery.wait_for(i + 1);
    ASSERT_TRUE(completion);
    EXPECT_EQ(completion->of(0).outcome, WEIR_DELIVERED);
  }
}

TEST_F(HttpSink, AsksTheHostForBatchesOfItsConfiguration) {
  const auto limits = start({{"batch_events", 7}, {"batch_bytes", 2048}, {"linger_ms", 9}}).limits();
  EXPECT_EQ(limits.max_batch_events, 7u);
  EXPECT_EQ(limits.max_batch_bytes, 2048u);
  EXPECT_EQ(limits.linger_ms, 9u);
}

TEST_F(HttpSink, ReachesAHostByItsName) {
  receiver_ = std::make_unique<HttpReceiver>();
  EXPECT_EQ(
      outcomes(
          start_to("http://localhost:" + std::to_string(receiver_->port()) + "/x?y=1").deliver(numbers(1)),
          1),
      "D");
  EXPECT_EQ(receiver_->requests().at(0).target, "/x?y=1");
}

struct WrongConfig {
  const char* config;
  const char* pointer;
  const char* text;
  friend void PrintTo(const WrongConfig& wrong, std::ostream* out) { *out << wrong.config; }
};
class WrongHttpSinkConfig : public HttpSink, public testing::WithParamInterface<WrongConfig> {};
TEST_P(WrongHttpSinkConfig, IsRefusedByItsKey) {
  try {
    test::Instance made(library_, host_, "http.sink", GetParam().config);
    FAIL() << GetParam().config;
  } catch (const test::CallFailed& failure) {
    EXPECT_EQ(failure.code, WEIR_E_INVALID);
    EXPECT_EQ(failure.pointer, GetParam().pointer);
    EXPECT_THAT(failure.what(), HasSubstr(GetParam().text));
    EXPECT_THAT(failure.what(), testing::Not(HasSubstr("s3cret")));
  }
}
INSTANTIATE_TEST_SUITE_P(
    , WrongHttpSinkConfig,
    testing::Values(
        WrongConfig{"{}", "/url", "missing"},
        WrongConfig{R"({"url": "http://u:p@a/"})", "/url", "Authorization"},
        WrongConfig{R"({"url": "http://a/", "tls": {}})", "/tls", "write https:// in url, or leave tls out"},
        WrongConfig{R"({"url": "https://a/", "tls": "ca.pem"})", "/tls", "must be an object"},
        WrongConfig{R"({"url": "https://a/", "tls": {"verify": false}})", "/tls/verify", "unknown key"},
        WrongConfig{R"({"url": "https://a/", "tls": {"ca": "no.pem"}})", "/tls/ca", "no.pem cannot be read"},
        WrongConfig{R"({"url": "https://a/", "tls": {"certificate": "a.pem"}})", "/tls/key", "is missing"},
        WrongConfig{R"({"url": "https://a/", "tls": {"key": "a.key"}})", "/tls/certificate", "is missing"},
        WrongConfig{R"({"url": "https://a/", "tls": {"certificate": "no.pem", "key": "no.key"}})",
                    "/tls/certificate", "no.pem cannot be read"},
        WrongConfig{R"({"url": "https://a/", "tls": {"minimum_version": "1.1"}})", "/tls/minimum_version",
                    "\"1.2\", \"1.3\""},
        WrongConfig{R"({"url": "http://a/", "format": "xml"})", "/format", "\"json\", \"ndjson\""},
        WrongConfig{R"({"url": "http://a/", "timeout_ms": 0})", "/timeout_ms", "from 1 to 25000"},
        WrongConfig{R"({"url": "http://a/", "headers": {"X": 1}})", "/headers", "must be text"},
        WrongConfig{R"({"url": "http://a/", "headers": {"a b": "1"}})", "/headers", "name"},
        WrongConfig{R"({"url": "http://a/", "headers": {"X": "s3cret\r\nY: 1"}})", "/headers/X", "one line"},
        WrongConfig{R"({"url": "http://a/", "headers": {"content-LENGTH": "1"}})", "/headers/content-LENGTH",
                    "the sink's own"}));

}  // namespace
}  // namespace weir::http::sink
