// http.source takes events: what is emitted, when it is answered, and with what.
#include "source_fixture.h"

namespace weir::http {
namespace {

TEST_F(HttpSource, AnswersOnlyWhenTheEventsAreSettled) {
  start();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(post_of(kEvent)));
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  pass_through_server();
  EXPECT_FALSE(has_bytes(client));

  host_.ingress.settle_all();
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(
      json_of(response),
      nlohmann::json::parse(R"({"accepted":1,"duplicates":0,"epoch":"0000000000000001","first_sequence":1,
                                      "ids":["00000000-0000-7000-8000-000000000001"]})"));
}

TEST_F(HttpSource, EmitsTheEventsOfARequestAsOneBatch) {
  settle_at_once();
  start();
  HttpClient client = connect();
  const auto response =
      post(client, R"([{"device_id":"a","sensor_type":"t","value":1,"unit":"Cel","metadata":{"k":"v"},
      "timestamp":"2023-11-14T22:13:20Z"},{"device_id":"b","sensor_type":"t","value":"on"}])");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 202) << response->body;
  EXPECT_EQ(json_of(response)["ids"].size(), 2u);
  EXPECT_EQ(host_.ingress.batches().size(), 1u);
  const auto events = host_.ingress.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].device_id, "a");
  EXPECT_EQ(events[0].value, test::TestValue(int64_t{1}));
  EXPECT_EQ(events[0].unit, "Cel");
  EXPECT_EQ(events[0].metadata.at("k"), "v");
  EXPECT_EQ(events[0].timestamp_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(events[1].value, test::TestValue(std::string("on")));
  EXPECT_EQ(events[1].flags, static_cast<uint32_t>(WEIR_NO_DEVICE_TIME));
}

TEST_F(HttpSource, PutsTheIdempotencyKeyOnEveryEvent) {
  settle_at_once();
  start();
  HttpClient client = connect();
  const std::string two = std::string("[") + kEvent + "," + kEvent + "]";
  ASSERT_EQ(
      post(client, two, {{"Content-Type", "application/json"}, {"Idempotency-Key", "order-66"}})->status,
      202);
  ASSERT_EQ(post(client, kEvent)->status, 202);
  const auto batches = host_.ingress.batches();
  EXPECT_EQ(batches[0].batch[0].dedupe_key(), "order-66");
  EXPECT_EQ(batches[0].batch[1].dedupe_key(), "order-66");
  EXPECT_EQ(batches[1].batch[0].dedupe_key(), "");
}

TEST_F(HttpSource, SaysHowManyEventsWereKnownBefore) {
  start();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(post_of(kEvent, "Idempotency-Key: k\r\n")));
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  host_.ingress.settle(host_.ingress.batches()[0].token, WEIR_DURABLE, /*duplicates=*/1);
  EXPECT_EQ(json_of(client.read())["duplicates"], 1);
}

TEST_F(HttpSource, CarriesTheTraceOfTheClient) {
  settle_at_once();
  start();
  HttpClient client = connect();
  const auto with_trace = [](const char* parent) {
    return HttpHeaders{{"Content-Type", "application/json"}, {"traceparent", parent}};
  };
  ASSERT_EQ(
      post(client, kEvent, with_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))->status,
      202);
  ASSERT_EQ(post(client, kEvent, with_trace("nonsense"))->status, 202) << "what is not valid is ignored";
  const auto batches = host_.ingress.batches();
  EXPECT_EQ(batches[0].batch[0].record().trace_id[0], 0x0A);
  EXPECT_EQ(batches[0].batch[0].record().parent_span[7], 0x31);
  EXPECT_EQ(batches[1].batch[0].record().trace_id[0], 0);
}

TEST_F(HttpSource, RefusesABadEventWithItsIndexAndFieldAndTakesNothing) {
  settle_at_once();
  start();
  HttpClient client = connect();
  const auto response =
      post(client, std::string("[") + kEvent + R"(,{"device_id":"d","sensor_type":"t","value":null}])");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(json_of(response)["error"],
            (nlohmann::json{
                {"code", "invalid_event"},
                {"index", 1},
                {"field", "value"},
                {"message", "\"value\" must not be null: leave the event out when there is no reading"}}));
  EXPECT_EQ(host_.ingress.accepted_events(), 0u);
  EXPECT_EQ(post(client, kEvent)->status, 202) << "the body was read whole, so the connection goes on";
}

