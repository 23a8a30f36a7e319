// The rules of http.sink that need no server.
#include <gtest/gtest.h>

#include <set>

#include "http/client/retry_after.h"
#include "http/client/url.h"
#include "http/sink/request_writer.h"
#include "http/sink/verdict.h"

namespace weir::http::sink {
namespace {

using namespace std::chrono_literals;
using client::Url;

TEST(Url, IsTakenApart) {
  Url url;
  ASSERT_FALSE(client::parse_url("http://example.org", &url));
  EXPECT_EQ(url.host, "example.org");
  EXPECT_EQ(url.port, 80);
  EXPECT_EQ(url.target, "/");
  ASSERT_FALSE(client::parse_url("http://[::1]:8080?a=b", &url));
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_EQ(url.authority, "[::1]:8080");
  EXPECT_EQ(url.target, "/?a=b");
}

TEST(Url, HasThePortOfItsScheme) {
  Url url;
  ASSERT_FALSE(client::parse_url("https://events.example/v1?key=secret", &url));
  EXPECT_TRUE(url.secure);
  EXPECT_EQ(url.port, 443);
  EXPECT_EQ(url.authority, "events.example");
  EXPECT_EQ(url.origin(), "https://events.example");
  ASSERT_FALSE(client::parse_url("https://a:8443/", &url));
  EXPECT_EQ(url.port, 8443);
  ASSERT_FALSE(client::parse_url("http://a/", &url));
  EXPECT_FALSE(url.secure);
  EXPECT_EQ(url.port, 80);
}

TEST(Url, IsRefusedWhenItIsNone) {
  for (const char* text :
       {"", "a", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:65536", "http://a:8x",
        "http://a:", "http://a b/", "http://a/ b", "http://a/\r\nX: 1", "http://a/#x", "http://[::1",
        "http://[x]/", "http://[::1]x", "http://u@a/", "https://", "https:a", "HTTP://a/\xC3\xA4"}) {
    Url url;
    EXPECT_TRUE(client::parse_url(text, &url)) << text;
  }
}

TEST(RetryAfter, IsReadAsSecondsOrDate) {
  const auto now = std::chrono::system_clock::time_point(784'111'777s);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(client::retry_after("120", "", now), 120s);
  EXPECT_EQ(client::retry_after("Sun, 06 Nov 1994 08:50:37 GMT", "", now), 60s);
  EXPECT_EQ(client::retry_after("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT", now), 30s);
  EXPECT_EQ(client::retry_after("Sun, 06 Nov 1994 08:00:00 GMT", "", now), 0s);
  EXPECT_EQ(client::retry_after("99999999999999999999999", "", now), 24h);
  EXPECT_EQ(client::retry_after("Sun, 06 Nov 2094 08:00:00 GMT", "", now), 24h);
  for (const char* nothing :
       {"", "soon", "-1", "1.5", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"}) {
    EXPECT_EQ(client::retry_after(nothing, "", now), 0s) << nothing;
  }
}

// Test vectors of the FNV draft (draft-eastlake-fnv), appendix C.
TEST(BodyKey, IsFnv1aOf128Bits) {
  EXPECT_EQ(body_key(""), "6c62272e07bb014262b821756295c58d");
  EXPECT_EQ(body_key("a"), "d228cb696f1a8caf78912b704e4a8964");
}

TEST(Verdict, BlamesEventsForNoMoreThanItMust) {
  std::set<int> about_events;
  for (int status = 400; status < 500; ++status) {
    if (judge(status) == Verdict::kEvents) about_events.insert(status);
  }
  for (const int status : {400, 416, 418, 422, 424}) EXPECT_TRUE(about_events.contains(status)) << status;
  for (const int status : {401, 403, 404, 405, 407, 408, 409, 413, 415, 425, 429})
    EXPECT_FALSE(about_events.contains(status)) << status;
  EXPECT_EQ(judge(413), Verdict::kTooLarge);
  EXPECT_EQ(judge(199), Verdict::kEndpoint);
  EXPECT_EQ(judge(600), Verdict::kLater);
}

TEST(OneLine, IsTheBeginningOfAnyBytesAsUtf8) {
  EXPECT_EQ(one_line(" a\r\n\tb\x01 ", 80), "a b");
  EXPECT_EQ(one_line("\xFFz\xC3", 80), "?z?");
  EXPECT_EQ(one_line("\xC3\xA4\xC3\xA4\xC3\xA4", 5), "\xC3\xA4\xC3\xA4...");
}

}  // namespace
}  // namespace weir::http::sink
