#include "gate.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace weir::http {
namespace {

using Text = std::string_view;

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (const char c : Text("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<uint8_t>(c)] = true;
  }
  return table;
}
constexpr std::array<bool, 256> kTokenTable = make_token_table();  // RFC 9110 section 5.6.2

bool is_token(Text text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return kTokenTable[static_cast<uint8_t>(c)]; });
}

bool is_field_value(Text text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// `lowercase` is written in lower case.
bool same(Text text, Text lowercase) {
  return text.size() == lowercase.size() && std::equal(text.begin(), text.end(), lowercase.begin(),
                                                       [](char a, char b) { return lower(a) == b; });
}

Text trim(Text text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

Refusal refuse(int status, const char* code, std::string message) {
  return {status, code, std::move(message), {}};
}

bool known_method(Text method) {
  for (const Text known : {"POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}) {
    if (method == known) return true;
  }
  return false;
}

// Checks one head, line by line.
class Gate {
 public:
  Gate(uint64_t max_body_bytes, Head* head) : max_body_(max_body_bytes), head_(*head) {}

  std::optional<Refusal> check(Text bytes) {
    head_ = Head{.filtered = std::move(head_.filtered)};  // keeps the memory
    head_.filtered.clear();
    size_t end = bytes.find("\r\n");
    if (auto refusal = request_line(bytes.substr(0, end))) return refusal;
    size_t count = 0;
    for (size_t at = end + 2; at + 2 < bytes.size(); at = end + 2) {
      end = bytes.find("\r\n", at);
      if (++count > kMaxHeaders) {
        return refuse(431, "too_many_headers", "the request has more than 64 headers; send fewer");
      }
      if (auto refusal = header(bytes.substr(at, end - at))) return refusal;
    }
    if (traceparents_ == 1) keep("traceparent", traceparent_);
    head_.filtered += "\r\n";
    return whole();
  }

 private:
  std::optional<Refusal> request_line(Text line) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == Text::npos || first == last || line.find(' ', first + 1) != last) {
      return refuse(400, "bad_request_line", "the request line must be METHOD SP target SP HTTP/1.1");
    }
    const Text method = line.substr(0, first);
    Text target = line.substr(first + 1, last - first - 1);
    const Text version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
      if (!version.starts_with("HTTP/")) {
        return refuse(400, "bad_request_line", "the request line must be METHOD SP target SP HTTP/1.1");
      }
      return refuse(505, "version_not_supported", "this server speaks HTTP/1.1 and HTTP/1.0");
    }
    if (!is_token(method))
      return refuse(400, "bad_method", "the method holds a character that a method cannot have");
    if (!known_method(method))
      return refuse(501, "method_not_implemented", "this server does not know that method");
    if (auto refusal = check_target(&target)) return refusal;
    head_.http_1_0 = version == "HTTP/1.0";
    head_.keep_alive = !head_.http_1_0;
    head_.wants_no_body = method == "HEAD";
    needs_length_ = method == "POST" || method == "PUT" || method == "PATCH";
    head_.filtered.append(method).append(" ").append(target).append(" ").append(version).append("\r\n");
    return std::nullopt;
  }

  // Accepts "/path" and "http://host/path" (RFC 9112 section 3.2.2) and reduces the latter to its path.
  static std::optional<Refusal> check_target(Text* target) {
    const bool visible =
        std::all_of(target->begin(), target->end(), [](char c) { return c > 0x20 && c < 0x7F; });
    if (!visible)
      return refuse(400, "bad_target", "the request target holds a character that must be percent-encoded");
    constexpr size_t kScheme = 7;  // "http://"
    if (target->size() > kScheme && same(target->substr(0, kScheme), "http://")) {
      const size_t path = target->find('/', kScheme);
      *target = path == Text::npos ? Text("/") : target->substr(path);
    }
    if (target->front() != '/')
      return refuse(400, "bad_target", "the request target must be a path such as /v1/events");
    return std::nullopt;
  }

  std::optional<Refusal> header(Text line) {
    const size_t colon = line.find(':');
    const Text name = line.substr(0, colon);
    if (colon == Text::npos || !is_token(name)) {
      return refuse(400, "bad_header", "a header line is not \"name: value\" (folded lines are not allowed)");
    }
    const Text value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return refuse(400, "bad_header", "a header value holds a control character");
    switch (name.size()) {
      case 4:
        return same(name, "host") ? host(value) : std::nullopt;
      case 6:
        return same(name, "expect") ? expect(value) : std::nullopt;
      case 10:
        return same(name, "connection") ? connection(value) : std::nullopt;
      case 11:
        if (same(name, "traceparent") && ++traceparents_ == 1) traceparent_ = value;
        return std::nullopt;
      case 12:
        return same(name, "content-type") ? once("Content-Type", value, &has_content_type_) : std::nullopt;
      case 14:
        return same(name, "content-length") ? content_length(value) : std::nullopt;
      case 15:
        return same(name, "idempotency-key") ? once("Idempotency-Key", value, &has_key_) : std::nullopt;
      case 16:
        return same(name, "content-encoding") ? content_encoding(value) : std::nullopt;
      case 17:
        return same(name, "transfer-encoding") ? transfer_encoding(value) : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  std::optional<Refusal> host(Text value) {
    if (has_host_) return refuse(400, "bad_host", "the request has two Host headers");
    has_host_ = true;
    const bool sound = value.find_first_of(" \t,/@\\\"<>") == Text::npos;
    return sound ? std::nullopt
                 : std::optional(refuse(400, "bad_host", "the Host header is not a host and a port"));
  }

  std::optional<Refusal> expect(Text value) {
    if (!same(value, "100-continue")) {
      return refuse(417, "expectation_failed", "the only expectation that can be met is 100-continue");
    }
    head_.expects_continue = true;
    return std::nullopt;
  }

  std::optional<Refusal> connection(Text value) {
    while (!value.empty()) {
      const size_t comma = value.find(',');
      const Text option = trim(value.substr(0, comma));
      if (same(option, "close")) close_ = true;
      if (same(option, "keep-alive")) head_.keep_alive = true;
      value = comma == Text::npos ? Text() : value.substr(comma + 1);
    }
    return std::nullopt;
  }

  std::optional<Refusal> once(const char* name, Text value, bool* seen) {
    if (*seen) return refuse(400, "bad_header", std::string("the request has two ") + name + " headers");
    *seen = true;
    keep(name, value);
    return std::nullopt;
  }

  std::optional<Refusal> content_length(Text value) {
    if (has_length_) return refuse(400, "bad_content_length", "the request has two Content-Length headers");
    has_length_ = true;
    const bool digits = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (value.empty() || !digits)
      return refuse(400, "bad_content_length", "the Content-Length is not a whole number");
    constexpr size_t kDigits = 18;  // always fits 64 bits
    if (value.size() > kDigits) return too_large("more than 10^18");
    for (const char c : value)
      head_.content_length = head_.content_length * 10 + static_cast<uint64_t>(c - '0');
    return std::nullopt;
  }

  std::optional<Refusal> transfer_encoding(Text value) {
    if (is_chunked_ || !same(value, "chunked")) {
      return refuse(
          501, "transfer_coding_not_implemented",
          "the only transfer coding is \"chunked\", applied once; send the body without another one");
    }
    is_chunked_ = true;
    return std::nullopt;
  }

  static std::optional<Refusal> content_encoding(Text value) {
    if (same(value, "identity")) return std::nullopt;
    return refuse(415, "unsupported_content_encoding",
                  "compressed bodies are not supported; send the JSON as it is");
  }

  // What can only be said when all headers are known.
  std::optional<Refusal> whole() {
    if (!has_host_ && !head_.http_1_0)
      return refuse(400, "bad_host", "an HTTP/1.1 request must have a Host header");
    if (close_) head_.keep_alive = false;
    if (is_chunked_ && has_length_) {
      return refuse(400, "bad_framing", "the request has both Content-Length and Transfer-Encoding");
    }
    if (is_chunked_ && head_.http_1_0) return refuse(400, "bad_framing", "HTTP/1.0 has no Transfer-Encoding");
    if (needs_length_ && !is_chunked_ && !has_length_) {
      return refuse(411, "length_required",
                    "the request needs a Content-Length or Transfer-Encoding: chunked");
    }
    if (head_.content_length > max_body_) return too_large(std::to_string(head_.content_length));
    if (is_chunked_) head_.framing = Framing::kChunked;
    if (has_length_ && head_.content_length > 0) head_.framing = Framing::kLength;
    return std::nullopt;
  }

  Refusal too_large(const std::string& size) const {
    return refuse(413, "body_too_large",
                  "the body has " + size + " bytes, the limit is " + std::to_string(max_body_) +
                      "; send fewer events in one request");
  }

  void keep(Text name, Text value) { head_.filtered.append(name).append(": ").append(value).append("\r\n"); }

  const uint64_t max_body_;
  Head& head_;
  Text traceparent_;
  int traceparents_ = 0;
  bool needs_length_ = false, has_length_ = false, is_chunked_ = false, has_host_ = false;
  bool close_ = false, has_content_type_ = false, has_key_ = false;
};

}  // namespace

HeadScanner::State HeadScanner::scan(std::string_view received) {
  while (at_ < received.size()) {
    const void* found = std::memchr(received.data() + at_, '\n', received.size() - at_);
    if (found == nullptr) {
      at_ = received.size();
      break;
    }
    const auto feed = static_cast<size_t>(static_cast<const char*>(found) - received.data());
    if (feed == line_ || received[feed - 1] != '\r') return State::kBareLineFeed;
    at_ = feed + 1;
    if (feed == line_ + 1) return State::kEnd;
    if (line_ == 0) request_line_ = at_;
    line_ = at_;
  }
  return State::kMore;
}

std::optional<Refusal> check_head(std::string_view bytes, uint64_t max_body_bytes, Head* head) {
  return Gate(max_body_bytes, head).check(bytes);
}

Refusal head_too_large(const HeadScanner& scanner, size_t max_header_bytes) {
  const std::string limit = std::to_string(max_header_bytes) + " bytes (max_header_bytes)";
  // However the bytes were cut when they came.
  if (!scanner.past_request_line() || scanner.request_line_size() > max_header_bytes)
    return refuse(414, "target_too_long", "the request line is over " + limit);
  return refuse(431, "headers_too_large", "the request line and headers are over " + limit);
}

Refusal bare_line_feed() {
  return refuse(400, "bad_line_end", "a line of the head ends with LF alone; HTTP lines end with CR LF");
}

std::optional<Refusal> check_first_byte(char byte) {
  constexpr char kTlsHandshake = 0x16;
  if (byte == kTlsHandshake) {
    return refuse(400, "tls_on_plain_port", "this port speaks plain HTTP; use http:// instead of https://");
  }
  if (kTokenTable[static_cast<uint8_t>(byte)]) return std::nullopt;
  return refuse(400, "bad_request_line", "the request line must be METHOD SP target SP HTTP/1.1");
}

}  // namespace weir::http
