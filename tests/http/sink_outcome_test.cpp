// What http.sink makes of answers, and of none.
#include <gmock/gmock.h>

#include <future>

#include "sink_fixture.h"

namespace weir::http::sink {
namespace {

using testing::AllOf;
using testing::HasSubstr;

HttpReceiver::Answer always(ReceiverAnswer answer) {
  return [answer](const ReceivedRequest&, size_t) { return answer; };
}

class Accepting : public HttpSink, public testing::WithParamInterface<int> {};
TEST_P(Accepting, IsDelivered) {
  EXPECT_EQ(outcomes(start(always({.status = GetParam()})).deliver(numbers(2)), 2), "DD");
}
INSTANTIATE_TEST_SUITE_P(, Accepting, testing::Values(200, 201, 202, 204, 207));

class Passing : public HttpSink, public testing::WithParamInterface<int> {};
TEST_P(Passing, IsTriedAgainWhenTheServerSaysSo) {
  const Completion completion =
      start(always({.status = GetParam(), .body = "busy\n", .headers = "Retry-After: 7\r\n"}))
          .deliver(numbers(3));
  EXPECT_EQ(outcomes(completion, 3), "YYY");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(completion.of(i).retry_after_ms, 7000u);
    EXPECT_EQ(completion.of(i).code, static_cast<uint32_t>(GetParam()));
    EXPECT_THAT(completion.of(i).reason, HasSubstr("busy"));
  }
  EXPECT_EQ(receiver_->requests().size(), 1u) << "halving would not help";
}
INSTANTIATE_TEST_SUITE_P(, Passing, testing::Values(408, 409, 425, 429, 500, 502, 503, 504, 599));

TEST_F(HttpSink, WaitsUntilADateBySubtractingTheServersOwnClock) {
  const std::string headers =
      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n";
  EXPECT_EQ(start(always({.status = 503, .headers = headers})).deliver(numbers(1)).of(0).retry_after_ms,
            120'000u);
}

class EndpointTrouble : public HttpSink, public testing::WithParamInterface<int> {};
TEST_P(EndpointTrouble, BlamesNoEventAndIsShownToTheOperator) {
  test::Instance& sink = start(always({.status = GetParam(), .headers = "Location: http://elsewhere/\r\n"}));
  EXPECT_EQ(outcomes(sink.deliver(numbers(4)), 4), "YYYY");
  EXPECT_EQ(receiver_->requests().size(), 1u);
  EXPECT_EQ(sink.health().state, WEIR_HEALTH_DEGRADED);
  EXPECT_THAT(sink.health().text,
              AllOf(HasSubstr(receiver_->url("")), HasSubstr(std::to_string(GetParam()))));
}
INSTANTIATE_TEST_SUITE_P(, EndpointTrouble,
                         testing::Values(301, 302, 307, 401, 403, 404, 405, 407, 415, 426));

TEST_F(HttpSink, ShowsNoSecretOfTheUrl) {
  receiver_ = std::make_unique<HttpReceiver>(always({.status = 404}));
  test::Instance& sink = start_to(receiver_->url("/hook/s3cret?token=s3cret"));
  const Completion completion = sink.deliver(numbers(1));
  EXPECT_THAT(sink.health().text + completion.of(0).reason, testing::Not(HasSubstr("s3cret")));
  EXPECT_FALSE(host_.logged("s3cret"));
}

TEST_F(HttpSink, IsWellAgainAfterASuccess) {
  test::Instance& sink = start(
      [](const ReceivedRequest&, size_t index) { return ReceiverAnswer{.status = index == 0 ? 401 : 200}; });
  sink.deliver(numbers(1));
  EXPECT_THAT(sink.health().text, HasSubstr("credentials"));
  sink.deliver(numbers(1));
  EXPECT_EQ(sink.health().state, WEIR_HEALTH_OK);
  EXPECT_TRUE(host_.wait_for_log("takes events again"));
}

TEST_F(HttpSink, FindsTheEventsThatAServerRefusesByHalving) {
  const Completion completion = start(refusing({3, 12}, 422)).deliver(numbers(16));
  EXPECT_EQ(outcomes(completion, 16), "DDDJDDDDDDDDJDDD");
  EXPECT_EQ(completion.of(3).code, 422u);
  EXPECT_THAT(completion.of(12).reason, HasSubstr("a value is bad"));
  // Each good event was taken once, in the order of the batch.
  std::vector<int64_t> taken;
  for (const auto& request : receiver_->requests()) {
    std::vector<int64_t> values;
    for (const json& event : request.events()) values.push_back(event["value"]);
    const bool bad =
        std::count(values.begin(), values.end(), 3) + std::count(values.begin(), values.end(), 12) != 0;
    if (!bad) taken.insert(taken.end(), values.begin(), values.end());
  }
  EXPECT_EQ(taken, (std::vector<int64_t>{0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15}));
}

TEST_F(HttpSink, GivesEachHalfAKeyOfItsOwn) {
  start(refusing({0}, 400)).deliver(numbers(4));
  std::set<std::string> keys;
  for (const auto& request : receiver_->requests()) keys.insert(request.header("idempotency-key"));
  EXPECT_EQ(keys.size(), receiver_->requests().size());
}

TEST_F(HttpSink, KeepsTheOrderWhenAHalfHasToBeTriedAgain) {
  // The whole is refused, then the first half passes, then the server goes away.
  const Completion completion = start([](const ReceivedRequest&, size_t index) {
                                  return ReceiverAnswer{.status = index == 0 ? 400 : index == 1 ? 200 : 503};
                                }).deliver(numbers(8));
  EXPECT_EQ(outcomes(completion, 8), "DDDDYYYY");
  EXPECT_EQ(receiver_->requests().size(), 3u);
}

TEST_F(HttpSink, HalvesWhatIsTooLargeAndRejectsAnEventThatIsTooLargeAlone) {
  const Completion completion = start([](const ReceivedRequest& request, size_t) {
                                  return ReceiverAnswer{.status = request.body.size() > 900 ? 413 : 200};
                                }).deliver(make_batch({{}, {.value = std::string(2000, 'x')}, {}, {}}));
  EXPECT_EQ(outcomes(completion, 4), "DJDD");
  EXPECT_EQ(completion.of(1).code, 413u);
}

TEST_F(HttpSink, RejectsTheEventsThatTheServerNamesAndSendsTheOthersAgain) {
  const Completion completion = start([](const ReceivedRequest& request, size_t index) {
                                  if (index != 0) return ReceiverAnswer{};
                                  EXPECT_EQ(request.events().size(), 5u);
                                  return ReceiverAnswer{.status = 422, .body = R"({"rejected": [
                                      {"index": 1, "reason": "unknown\ndevice"}, {"index": 4}]})"};
                                }).deliver(numbers(5));
  EXPECT_EQ(outcomes(completion, 5), "DJDDJ");
  EXPECT_EQ(completion.of(1).reason, "unknown device");
  EXPECT_THAT(completion.of(4).reason, HasSubstr("HTTP 422"));
  ASSERT_EQ(receiver_->requests().size(), 2u);
  EXPECT_EQ(receiver_->requests()[1].events().size(), 3u);
}

