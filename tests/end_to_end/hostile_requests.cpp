#include "end_to_end/hostile_requests.h"

#include <initializer_list>
#include <string_view>

namespace weir::test {
namespace {

using namespace std::string_literals;

const std::string kEvent = R"({"device_id":"d","sensor_type":"t","value":1})";
const std::string kHost = "Host: a\r\n";
const std::string kJson = "Content-Type: application/json\r\n";

std::string length(size_t n) { return "Content-Length: " + std::to_string(n) + "\r\n"; }
std::string post(const std::string& headers, const std::string& body) {
  return "POST /v1/events HTTP/1.1\r\n" + kHost + kJson + headers + "\r\n" + body;
}
std::string event(const std::string& headers = "") { return post(length(kEvent.size()) + headers, kEvent); }
std::string json(const std::string& body) { return post(length(body.size()), body); }
std::string get(const std::string& line, const std::string& headers = kHost) { return line + "\r\n" + headers + "\r\n"; }
std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }
std::string repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}
// An event with these members besides device_id, sensor_type and value, or instead of them.
std::string with(const std::string& members) { return R"({"device_id":"d","sensor_type":"t","value":1,)" + members + "}"; }
std::string value(const std::string& value) { return R"({"device_id":"d","sensor_type":"t","value":)" + value + "}"; }

class Table {
 public:
  void line(const char* name, std::string bytes, Expected answer) { add("request line: ", name, std::move(bytes), {answer}, true); }
  void header(const char* name, std::string headers, Expected answer) {
    add("header: ", name, "GET /v1/health HTTP/1.1\r\n" + headers + "\r\n", {answer}, answer.status != 200);
  }
  void framing(const char* name, std::string bytes, Expected answer) { add("framing: ", name, std::move(bytes), {answer}, true); }
  void chunks(const char* name, std::string body, Expected answer) {
    add("chunks: ", name, chunked(body), {answer}, answer.status != 202);
  }
  void body(const char* name, std::string body, int status = 400) {
    add("body: ", name, json(body), {{status, status == 400 ? "invalid_event" : ""}}, false);
  }
  void add(const std::string& group, const char* name, std::string bytes, std::vector<Expected> answers, bool closes) {
    rows.push_back({group + name, std::move(bytes), std::move(answers), closes});
  }
  std::vector<HostileRequest> rows;
};

