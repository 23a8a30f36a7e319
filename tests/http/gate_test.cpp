// The head gate: what passes, and what each refusal says.
#include "http/gate.h"

#include <gtest/gtest.h>

#include <ostream>

#include "http/request.h"

namespace weir::http {
namespace {

constexpr uint64_t kMaxBody = 1000;

// A head from its lines.
std::string head_of(const std::string& lines) { return lines + "\r\n"; }

Head passed(const std::string& bytes) {
  Head head;
  const auto refusal = check_head(bytes, kMaxBody, &head);
  EXPECT_FALSE(refusal) << bytes << refusal->message;
  return head;
}

TEST(Gate, PassesAnOrdinaryPost) {
  const Head head = passed(head_of(
      "POST /v1/events HTTP/1.1\r\nHost: gateway:8080\r\nUser-Agent: x\r\nContent-Type:application/json \r\n"
      "CONTENT-LENGTH: 12\r\nIdempotency-Key: k\r\n"));
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(head.filtered,
            "POST /v1/events HTTP/1.1\r\nContent-Type: application/json\r\nIdempotency-Key: k\r\n\r\n");
}

TEST(Gate, KnowsTheFraming) {
  EXPECT_EQ(passed(head_of("GET / HTTP/1.1\r\nHost: a\r\n")).framing, Framing::kNone);
  EXPECT_EQ(passed(head_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n")).framing, Framing::kNone);
  EXPECT_EQ(passed(head_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n")).framing,
            Framing::kChunked);
}

TEST(Gate, KnowsWhetherTheConnectionIsKept) {
  const std::string http11 = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_FALSE(passed(head_of(http11 + "Connection: Close\r\n")).keep_alive);
  EXPECT_FALSE(passed(head_of(http11 + "Connection: TE, close\r\nConnection: keep-alive\r\n")).keep_alive);
  EXPECT_FALSE(passed(head_of("GET / HTTP/1.0\r\n")).keep_alive);
  EXPECT_TRUE(passed(head_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n")).keep_alive);
}

TEST(Gate, TakesTheAbsoluteFormOfATarget) {
  EXPECT_EQ(passed(head_of("GET HTTP://gateway:80/v1/health HTTP/1.1\r\nHost: a\r\n")).filtered,
            "GET /v1/health HTTP/1.1\r\n\r\n");
  EXPECT_EQ(passed(head_of("GET http://gateway HTTP/1.1\r\nHost: a\r\n")).filtered, "GET / HTTP/1.1\r\n\r\n");
}

TEST(Gate, LeavesOutATraceparentThatIsGivenTwice) {
  EXPECT_NE(
      passed(head_of("GET / HTTP/1.1\r\nHost: a\r\nTraceparent: x\r\n")).filtered.find("traceparent: x"),
      std::string::npos);
  EXPECT_EQ(passed(head_of("GET / HTTP/1.1\r\nHost: a\r\ntraceparent: x\r\ntraceparent: y\r\n")).filtered,
            "GET / HTTP/1.1\r\n\r\n");
}

TEST(Gate, ForgetsThePreviousHead) {
  Head head;
  ASSERT_FALSE(
      check_head(head_of("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
                         "Content-Length: 5\r\n"),
                 kMaxBody, &head));
  ASSERT_FALSE(check_head(head_of("GET / HTTP/1.1\r\nHost: a\r\n"), kMaxBody, &head));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(head.content_length, 0u);
}

struct RefusedHead {
  std::string bytes;
  int status;
  const char* code;
  const char* message;
};
void PrintTo(const RefusedHead& c, std::ostream* out) { *out << c.bytes; }
class GateRefusal : public testing::TestWithParam<RefusedHead> {};
TEST_P(GateRefusal, SaysWhatIsWrong) {
  Head head;
  const auto refusal = check_head(head_of(GetParam().bytes), kMaxBody, &head);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, GetParam().status);
  EXPECT_STREQ(refusal->code, GetParam().code);
  EXPECT_EQ(refusal->message, GetParam().message);
}

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\n";
constexpr const char* kLineForm = "the request line must be METHOD SP target SP HTTP/1.1";
constexpr const char* kHeaderForm = "a header line is not \"name: value\" (folded lines are not allowed)";
constexpr const char* kControl = "a header value holds a control character";

std::string many_headers() {
  std::string out = kGet;
  for (size_t i = 0; i < kMaxHeaders; ++i) out += "x: y\r\n";
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    RequestLine, GateRefusal,
    testing::Values(RefusedHead{"GET /\r\n", 400, "bad_request_line", kLineForm},
                    RefusedHead{"GET  / HTTP/1.1\r\n", 400, "bad_request_line", kLineForm},
                    RefusedHead{"GET / x HTTP/1.1\r\n", 400, "bad_request_line", kLineForm},
                    RefusedHead{" / HTTP/1.1\r\n", 400, "bad_method",
                                "the method holds a character that a method cannot have"},
                    RefusedHead{"GET / H\r\n", 400, "bad_request_line", kLineForm},
                    RefusedHead{"GET / HTTP/2.0\r\n", 505, "version_not_supported",
                                "this server speaks HTTP/1.1 and HTTP/1.0"},
                    RefusedHead{"PRI * HTTP/2.0\r\n", 505, "version_not_supported",
                                "this server speaks HTTP/1.1 and HTTP/1.0"},
                    RefusedHead{"G(T / HTTP/1.1\r\n", 400, "bad_method",
                                "the method holds a character that a method cannot have"},
                    RefusedHead{"BREW / HTTP/1.1\r\n", 501, "method_not_implemented",
                                "this server does not know that method"},
                    RefusedHead{"GET /\x01 HTTP/1.1\r\n", 400, "bad_target",
                                "the request target holds a character that must be percent-encoded"},
                    RefusedHead{"GET /\xc3\xa9 HTTP/1.1\r\n", 400, "bad_target",
                                "the request target holds a character that must be percent-encoded"},
                    RefusedHead{"OPTIONS * HTTP/1.1\r\n", 400, "bad_target",
                                "the request target must be a path such as /v1/events"},
                    RefusedHead{"GET v1/events HTTP/1.1\r\n", 400, "bad_target",
                                "the request target must be a path such as /v1/events"}));

INSTANTIATE_TEST_SUITE_P(
    Headers, GateRefusal,
    testing::Values(RefusedHead{kGet + "no colon\r\n", 400, "bad_header", kHeaderForm},
                    RefusedHead{kGet + "a : b\r\n", 400, "bad_header", kHeaderForm},
                    RefusedHead{kGet + ": b\r\n", 400, "bad_header", kHeaderForm},
                    RefusedHead{kGet + "a: b\r\n folded\r\n", 400, "bad_header", kHeaderForm},
                    RefusedHead{kGet + "a: b\rc\r\n", 400, "bad_header", kControl},
                    RefusedHead{kGet + std::string("a: b\0c\r\n", 8), 400, "bad_header", kControl},
                    RefusedHead{many_headers(), 431, "too_many_headers",
                                "the request has more than 64 headers; send fewer"},
                    RefusedHead{"GET / HTTP/1.1\r\n", 400, "bad_host",
                                "an HTTP/1.1 request must have a Host header"},
                    RefusedHead{kGet + "host: b\r\n", 400, "bad_host", "the request has two Host headers"},
                    RefusedHead{"GET / HTTP/1.1\r\nHost: a, b\r\n", 400, "bad_host",
                                "the Host header is not a host and a port"},
                    RefusedHead{kPost + "Content-Length: 1\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n",
                                400, "bad_header", "the request has two Content-Type headers"},
                    RefusedHead{kPost + "Content-Length: 1\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n",
                                400, "bad_header", "the request has two Idempotency-Key headers"},
                    RefusedHead{kPost + "Content-Length: 1\r\nExpect: a miracle\r\n", 417,
                                "expectation_failed", "the only expectation that can be met is 100-continue"},
                    RefusedHead{kPost + "Content-Length: 1\r\nContent-Encoding: gzip\r\n", 415,
                                "unsupported_content_encoding",
                                "compressed bodies are not supported; send the JSON as it is"}));

constexpr const char* kNumber = "the Content-Length is not a whole number";
constexpr const char* kCoding =
    "the only transfer coding is \"chunked\", applied once; send the body without another one";

INSTANTIATE_TEST_SUITE_P(
    Body, GateRefusal,
    testing::Values(
        RefusedHead{kPost, 411, "length_required",
                    "the request needs a Content-Length or Transfer-Encoding: chunked"},
        RefusedHead{kPost + "Content-Length: 1001\r\n", 413, "body_too_large",
                    "the body has 1001 bytes, the limit is 1000; send fewer events in one request"},
        RefusedHead{
            kPost + "Content-Length: 99999999999999999999\r\n", 413, "body_too_large",
            "the body has more than 10^18 bytes, the limit is 1000; send fewer events in one request"},
        RefusedHead{kPost + "Content-Length: 1\r\nContent-Length: 1\r\n", 400, "bad_content_length",
                    "the request has two Content-Length headers"},
        RefusedHead{kPost + "Content-Length: 1, 1\r\n", 400, "bad_content_length", kNumber},
        RefusedHead{kPost + "Content-Length: -1\r\n", 400, "bad_content_length", kNumber},
        RefusedHead{kPost + "Content-Length: +1\r\n", 400, "bad_content_length", kNumber},
        RefusedHead{kPost + "Content-Length: 2abc\r\n", 400, "bad_content_length", kNumber},
        RefusedHead{kPost + "Content-Length:\r\n", 400, "bad_content_length", kNumber},
        RefusedHead{kPost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400, "bad_framing",
                    "the request has both Content-Length and Transfer-Encoding"},
        RefusedHead{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400, "bad_framing",
                    "HTTP/1.0 has no Transfer-Encoding"},
        RefusedHead{kPost + "Transfer-Encoding: gzip, chunked\r\n", 501, "transfer_coding_not_implemented",
                    kCoding},
        RefusedHead{kPost + "Transfer-Encoding: xchunked\r\n", 501, "transfer_coding_not_implemented",
                    kCoding},
        RefusedHead{kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501,
                    "transfer_coding_not_implemented", kCoding}));

TEST(HeadScanner, FindsTheEndHoweverTheBytesCome) {
  const std::string bytes = head_of(kGet) + "body\r\n\r\n";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    HeadScanner scanner;
    size_t n = step;
    while (scanner.scan(std::string_view(bytes).substr(0, n)) == HeadScanner::State::kMore) n += step;
    EXPECT_EQ(scanner.size(), head_of(kGet).size()) << "in steps of " << step;
  }
}

TEST(HeadScanner, RefusesABareLineFeed) {
  for (const char* bytes :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\n\n"}) {
    HeadScanner scanner;
    EXPECT_EQ(scanner.scan(bytes), HeadScanner::State::kBareLineFeed) << bytes;
  }
  EXPECT_EQ(bare_line_feed().message, "a line of the head ends with LF alone; HTTP lines end with CR LF");
}

TEST(HeadScanner, TellsALongRequestLineFromManyHeaders) {
  HeadScanner line, headers;
  line.scan("GET /aaaa");
  headers.scan("GET / HTTP/1.1\r\naaaa");
  EXPECT_EQ(head_too_large(line, 8).status, 414);
  EXPECT_EQ(head_too_large(headers, 8).status, 414) << "the line alone is too long, with all that follows it or not";
  EXPECT_EQ(head_too_large(line, 8).message, "the request line is over 8 bytes (max_header_bytes)");
  EXPECT_EQ(head_too_large(headers, 18).status, 431);
  EXPECT_EQ(head_too_large(headers, 18).message,
            "the request line and headers are over 18 bytes (max_header_bytes)");
}

TEST(Gate, RecognisesTlsByItsFirstByte) {
  EXPECT_EQ(check_first_byte('\x16')->message,
            "this port speaks plain HTTP; use http:// instead of https://");
  EXPECT_EQ(check_first_byte('\0')->message, kLineForm);
  EXPECT_FALSE(check_first_byte('G'));
}

TEST(HeadReader, ReadsWhatTheGatePassedOneHeadAfterAnother) {
  HeadReader reader(1000);
  for (int i = 0; i < 100; ++i) {
    const Head head =
        passed(head_of(kPost + "Content-Length: 1\r\nContent-Type: application/json;charset=utf-8\r\n"));
    EXPECT_FALSE(reader.read(head.filtered));
  }
  const auto refusal = reader.read("POST / HTTP/1.1\r\nContent-Type: nonsense\r\n\r\n");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 415);
  EXPECT_EQ(refusal->message, "send the body as Content-Type: application/json");
  EXPECT_FALSE(reader.read("GET / HTTP/1.1\r\n\r\n"));
}

}  // namespace
}  // namespace weir::http
