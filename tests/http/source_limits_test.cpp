// http.source defends itself: slow clients, too many of them, too much memory.
#include "source_fixture.h"

namespace weir::http {
namespace {

// Sends `bytes` one by one until an answer comes, with a pause after each that is far below the timeout.
std::optional<HttpResponse> drip(HttpClient& client, const std::string& bytes) {
  for (const char byte : bytes) {
    if (!client.send({&byte, 1})) break;
    if (auto response = client.read(std::chrono::milliseconds(10))) return response;
  }
  return client.read();
}

TEST_F(HttpSource, CutsOffASlowHead) {
  start(R"("header_timeout_ms": 200)");
  HttpClient client = connect();
  const auto response = drip(client, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(10'000, 'x'));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 408);
  EXPECT_EQ(error_part(response, "code"), "request_timeout");
  EXPECT_EQ(error_part(response, "message"), "the head of the request did not arrive within 200 ms");
  EXPECT_TRUE(client.wait_for_close());
}

TEST_F(HttpSource, CutsOffASlowHeadOnAKeptConnectionToo) {
  start(R"("header_timeout_ms": 200)");
  HttpClient client = connect();
  ASSERT_EQ(client.request("GET", "/v1/health")->status, 200);
  const auto response = drip(client, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(10'000, 'x'));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 408);
}

TEST_F(HttpSource, CutsOffASlowBody) {
  start(R"("body_timeout_ms": 200)");
  const std::string announced = post_of(std::string(10'000, ' ')).substr(0, 120);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n";
  for (const std::string* head : {&announced, &chunked}) {
    HttpClient client = connect();
    ASSERT_TRUE(client.send(*head));
    const auto response = drip(client, std::string(10'000, ' '));
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 408);
    EXPECT_EQ(error_part(response, "message"), "the body of the request did not arrive within 200 ms");
    EXPECT_TRUE(client.wait_for_close());
  }
  EXPECT_EQ(host_.ingress.accepted_events(), 0u);
}

TEST_F(HttpSource, ClosesConnectionsThatSayNothing) {
  start(R"("header_timeout_ms": 200, "idle_timeout_ms": 200)");
  HttpClient silent = connect();
  HttpClient idle = connect();
  ASSERT_EQ(idle.request("GET", "/v1/health")->status, 200);
  EXPECT_TRUE(silent.wait_for_close());
  EXPECT_TRUE(idle.wait_for_close());
  EXPECT_EQ(host_.metric("rejected_total"), 0);
}

TEST_F(HttpSource, WaitsForASettlementLongerThanAnyTimeout) {
  start(R"("header_timeout_ms": 1, "body_timeout_ms": 1, "idle_timeout_ms": 1, "write_timeout_ms": 1)");
  std::optional<HttpClient> client;
  // With deadlines of a millisecond it may take a few attempts to get a request in.
  ASSERT_TRUE(test::wait_until([&] {
    client.emplace(connect());
    return client->send(post_of(kEvent)) && host_.ingress.wait_for_batches(1, std::chrono::milliseconds(100));
  }));
  // Idle clients come and go meanwhile: the sweep has looked at all connections.
  HttpClient silent = connect();
  ASSERT_TRUE(silent.wait_for_close());
  host_.ingress.settle_all();
  const auto response = client->read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 202);
}

TEST_F(HttpSource, CutsOffAClientThatDoesNotReadItsAnswers) {
  start(R"("write_timeout_ms": 200)");
  HttpClient client = connect();
  std::string requests;
  for (int i = 0; i < 200'000; ++i) requests += kHealthRequest;
  EXPECT_FALSE(client.send(requests)) << "the server stops reading, then closes";
  EXPECT_TRUE(wait_for_metric("connections", 0));
}

TEST_F(HttpSource, TurnsAwayClientsOverItsLimit) {
  start(R"("max_connections": 2)");
  std::optional<HttpClient> first(connect());
  HttpClient second = connect();
  ASSERT_EQ(first->request("GET", "/v1/health")->status, 200);
  ASSERT_EQ(second.request("GET", "/v1/health")->status, 200);
  EXPECT_EQ(instance_->health().state, static_cast<uint32_t>(WEIR_HEALTH_DEGRADED));
  EXPECT_EQ(instance_->health().text, "2 connections are open and max_connections is 2");

  HttpClient third = connect();
  ASSERT_TRUE(third.send(kHealthRequest));
  const auto response = third.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->header("Retry-After"), "1");
  EXPECT_EQ(error_part(response, "code"), "too_many_connections");
  EXPECT_EQ(error_part(response, "message"),
            "the server has as many connections as it may have; try again later, or reuse one");
  third.finish_sending();
  EXPECT_TRUE(third.wait_for_close());

  first.reset();
  ASSERT_TRUE(wait_for_metric("connections", 1));
  EXPECT_EQ(instance_->health().state, static_cast<uint32_t>(WEIR_HEALTH_OK));
  EXPECT_EQ(connect().request("GET", "/v1/health")->status, 200);
}

TEST_F(HttpSource, BoundsTheMemoryOfBodiesBeingReceived) {
  settle_at_once();
  // Raised to what one body of the full size needs: twice 1 MiB and a little.
  start(R"("max_buffered_bytes": 1048576, "max_connections": 16, "max_header_bytes": 1024)");
  std::vector<HttpClient> clients;
  const std::string most = post_of(std::string(1024 * 1024, ' ')).substr(0, 900 * 1024);
  std::optional<HttpResponse> refused;
  for (int i = 0; i < 5 && !refused; ++i) {
    clients.push_back(connect());
    clients.back().send(most);
    pass_through_server();
    refused = has_bytes(clients.back()) ? clients.back().read() : std::nullopt;
  }
  ASSERT_TRUE(refused) << "five bodies of 900 KiB are in 2 MiB of memory";
  EXPECT_GE(clients.size(), 2u);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->header("Retry-After"), "1");
  EXPECT_EQ(error_part(refused, "code"), "overloaded");
  EXPECT_EQ(error_part(refused, "message"), "too many requests are being received at once; try again later");
  clients.clear();
  ASSERT_TRUE(wait_for_metric("connections", 0));
  HttpClient client = connect();
  std::string body = kEvent;
  body.resize(1024 * 1024, ' ');
  EXPECT_EQ(post(client, body)->status, 202) << "the memory is given back";
}

}  // namespace
}  // namespace weir::http
