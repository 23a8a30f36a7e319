// What is read from the head of POST /v1/events, and the bodies of answers.
#include "http/events_request.h"

#include <gtest/gtest.h>
#include <pistache/http.h>

#include <nlohmann/json.hpp>

#include "http/receipt.h"
#include "http/request.h"

namespace weir::http {
namespace {

// Reads a POST with these headers; the refusal if there is one.
std::optional<Refusal> read(const std::string& headers, EventsRequest* out) {
  HeadReader reader(4096);
  const auto refusal = reader.read("POST /v1/events HTTP/1.1\r\n" + headers + "\r\n");
  if (refusal) return refusal;
  if (auto other = check_content_type(reader.request())) return other;
  return read_events_request(reader.request(), out);
}

TEST(EventsRequest, TakesJsonInUtf8) {
  EventsRequest request;
  for (const char* type : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                           "application/json;charset=UTF-8", "application/json; charset=\"utf-8\""}) {
    EXPECT_FALSE(read(std::string("Content-Type: ") + type + "\r\n", &request)) << type;
  }
}

TEST(EventsRequest, RefusesOtherContent) {
  EventsRequest request;
  for (const char* header :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/json; charset=latin1\r\n",
        "Content-Type: application/vnd.weir+json\r\n", "Content-Type: application/jsonx\r\n",
        "Content-Type: nonsense\r\n", "Content-Type: \r\n"}) {
    const auto refusal = read(header, &request);
    ASSERT_TRUE(refusal) << header;
    EXPECT_EQ(refusal->status, 415) << header << refusal->message;
    EXPECT_NE(refusal->message.find("Content-Type: application/json"), std::string::npos) << refusal->message;
  }
}

TEST(EventsRequest, ReadsTheIdempotencyKey) {
  EventsRequest request;
  ASSERT_FALSE(read("Content-Type: application/json\r\nidempotency-key: \"a-1\"\r\n", &request));
  EXPECT_EQ(request.idempotency_key, "\"a-1\"");
  ASSERT_FALSE(read("Content-Type: application/json\r\n", &request));
  EXPECT_EQ(request.idempotency_key, "") << "the key of an earlier request must not stay";
  const std::string longest(255, 'k');
  EXPECT_FALSE(read("Content-Type: application/json\r\nIdempotency-Key: " + longest + "\r\n", &request));
}

TEST(EventsRequest, RefusesWhatCannotBeAnIdempotencyKey) {
  EventsRequest request;
  for (const std::string& key : {std::string(), std::string("a b"), std::string("a\tb"),
                                 std::string("\xc3\xa9"), std::string(256, 'k')}) {
    const auto refusal = read("Content-Type: application/json\r\nIdempotency-Key: " + key + "\r\n", &request);
    ASSERT_TRUE(refusal) << key;
    EXPECT_EQ(refusal->status, 400);
    EXPECT_STREQ(refusal->code, "bad_idempotency_key");
    EXPECT_EQ(refusal->message, "the Idempotency-Key must be 1 to 255 visible ASCII characters");
  }
}

TEST(TraceParent, IsReadWhenValid) {
  const auto parent = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id[0], 0x0A);
  EXPECT_EQ(parent->trace_id[15], 0x9C);
  EXPECT_EQ(parent->parent_span[7], 0x31);
  EXPECT_TRUE(
      parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings"));
}

TEST(TraceParent, IsIgnoredWhenNot) {
  for (const char* header : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                             "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
                             "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
                             "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(header)) << header;
  }
}

TEST(Receipt, NamesEveryEvent) {
  const uint8_t ids[2][16] = {{0x01, 0x90, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xFE}, {0xFF}};
  std::string text = "left over";
  format_receipt({2, 1, 0xF1, UINT64_MAX, ids}, &text);
  EXPECT_EQ(text,
            "{\"accepted\":2,\"duplicates\":1,\"epoch\":\"00000000000000f1\",\"first_sequence\":"
            "18446744073709551615,"
            "\"ids\":[\"01900000-0000-7000-8000-0000000000fe\",\"ff000000-0000-0000-0000-000000000000\"]}\n");
}

TEST(ErrorBody, IsJsonWhateverItQuotes) {
  const Refusal refusal{400, "invalid_event", "\"a\\b\"\n\x7f \u00e9", {}};
  const auto body = nlohmann::json::parse(error_body(refusal, EventFault{3, "/metadata/\"x"}));
  EXPECT_EQ(body, (nlohmann::json{{"error",
                                   {{"code", "invalid_event"},
                                    {"index", 3},
                                    {"field", "/metadata/\"x"},
                                    {"message", "\"a\\b\"\n\x7f \u00e9"}}}}));
}

TEST(RetryAfter, IsInWholeSecondsAndNeverZero) {
  EXPECT_EQ(retry_after(0), "Retry-After: 1\r\n");
  EXPECT_EQ(retry_after(1000), "Retry-After: 1\r\n");
  EXPECT_EQ(retry_after(1001), "Retry-After: 2\r\n");
  EXPECT_EQ(retry_after(UINT32_MAX), "Retry-After: 4294968\r\n");
}

}  // namespace
}  // namespace weir::http
