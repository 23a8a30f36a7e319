// http.source speaks HTTP: routes, refusals, framing, order and persistence, over real sockets.
#include "source_fixture.h"

namespace weir::http {
namespace {

struct Exchange {
  const char* name;
  std::string request;
  int status;
  const char* code;
  const char* message;
  bool closes;
};
void PrintTo(const Exchange& c, std::ostream* out) { *out << c.name; }
class HttpRefusal : public HttpSource, public testing::WithParamInterface<Exchange> {};
TEST_P(HttpRefusal, SaysWhatToDoAndClosesOnlyWhenItMust) {
  settle_at_once();
  start(R"("max_body_bytes": 1000, "max_header_bytes": 512)");
  HttpClient client = connect();
  ASSERT_TRUE(client.send(GetParam().request));
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, GetParam().status);
  EXPECT_EQ(response->header("Content-Type"), "application/json");
  EXPECT_EQ(error_part(response, "code"), GetParam().code);
  EXPECT_EQ(error_part(response, "message"), GetParam().message);
  EXPECT_EQ(response->header("Connection"), GetParam().closes ? "close" : "");
  if (GetParam().closes) {
    client.finish_sending();
    EXPECT_TRUE(client.wait_for_close());
  } else {
    EXPECT_EQ(post(client, kEvent)->status, 202);
  }
  EXPECT_EQ(host_.ingress.accepted_events(), GetParam().closes ? 0u : 1u);
}
INSTANTIATE_TEST_SUITE_P(
    , HttpRefusal,
    testing::Values(
        Exchange{"NotFound", "GET /v2/events HTTP/1.1\r\nHost: a\r\n\r\n", 404, "not_found",
                 "there is nothing here; events are taken by POST /v1/events", false},
        Exchange{"WrongMethod", "DELETE /v1/events HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed",
                 "send events with POST /v1/events", false},
        Exchange{"NoContentType", "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 415,
                 "unsupported_media_type", "send the events as Content-Type: application/json, in UTF-8",
                 false},
        Exchange{"UnknownContentType",
                 "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Type: junk\r\n\r\n{}",
                 415, "unsupported_media_type", "send the body as Content-Type: application/json", false},
        Exchange{"BadKey", post_of(kEvent, "Idempotency-Key: a b\r\n"), 400, "bad_idempotency_key",
                 "the Idempotency-Key must be 1 to 255 visible ASCII characters", false},
        Exchange{"NotJson", post_of("{"), 400, "invalid_event",
                 "the document is not well-formed JSON: it ends too early: a bracket or brace is not closed, "
                 "near byte 0",
                 false},
        Exchange{"NoBody", post_of(""), 400, "invalid_event",
                 "the document is not well-formed JSON: it is empty", false},
        Exchange{"NoLength", "POST /v1/events HTTP/1.1\r\nHost: a\r\n\r\n", 411, "length_required",
                 "the request needs a Content-Length or Transfer-Encoding: chunked", true},
        Exchange{"LongBody", post_of(std::string(1001, ' ')), 413, "body_too_large",
                 "the body has 1001 bytes, the limit is 1000; send fewer events in one request", true},
        Exchange{"LongChunks",
                 "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413,
                 "body_too_large",
                 "the body is over the limit of 1000 bytes; send fewer events in one request", true},
        Exchange{"BadChunks",
                 "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
                 "bad_chunk", "the chunked body is malformed (RFC 9112 section 7.1)", true},
        Exchange{"LongTarget", "GET /" + std::string(600, 'x'), 414, "target_too_long",
                 "the request line is over 512 bytes (max_header_bytes)", true},
        Exchange{"LongHead", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(600, 'x') + "\r\n\r\n", 431,
                 "headers_too_large", "the request line and headers are over 512 bytes (max_header_bytes)",
                 true},
        Exchange{"Smuggling", post_of(kEvent, "Transfer-Encoding: chunked\r\n"), 400, "bad_framing",
                 "the request has both Content-Length and Transfer-Encoding", true},
        Exchange{"Expectation", post_of(kEvent, "Expect: more\r\n"), 417, "expectation_failed",
                 "the only expectation that can be met is 100-continue", true},
        Exchange{"UnknownMethod", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_implemented",
                 "this server does not know that method", true},
        Exchange{"Version", "GET / HTTP/3.0\r\n\r\n", 505, "version_not_supported",
                 "this server speaks HTTP/1.1 and HTTP/1.0", true},
        Exchange{"LineFeed", "GET / HTTP/1.1\n", 400, "bad_line_end",
                 "a line of the head ends with LF alone; HTTP lines end with CR LF", true},
        Exchange{"Tls", "\x16\x03\x01", 400, "tls_on_plain_port",
                 "this port speaks plain HTTP; use http:// instead of https://", true}),
    [](const auto& param) { return param.param.name; });

TEST_F(HttpSource, NamesTheMethodsThatAreAllowed) {
  start();
  HttpClient client = connect();
  EXPECT_EQ(client.request("GET", "/v1/events")->header("Allow"), "POST");
  EXPECT_EQ(client.request("POST", "/v1/health")->header("Allow"), "GET, HEAD");
}

TEST_F(HttpSource, ShowsItsHealth) {
  start();
  HttpClient client = connect();
  const auto get = client.request("GET", "/v1/health?verbose=1&x");
  ASSERT_TRUE(get);
  EXPECT_EQ(get->status, 200);
  EXPECT_EQ(get->body, "{\"status\":\"ok\"}\n");
  EXPECT_NE(get->header("Date"), "");
  ASSERT_TRUE(client.send("HEAD /v1/health HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto head = client.read(kPatience, /*head=*/true);
  EXPECT_EQ(head->header("Content-Length"), std::to_string(get->body.size()));
  EXPECT_EQ(client.request("GET", "/v1/health")->body, get->body) << "HEAD's answer had no body";
}

TEST_F(HttpSource, AnswersPipelinedRequestsInTheirOrderOneAtATime) {
  start();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(post_of(kEvent) + kHealthRequest + post_of("[]") + post_of(kEvent)));
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  pass_through_server();
  EXPECT_EQ(host_.ingress.batches().size(), 1u) << "the second waits for the first";
  host_.ingress.settle_all();
  EXPECT_EQ(client.read()->status, 202);
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(client.read()->status, 400);
  ASSERT_TRUE(host_.ingress.wait_for_batches(2));
  host_.ingress.settle_all();
  EXPECT_EQ(json_of(client.read())["first_sequence"], 2);
}

TEST_F(HttpSource, AnswersThousandsOfPipelinedRequests) {
  start();
  HttpClient client = connect();
  std::string requests;
  constexpr int kRequests = 5000;
  for (int i = 0; i < kRequests; ++i) requests += kHealthRequest;
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < kRequests; ++i) ASSERT_EQ(client.read()->status, 200) << i;
}

TEST_F(HttpSource, KeepsAConnectionAsItsClientAsks) {
  settle_at_once();
  start();
  HttpClient http11 = connect();
  EXPECT_EQ(post(http11, kEvent)->header("Connection"), "");
  auto headers = kJsonContent;
  headers.emplace_back("Connection", "close");
  EXPECT_EQ(post(http11, kEvent, headers)->header("Connection"), "close");
  EXPECT_TRUE(http11.wait_for_close());

  HttpClient http10 = connect();
  ASSERT_TRUE(http10.send("GET /v1/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(http10.read()->header("Connection"), "keep-alive");
  ASSERT_TRUE(http10.send("GET /v1/health HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(http10.read()->header("Connection"), "close");
  EXPECT_TRUE(http10.wait_for_close());
}

TEST_F(HttpSource, SkipsEmptyLinesBetweenRequests) {
  start();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(std::string("\r\n") + kHealthRequest + "\r\n\r\n" + kHealthRequest));
  EXPECT_EQ(client.read()->status, 200);
  EXPECT_EQ(client.read()->status, 200);
}

TEST_F(HttpSource, AnswersAClientThatHasClosedItsSendingHalf) {
  start();
  HttpClient client = connect();
  ASSERT_TRUE(client.send(post_of(kEvent)));
  client.finish_sending();
  ASSERT_TRUE(host_.ingress.wait_for_batches(1));
  pass_through_server();
  host_.ingress.settle_all();
  EXPECT_EQ(client.read()->status, 202);
  EXPECT_TRUE(client.wait_for_close());
}

TEST_F(HttpSource, AsksForTheBodyOfAClientThatExpectsIt) {
  settle_at_once();
  start();
  HttpClient client = connect();
  const std::string request = post_of(kEvent, "Expect: 100-continue\r\n");
  const size_t body = request.find("\r\n\r\n") + 4;
  ASSERT_TRUE(client.send(request.substr(0, body)));
  EXPECT_EQ(client.read()->status, 100);
  ASSERT_TRUE(client.send(request.substr(body)));
  EXPECT_EQ(client.read()->status, 202);
}

TEST_F(HttpSource, ReadsARequestWhereverItIsCut) {
  settle_at_once();
  start();
  HttpClient client = connect();
  const std::string body = kEvent;
  const std::string chunked =
      "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\na\r\n" +
      body.substr(0, 10) + "\r\n" + "31\r\n" + body.substr(10) + "\r\n0\r\n\r\n";
  ASSERT_EQ(body.size() - 10, 0x31u);
  size_t sent = 0;
  for (const std::string& request : {post_of(kEvent), chunked}) {
    for (size_t cut = 1; cut < request.size(); ++cut) {
      ASSERT_TRUE(client.send(request.substr(0, cut)));
      sent += cut;
      // The first piece has been received, so the server really sees two.
      ASSERT_TRUE(wait_for_metric("bytes_in_total", static_cast<double>(sent)));
      ASSERT_TRUE(client.send(request.substr(cut)));
      sent += request.size() - cut;
      const auto response = client.read();
      ASSERT_TRUE(response) << "cut at " << cut;
      ASSERT_EQ(response->status, 202) << "cut at " << cut << response->body;
    }
  }
}

TEST_F(HttpSource, TakesABodyAsLongAsTheLimit) {
  settle_at_once();
  start();
  constexpr size_t kLimit = 1024 * 1024;
  std::string body = kEvent;
  body.resize(kLimit, ' ');
  HttpClient client = connect();
  EXPECT_EQ(post(client, body)->status, 202);
  ASSERT_TRUE(
      client.send("POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n100000\r\n" +
                  body + "\r\n0\r\n\r\n"));
  EXPECT_EQ(client.read()->status, 202);
  EXPECT_EQ(post(client, kEvent)->status, 202);
}

TEST_F(HttpSource, LetsAClientReadWhyItsLongBodyWasRefused) {
  start();
  HttpClient client = connect();
  const std::string body(8 * 1024 * 1024, ' ');
  // The server answers at once and goes on reading for a while; if it closed, this would be reset.
  EXPECT_TRUE(client.send(post_of(body)));
  const auto response = client.read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
}

}  // namespace
}  // namespace weir::http