void request_lines(Table& table) {
  const Expected bad{400, "bad_request_line"}, target{400, "bad_target"}, version{505, "version_not_supported"};
  table.line("one word", get("GET"), bad);
  table.line("two words", get("GET /"), bad);
  table.line("four words", get("GET / HTTP/1.1 x"), bad);
  table.line("two spaces", get("GET  / HTTP/1.1"), bad);
  table.line("a leading space", get(" GET / HTTP/1.1"), bad);
  table.line("a trailing space", get("GET / HTTP/1.1 "), bad);
  table.line("tabs instead of spaces", get("GET\t/\tHTTP/1.1"), bad);
  table.line("a space in the target", get("GET /a b HTTP/1.1"), bad);
  table.line("a lower-case version", get("GET / http/1.1"), bad);
  table.line("another protocol", get("GET / FTP/1.1"), bad);
  table.line("a method in lower case", get("get / HTTP/1.1"), {501, "method_not_implemented"});
  table.line("an unknown method", get("BREW / HTTP/1.1"), {501, "method_not_implemented"});
  table.line("a very long method", get(std::string(5000, 'A') + " / HTTP/1.1"), {501, "method_not_implemented"});
  table.line("a control character in the method", get("GE\x01T / HTTP/1.1"), {400, "bad_method"});
  table.line("a bracket in the method", get("GE(T / HTTP/1.1"), {400, "bad_method"});
  table.line("a method that begins with NUL", "\0GET / HTTP/1.1\r\n\r\n"s, bad);
  table.line("HTTP/0.9", get("GET / HTTP/0.9"), version);
  table.line("HTTP/1.2", get("GET / HTTP/1.2"), version);
  table.line("HTTP/2.0", get("GET / HTTP/2.0"), version);
  table.line("HTTP/1.10", get("GET / HTTP/1.10"), version);
  table.line("HTTP/1", get("GET / HTTP/1"), version);
  table.line("HTTP/ alone", get("GET / HTTP/"), version);
  table.line("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", version);
  table.line("a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, {400, "tls_on_plain_port"});
  table.line("an SSH greeting", "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", bad);
  table.line("random bytes", "\xff\xfe\xfd\xfc\x80\x81\r\n\r\n"s, bad);
  table.line("line feeds alone", "GET / HTTP/1.1\nHost: a\n\n", {400, "bad_line_end"});
  table.line("a carriage return in the target", get("GET /a\rb HTTP/1.1"), target);
  table.line("an asterisk as the target", get("OPTIONS * HTTP/1.1"), target);
  table.line("a host as the target", get("CONNECT a:80 HTTP/1.1"), target);
  table.line("no slash", get("GET v1/health HTTP/1.1"), target);
  table.line("an https target", get("GET https://a/v1/health HTTP/1.1"), target);
  table.line("a file target", get("GET file:///etc/passwd HTTP/1.1"), target);
  table.line("NUL in the target", get("GET /a\0b HTTP/1.1"s), target);
  table.line("DEL in the target", get("GET /a\x7f HTTP/1.1"), target);
  table.line("UTF-8 in the target", get("GET /größe HTTP/1.1"), target);
  table.line("a target without an end", "GET /" + std::string(20'000, 'x'), {414, "target_too_long"});
  table.line("a target that is too long", get("GET /" + std::string(20'000, 'x') + " HTTP/1.1"), {414, "target_too_long"});
  for (const char* path : {"/", "/v1", "/v1/", "/v1/events/", "/v2/events", "//v1/events", "/v1//events", "/v1/./events",
                           "/../../etc/passwd", "/v1/%65vents", "/%00", "/%", "/v1/events;a=b", "/V1/EVENTS", "/v1/events%0d%0aX:%20y"}) {
    table.add("target: ", path, get("GET "s + path + " HTTP/1.1"), {{404, "not_found"}}, false);
  }
  table.add("target: ", "an absolute one", get("GET http://elsewhere/v1/health HTTP/1.1"), {{200}}, false);
  table.add("target: ", "an absolute one without a path", get("GET http://elsewhere HTTP/1.1"), {{404, "not_found"}}, false);
  table.add("method: ", "GET of the events", get("GET /v1/events HTTP/1.1"), {{405, "method_not_allowed"}}, false);
  table.add("method: ", "TRACE", get("TRACE /v1/events HTTP/1.1"), {{405, "method_not_allowed"}}, false);
  table.add("method: ", "DELETE", get("DELETE /v1/events HTTP/1.1"), {{405, "method_not_allowed"}}, false);
  table.add("method: ", "PUT", get("PUT /v1/events HTTP/1.1", kHost + length(0)), {{405, "method_not_allowed"}}, false);
  table.add("method: ", "POST of the health", get("POST /v1/health HTTP/1.1", kHost + length(0)), {{405, "method_not_allowed"}}, false);
  table.add("empty lines: ", "before the request", "\r\n\r\n" + event(), {{202}}, false);
  table.add("empty lines: ", "many", repeat("\r\n", 10'000) + event(), {{202}}, false);
}

void headers(Table& table) {
  const Expected bad{400, "bad_header"}, host{400, "bad_host"};
  table.header("no Host", "X: y\r\n", host);
  table.header("no header at all", "", host);
  table.header("two Hosts", kHost + kHost, host);
  table.header("two hosts in one", "Host: a, b\r\n", host);
  table.header("a path in the Host", "Host: a/b\r\n", host);
  table.header("a user in the Host", "Host: u@a\r\n", host);
  table.header("a space in the Host", "Host: a b\r\n", host);
  table.header("a quote in the Host", "Host: \"a\"\r\n", host);
  table.header("no colon", kHost + "Nonsense\r\n", bad);
  table.header("no name", kHost + ": y\r\n", bad);
  table.header("a space before the colon", kHost + "X : y\r\n", bad);
  table.header("a tab before the colon", kHost + "X\t: y\r\n", bad);
  table.header("a folded line", kHost + "X: y\r\n z\r\n", bad);
  table.header("a folded first header", " " + kHost, bad);
  table.header("a bracket in a name", kHost + "X[1]: y\r\n", bad);
  table.header("a NUL in a name", kHost + "X\0: y\r\n"s, bad);
  table.header("a NUL in a value", kHost + "X: \0\r\n"s, bad);
  table.header("an escape in a value", kHost + "X: \x1b[31m\r\n", bad);
  table.header("a DEL in a value", kHost + "X: \x7f\r\n", bad);
  table.header("a carriage return in a value", kHost + "X: a\rb\r\n", bad);
  table.header("UTF-8 in a name", kHost + "größe: y\r\n", bad);
  table.header("UTF-8 in a value", kHost + "X: größe\r\n", {200});
  table.header("bytes that are no UTF-8 in a value", kHost + "X: \xff\xfe\r\n", {200});
  table.header("an empty value", kHost + "X:\r\n", {200});
  table.header("spaces around a value", kHost + "X: \t y \t \r\n", {200});
  table.header("a line feed alone", kHost + "X: y\n", {400, "bad_line_end"});
  table.header("64 headers", kHost + repeat("X: y\r\n", 63), {200});
  table.header("65 headers", kHost + repeat("X: y\r\n", 64), {431, "too_many_headers"});
  table.header("1000 headers", kHost + repeat("X: y\r\n", 1000), {431, "too_many_headers"});
  table.header("a name of 16 KiB", kHost + std::string(16'384, 'x') + ": y\r\n", {431, "headers_too_large"});
  table.header("a value of 16 KiB", kHost + "X: " + std::string(16'384, 'x') + "\r\n", {431, "headers_too_large"});
  table.header("a value of 1 MiB", kHost + "X: " + std::string(1 << 20, 'x') + "\r\n", {431, "headers_too_large"});
  table.header("an expectation that nobody can meet", kHost + "Expect: 200-ok\r\n", {417, "expectation_failed"});
  table.header("Connection: nonsense", kHost + "Connection: ,,;;,\r\n", {200});
  table.header("Upgrade", kHost + "Connection: Upgrade\r\nUpgrade: websocket\r\n", {200});
  table.header("an upgrade to h2c", kHost + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", {200});
  const Expected key{400, "bad_idempotency_key"};
  table.add("header: ", "an empty Idempotency-Key", event("Idempotency-Key:\r\n"), {key}, false);
  table.add("header: ", "a long Idempotency-Key", event("Idempotency-Key: " + std::string(256, 'k') + "\r\n"), {key}, false);
  table.add("header: ", "UTF-8 in the Idempotency-Key", event("Idempotency-Key: größe\r\n"), {key}, false);
  table.add("header: ", "two Idempotency-Keys", event("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), {bad}, true);
  table.add("header: ", "two Content-Types", event(kJson), {bad}, true);
  const Expected type{415, "unsupported_media_type"};
  for (const char* wrong : {"text/plain", "application/xml", "application/json; charset=utf-16", "*/*", "json", "application/jsonx",
                            "multipart/form-data; boundary=x"}) {
    table.add("content type: ", wrong,
              "POST /v1/events HTTP/1.1\r\n" + kHost + "Content-Type: " + wrong + "\r\n" + length(kEvent.size()) + "\r\n" + kEvent,
              {type}, false);
  }
  for (const char* odd : {"nonsense", "00-0-0-00", "00-00000000000000000000000000000000-0000000000000000-00",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    table.add("traceparent: ", odd, event("traceparent: "s + odd + "\r\n"), {{202}}, false);
  }
  table.add("traceparent: ", "two of them", event("traceparent: a\r\ntraceparent: b\r\n"), {{202}}, false);
}

void framings(Table& table) {
  const Expected bad{400, "bad_content_length"}, both{400, "bad_framing"}, coding{501, "transfer_coding_not_implemented"};
  for (const char* wrong : {"-1", "+5", "0x10", "1e3", "5 5", "5,5", "", "five", "5;", "\t", "\xd9\xa5"}) {
    table.framing(("Content-Length: "s + wrong).c_str(), post("Content-Length: "s + wrong + "\r\n", kEvent), bad);
  }
  table.framing("two lengths that agree", post(length(kEvent.size()) + length(kEvent.size()), kEvent), bad);
  table.framing("two lengths that do not", post(length(kEvent.size()) + length(3), kEvent), bad);
  table.framing("a length beyond 64 bits", post("Content-Length: 99999999999999999999\r\n", kEvent), {413, "body_too_large"});
  table.framing("the largest length", post("Content-Length: 18446744073709551615\r\n", kEvent), {413, "body_too_large"});
  table.framing("a body of 1 GiB announced", post("Content-Length: 1073741824\r\n", kEvent), {413, "body_too_large"});
  table.framing("one byte too much", post(length((1 << 20) + 1), ""), {413, "body_too_large"});
  table.framing("no length", post("", kEvent), {411, "length_required"});
  table.framing("a length and chunks", post(length(5) + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), both);
  table.framing("chunks and a length", post("Transfer-Encoding: chunked\r\n" + length(5), "0\r\n\r\n"), both);
  table.framing("chunks in HTTP/1.0", "POST /v1/events HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", both);
  for (const char* wrong : {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked", "chunked;q=1",
                            "\"chunked\"", "", "chun\xa0ked", ",chunked"}) {
    table.framing(("Transfer-Encoding: "s + wrong).c_str(), post("Transfer-Encoding: "s + wrong + "\r\n", "0\r\n\r\n"), coding);
  }
  table.framing("Transfer-Encoding twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), coding);
  table.add("framing: ", "leading zeros", post("Content-Length: 0000000" + std::to_string(kEvent.size()) + "\r\n", kEvent), {{202}}, false);
  table.add("framing: ", "Chunked in capitals", post("TRANSFER-ENCODING: CHUNKED\r\n", "2\r\n[]\r\n0\r\n\r\n"), {{400, "invalid_event"}}, false);
  table.add("framing: ", "a body on GET is passed over", get("GET /v1/health HTTP/1.1", kHost + length(3)) + "abc" + event(), {{200}, {202}}, false);
  table.add("framing: ", "a body that ends too early", event().substr(0, event().size() - 5), {}, true);
  table.rows.back().half_close = true;
  table.add("framing: ", "a body that never comes", post(length(100), ""), {{408, "request_timeout"}}, true);
  table.add("framing: ", "a head that never ends", "POST /v1/events HTTP/1.1\r\nHost:", {{408, "request_timeout"}}, true);
  table.add("framing: ", "a head that ends too early", "POST /v1/events HTTP/1.1\r\nHost:", {}, true);
  table.rows.back().half_close = true;
  table.add("framing: ", "nothing at all", "", {}, true);
  table.rows.back().half_close = true;
  table.add("framing: ", "a client that closes its half after the request", event(), {{202}}, true);
  table.rows.back().half_close = true;
  table.add("framing: ", "HTTP/1.0 is closed", "GET /v1/health HTTP/1.0\r\n\r\n", {{200}}, true);
  table.add("framing: ", "Connection: close", get("GET /v1/health HTTP/1.1", kHost + "Connection: close\r\n"), {{200}}, true);
  table.add("framing: ", "HEAD has no body", get("HEAD /v1/health HTTP/1.1"), {{200}}, false);
  table.rows.back().head = true;
  table.add("encoding: ", "an unknown one", event("Content-Encoding: br\r\n"), {{415, "unsupported_content_encoding"}}, true);
  table.add("encoding: ", "identity", event("Content-Encoding: identity\r\n"), {{202}}, false);
  table.add("pipelining: ", "three at once", event() + event() + event(), {{202}, {202}, {202}}, false);
  table.add("pipelining: ", "a bad one in the middle ends it", event() + "NONSENSE\r\n\r\n" + event(), {{202}, {400, "bad_request_line"}}, true);
  table.add("pipelining: ", "bad JSON in the middle does not", event() + json("{") + event(), {{202}, {400, "invalid_event"}, {202}}, false);
  table.add("pipelining: ", "after Connection: close nothing is taken", event("Connection: close\r\n") + event(), {{202}}, true);
  table.add("pipelining: ", "fifty", repeat(get("GET /v1/health HTTP/1.1"), 50), std::vector<Expected>(50, {200}), false);
}

void chunk_cases(Table& table) {
  const Expected bad{400, "bad_chunk"}, good{202};
  static_assert(sizeof(R"({"device_id":"d","sensor_type":"t","value":1})") == 0x2d + 1);  // with its NUL
  const std::string whole = "2d\r\n" + kEvent + "\r\n0\r\n\r\n";
  table.chunks("one", whole, good);
  table.chunks("a size in capitals", "2D\r\n" + kEvent + "\r\n0\r\n\r\n", good);
  table.chunks("leading zeros", "0000002d\r\n" + kEvent + "\r\n0\r\n\r\n", good);
  table.chunks("an extension", "2d;name=\"value\"\r\n" + kEvent + "\r\n0;x\r\n\r\n", good);
  table.chunks("a trailer", "2d\r\n" + kEvent + "\r\n0\r\nX: y\r\n\r\n", good);
  std::string bytes;
  for (char c : kEvent) bytes += "1\r\n"s + c + "\r\n";
  table.chunks("a byte each", bytes + "0\r\n\r\n", good);
  table.chunks("no size", "\r\n" + kEvent, bad);
  table.chunks("a size that is no number", "xyz\r\n", bad);
  table.chunks("a negative size", "-1\r\n", bad);
  table.chunks("0x before the size", "0x2d\r\n" + kEvent + "\r\n0\r\n\r\n", bad);
  table.chunks("a space before the size", " 2d\r\n" + kEvent + "\r\n0\r\n\r\n", bad);
  table.chunks("a size beyond 64 bits", "10000000000000000\r\n", bad);
  table.chunks("a size of 1 GiB", "40000000\r\n", {413, "body_too_large"});
  table.chunks("a line feed after the size", "2d\n" + kEvent + "\r\n0\r\n\r\n", bad);
  table.chunks("a carriage return alone after the size", "2d\rX" + kEvent, bad);
  table.chunks("too short", "2c\r\n" + kEvent + "\r\n0\r\n\r\n", bad);
  table.chunks("too long", "2e\r\n" + kEvent + "\r\n0\r\n\r\n", bad);
  table.chunks("no line end after the data", "2d\r\n" + kEvent + "0\r\n\r\n", bad);
  table.chunks("a line feed after the data", "2d\r\n" + kEvent + "\n0\r\n\r\n", bad);
  table.chunks("an extension without an end", "2d;" + std::string(10'000, 'x'), bad);
  table.chunks("a trailer without an end", "0\r\nX: " + std::string(10'000, 'x'), bad);
  table.chunks("a thousand extensions", repeat("1;" + std::string(50, 'x') + "\r\n \r\n", 1000), bad);
  table.chunks("more than the limit in small ones", repeat("1000\r\n" + std::string(4096, ' ') + "\r\n", 257), {413, "body_too_large"});
  table.chunks("that never end", "2d\r\n" + kEvent + "\r\n", {408, "request_timeout"});
}

void bodies(Table& table) {
  table.body("empty", "");
  table.body("white space", " \n\t ");
  table.body("a byte order mark", "\xef\xbb\xbf" + kEvent);
  table.body("UTF-16", "{\0\"\0d\0"s);
  table.body("NUL bytes", std::string(100, '\0'));
  table.body("a brace", "{");
  table.body("a bracket", "[");
  table.body("an empty object", "{}");
  table.body("an empty array", "[]");
  table.body("null", "null");
  table.body("a number", "42");
  table.body("a text", "\"text\"");
  table.body("cut off in a text", R"({"device_id":"d)");
  table.body("cut off in a number", R"({"device_id":"d","sensor_type":"t","value":1)");
  table.body("cut off after a comma", R"({"device_id":"d",)");
  table.body("two documents", kEvent + kEvent);
  table.body("something behind it", kEvent + "x");
  table.body("a comment", "/* */" + kEvent);
  table.body("a trailing comma", R"({"device_id":"d","sensor_type":"t","value":1,})");
  table.body("single quotes", "{'device_id':'d'}");
  table.body("10,000 arrays in each other", repeat("[", 10'000) + repeat("]", 10'000));
  table.body("10,000 objects in each other", repeat(R"({"a":)", 10'000) + "1" + repeat("}", 10'000));
  table.body("10,000 brackets that never close", repeat("[", 10'000));
  table.body("an array in the array", "[[" + kEvent + "]]");
  table.body("one that is no event among others", "[" + kEvent + ",1," + kEvent + "]");
  table.body("an unknown key", with(R"("x":1)"));
  table.body("a key twice", with(R"("value":2)"));
  table.body("a key twice in the metadata", with(R"("metadata":{"a":1,"a":2})"));
  table.body("an escaped key that is the same", with(R"("valu\u0065":2)"));
  table.body("metadata of the host's", with(R"("metadata":{"weir.auth.subject":"root"})"));
  table.body("metadata that is a text", with(R"("metadata":"a")"));
  table.body("metadata in metadata", with(R"("metadata":{"a":{"b":1}})"));
  table.body("an empty key in the metadata", with(R"("metadata":{"":1})"));
  table.body("no device", R"({"sensor_type":"t","value":1})");
  table.body("an empty device", R"({"device_id":"","sensor_type":"t","value":1})");
  table.body("a number as the device", R"({"device_id":5,"sensor_type":"t","value":1})");
  table.body("a NUL in the device", R"({"device_id":"a\u0000b","sensor_type":"t","value":1})");
  table.body("a device of 100,000 characters", R"({"device_id":")" + std::string(100'000, 'd') + R"(","sensor_type":"t","value":1})");
  table.body("bytes that are no UTF-8", "{\"device_id\":\"\xff\xfe\",\"sensor_type\":\"t\",\"value\":1}");
  table.body("an overlong slash", "{\"device_id\":\"\xc0\xaf\",\"sensor_type\":\"t\",\"value\":1}");
  table.body("half a surrogate pair", R"({"device_id":"\ud800","sensor_type":"t","value":1})");
  table.body("a surrogate in UTF-8", "{\"device_id\":\"\xed\xa0\x80\",\"sensor_type\":\"t\",\"value\":1}");
  table.body("a code point beyond Unicode", "{\"device_id\":\"\xf5\x80\x80\x80\",\"sensor_type\":\"t\",\"value\":1}");
  table.body("a raw line feed in a text", "{\"device_id\":\"a\nb\",\"sensor_type\":\"t\",\"value\":1}");
  table.body("an unknown escape", R"({"device_id":"\x","sensor_type":"t","value":1})");
  table.body("no value", R"({"device_id":"d","sensor_type":"t"})");
  for (const char* wrong : {"null", "[]", "{}", "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "1.", ".5", "+1", "0x10",
                            "1e", "--1", "18446744073709551616", "9223372036854775808", "-9223372036854775809", "True", "tru"}) {
    table.body(("the value "s + wrong).c_str(), value(wrong));
  }
  for (const char* edge : {"9223372036854775807", "-9223372036854775808", "1.7976931348623157e308", "5e-324", "-0", "-0.0", "1e-400",
                           "0.1000000000000000055511151231257827021181583404541015625", "true", "\"\""}) {
    table.body(("the value "s + edge).c_str(), value(edge), 202);
  }
  for (const char* wrong : {"\"yesterday\"", "\"2026-13-01T00:00:00Z\"", "\"2026-02-30T00:00:00Z\"", "\"2026-01-01\"", "1.5", "true",
                            "99999999999999999999", "\"\""}) {
    table.body(("the timestamp "s + wrong).c_str(), with("\"timestamp\":"s + wrong));
  }
}

std::vector<HostileRequest> all() {
  Table table;
  request_lines(table);
  headers(table);
  framings(table);
  chunk_cases(table);
  bodies(table);
  return std::move(table.rows);
}

}  // namespace

const std::vector<HostileRequest>& hostile_requests() {
  static const std::vector<HostileRequest> table = all();
  return table;
}

}  // namespace weir::test