TEST_F(HttpSource, PassesOnWhyTheHostFindsABatchInvalid) {
  host_.ingress.on_emit([](const weir_batch*) {
    return test::EmitAnswer{WEIR_INVALID, 0, 7, "timestamp", "lies in the future"};
  });
  start();
  HttpClient client = connect();
  const auto response = post(client, kEvent);
  EXPECT_EQ(response->status, 400);
  EXPECT_EQ(json_of(response)["error"], (nlohmann::json{{"code", "invalid_event"},
                                                        {"index", 7},
                                                        {"field", "timestamp"},
                                                        {"message", "lies in the future"}}));
}

TEST_F(HttpSource, AnswersABusyHostWithARetryAfter) {
  host_.ingress.on_emit([](const weir_batch*) {
    return test::EmitAnswer{WEIR_BUSY, 2500, 0, "", "disk quota"};
  });
  start();
  HttpClient client = connect();
  const auto response = post(client, kEvent);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->header("Retry-After"), "3");
  EXPECT_EQ(error_part(response, "code"), "busy");
  EXPECT_EQ(error_part(response, "message"),
            "the gateway is full for now; send the events again after Retry-After (disk quota)");
  host_.ingress.on_emit(nullptr);
  settle_at_once();
  EXPECT_EQ(post(client, kEvent)->status, 202) << "the connection goes on";
}

TEST_F(HttpSource, AnswersWhatCouldNotBeStoredWithARetryAfter) {
  start();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(post_of(kEvent)));
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  host_.ingress.settle_all(WEIR_FAILED, 100);
  const auto response = client.read();
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->header("Retry-After"), "1");
  EXPECT_EQ(error_part(response, "code"), "not_stored");
  EXPECT_EQ(error_part(response, "message"), "the events could not be stored; send them again");
}

TEST_F(HttpSource, RefusesEventsWhileItHasNoCredit) {
  settle_at_once();
  start();
  HttpClient client = connect();
  instance_->credit(0, 0);
  const auto response = post(client, kEvent);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->header("Retry-After"), "1");
  EXPECT_EQ(host_.ingress.accepted_events(), 0u);
  instance_->credit(1000, 1000000);
  EXPECT_EQ(post(client, kEvent)->status, 202);
}

TEST_F(HttpSource, MaySettleBeforeEmitReturns) {
  host_.ingress.settle_mode(test::Settle::kWithinEmit);
  start();
  HttpClient client = connect();
  for (int i = 1; i <= 3; ++i) {
    const auto response = post(client, kEvent);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 202);
    EXPECT_EQ(json_of(response)["first_sequence"], i);
  }
}

TEST_F(HttpSource, AnswersEachClientWithItsOwnSequence) {
  start();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(connect());
  for (size_t i = 0; i < clients.size(); ++i) {
    ASSERT_TRUE(clients[i].send(post_of(kEvent)));
    ASSERT_TRUE(host_.ingress.wait_for_batches(i + 1));
  }
  const auto batches = host_.ingress.batches();
  for (size_t i = clients.size(); i-- > 0;) host_.ingress.settle(batches[i].token);
  for (size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(json_of(clients[i].read())["first_sequence"], i + 1);
}

TEST_F(HttpSource, NeverGivesAnAnswerToTheWrongClient) {
  start();
  {
    HttpClient gone = connect();
    ASSERT_TRUE(gone.send(post_of(kEvent)));
    ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  }
  // The successor gets the descriptor number of the one that has gone, on this side at least.
  HttpClient client = connect();
  pass_through_server();
  host_.ingress.settle_all();
  pass_through_server();
  EXPECT_FALSE(has_bytes(client));
  settle_at_once();
  const auto response = post(client, kEvent);
  EXPECT_EQ(json_of(response)["first_sequence"], 2);
}

TEST_F(HttpSource, CountsWhatItDoes) {
  settle_at_once();
  start();
  {
    HttpClient client = connect();
    EXPECT_EQ(post(client, kEvent)->status, 202);
    EXPECT_EQ(client.request("GET", "/nowhere")->status, 404);
    EXPECT_EQ(host_.metric("requests_total"), 2);
    EXPECT_EQ(host_.metric("rejected_total"), 1);
    EXPECT_EQ(host_.metric("connections"), 1);
    EXPECT_GT(host_.metric("bytes_in_total"), 100);
  }
  EXPECT_TRUE(wait_for_metric("connections", 0));
}

TEST_F(HttpSource, SaysWhereItListens) {
  start();
  EXPECT_TRUE(host_.wait_for_log("takes events at http://127.0.0.1:0/v1/events"));
}

}  // namespace
}  // namespace weir::http