TEST_F(HttpSink, SendsNothingAgainThatTheServerSaysItHasStored) {
  const std::string body = R"({"rejected": [{"index": 0, "reason": "r"}], "others": "stored"})";
  EXPECT_EQ(outcomes(start(always({.status = 400, .body = body})).deliver(numbers(3)), 3), "JDD");
  EXPECT_EQ(receiver_->requests().size(), 1u);
}

class Doubtful : public HttpSink, public testing::WithParamInterface<const char*> {};
TEST_P(Doubtful, NamesCountAsNone) {
  // Believed, they would reject or settle events that the server did not mean.
  const Completion completion = start([](const ReceivedRequest& request, size_t) {
                                  for (const json& event : request.events()) {
                                    if (event["value"] == 2)
                                      return ReceiverAnswer{.status = 400, .body = GetParam()};
                                  }
                                  return ReceiverAnswer{};
                                }).deliver(numbers(4));
  EXPECT_EQ(outcomes(completion, 4), "DDJD");
}
INSTANTIATE_TEST_SUITE_P(, Doubtful,
                         testing::Values("", "{", "[]", R"({"rejected": []})",
                                         R"({"rejected": [], "others": "stored"})",
                                         R"({"rejected": [{"index": 4}], "others": "stored"})",
                                         R"({"rejected": [{"index": -1}]})",
                                         R"({"rejected": [{"index": "0"}], "others": "stored"})",
                                         R"({"rejected": [0], "others": "stored"})",
                                         R"({"rejected": [{"index": 0.0}], "others": "stored"})",
                                         R"({"rejected": [{"index": 1}, {"index": 1}], "others": "stored"})",
                                         R"({"rejected": {"index": 0}})"));

TEST_F(HttpSink, RejectsAValueThatHasNoFormInJsonAndSendsTheRest) {
  const Completion completion = start().deliver(make_batch({{}, {.value = test::UnknownValue{}}, {}}));
  EXPECT_EQ(outcomes(completion, 3), "DJD");
  EXPECT_EQ(receiver_->requests().at(0).events().size(), 2u);
}

TEST_F(HttpSink, TriesAgainWhatNobodyListensFor) {
  const uint16_t port = HttpReceiver().port();  // and nobody there any more
  test::Instance& sink = start_to("http://127.0.0.1:" + std::to_string(port) + "/");
  const Completion completion = sink.deliver(numbers(1));
  EXPECT_EQ(outcomes(completion, 1), "Y");
  EXPECT_THAT(completion.of(0).reason, HasSubstr("no connection to 127.0.0.1:" + std::to_string(port)));
  EXPECT_EQ(sink.health().state, WEIR_HEALTH_DEGRADED);
}

TEST_F(HttpSink, TriesAgainWhatHasAnUnknownName) {
  // RFC 2606 section 2: this name is never given out.
  const Completion completion = start_to("http://nowhere.invalid/").deliver(numbers(1));
  EXPECT_EQ(outcomes(completion, 1), "Y");
  EXPECT_THAT(completion.of(0).reason, testing::AnyOf(HasSubstr("the name nowhere.invalid is not known"),
                                                      HasSubstr("no answer within")));
}

TEST_F(HttpSink, TriesAgainWhatHasNoAnswerInTime) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  test::Instance& sink =
      start([ended](const ReceivedRequest&, size_t) { return ended.wait(), ReceiverAnswer{}; },
            {{"timeout_ms", 50}});
  const Completion completion = sink.deliver(numbers(1));
  end.set_value();
  EXPECT_EQ(outcomes(completion, 1), "Y");
  EXPECT_THAT(completion.of(0).reason, HasSubstr("no answer within"));
}

TEST_F(HttpSink, TriesAgainWhenTheServerHangsUp) {
  EXPECT_EQ(outcomes(start(always({.hang_up = true})).deliver(numbers(1)), 1), "Y");
  EXPECT_EQ(receiver_->requests().size(), 1u) << "it was no kept connection";
}

struct Wire {
  const char* name;
  std::string bytes;
  const char* outcome;
  bool then_close = true;

  friend void PrintTo(const Wire& wire, std::ostream* out) { *out << wire.name; }
};
class OnTheWire : public HttpSink, public testing::WithParamInterface<Wire> {};
TEST_P(OnTheWire, EveryAnswerIsOneOutcome) {
  test::Instance& sink = start(always({.raw = GetParam().bytes, .then_close = GetParam().then_close}));
  EXPECT_EQ(outcomes(sink.deliver(numbers(1)), 1), GetParam().outcome);
}
INSTANTIATE_TEST_SUITE_P(
    , OnTheWire,
    testing::Values(
        Wire{"NoHttp", "SSH-2.0-OpenSSH\r\n\r\n", "Y"},
        Wire{"HeadCutOff", "HTTP/1.1 200 OK\r\nContent-", "Y"},
        Wire{"BodyCutOff", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "D"},
        Wire{"BadChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "D"},
        Wire{"BodyUntilClose", "HTTP/1.1 200 OK\r\n\r\nab", "D"},
        Wire{"Http10", "HTTP/1.0 200 OK\r\n\r\n", "D"},
        Wire{"Chunked", "HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "D",
             false},
        Wire{"InterimFirst", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "D", false},
        Wire{"InterimThenRefusal", "HTTP/1.1 102 P\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "Y",
             false},
        Wire{"LongHead", "HTTP/1.1 200 OK\r\nX: " + std::string(64 * 1024, 'x') + "\r\n\r\n", "Y"},
        Wire{"PromisedTerabyte", "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\nab", "D"},
        Wire{"LongBody", "HTTP/1.1 503 No\r\n\r\n" + std::string(4 << 20, 'x'), "Y"}),
    [](const auto& one) { return std::string(one.param.name); });

TEST_F(HttpSink, ForgetsACancelledBatchAndGoesOn) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  test::Instance& sink = start([ended](const ReceivedRequest&, size_t index) {
    if (index == 0) ended.wait();
    return ReceiverAnswer{};
  });
  {
    const Block gone = numbers(2);
    sink.submit(gone, 1);
    ASSERT_TRUE(receiver_->wait_for_requests(1));
    sink.cancel(1);
  }
  EXPECT_EQ(outcomes(sink.deliver(numbers(3)), 3), "DDD");
  end.set_value();
  sink.stop();
  EXPECT_FALSE(host_.delivery.wait_for(1, std::chrono::milliseconds(0)));
}

TEST_F(HttpSink, GivesBackWhatHasNoAnswerWhenItIsStopped) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  test::Instance& sink =
      start([ended](const ReceivedRequest&, size_t) { return ended.wait(), ReceiverAnswer{}; });
  const Block batch = numbers(2);
  sink.submit(batch, 1);
  ASSERT_TRUE(receiver_->wait_for_requests(1));
  EXPECT_THROW(sink.drain(std::chrono::milliseconds(1)), test::CallFailed);
  sink.stop();
  const auto completion = host_.delivery.wait_for(1, std::chrono::milliseconds(0));
  end.set_value();
  ASSERT_TRUE(completion);
  EXPECT_EQ(outcomes(*completion, 2), "YY");
}

TEST_F(HttpSink, ReportsWhatItKnowsBeforeTheHostsDeadline) {
  // Every request is refused: finding each bad event takes longer than the host gives.
  test::Instance& sink = start([](const ReceivedRequest&, size_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a slow server, not a wait for something
    return ReceiverAnswer{.status = 400};
  });
  const Block batch = numbers(200);
  sink.submit(batch, 1, std::chrono::milliseconds(900));
  const auto completion = host_.delivery.wait_for(1);
  ASSERT_TRUE(completion);
  const std::string known = outcomes(*completion, 200);
  EXPECT_EQ(known.find_first_not_of('J'), known.find('Y'));
  EXPECT_EQ(known.back(), 'Y');
}

}  // namespace
}  // namespace weir::http::sink
