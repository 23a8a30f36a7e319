#include "events_request.h"

#include <pistache/http.h>

#include <algorithm>
#include <span>

namespace weir::http {
namespace {

using Pistache::Http::Method;
namespace Mime = Pistache::Http::Mime;

constexpr std::string_view kEventsPath = "/v1/events";
constexpr std::string_view kHealthPath = "/v1/health";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;  // upper case is not allowed
}

template <size_t N>
bool read_hex(std::string_view text, std::array<uint8_t, N>* out) {
  for (size_t i = 0; i < N; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    (*out)[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

bool all_zero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

bool is_utf8_name(std::string_view charset) {
  if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"') {
    charset = charset.substr(1, charset.size() - 2);
  }
  constexpr std::string_view kUtf8 = "utf-8";
  return std::equal(charset.begin(), charset.end(), kUtf8.begin(), kUtf8.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

bool is_json(const Pistache::Http::Request& head) {
  const auto type = head.headers().tryGet<Pistache::Http::Header::ContentType>();
  if (type == nullptr) return false;
  const Mime::MediaType mime = type->mime();
  if (mime.top() != Mime::Type::Application || mime.sub() != Mime::Subtype::Json ||
      mime.suffix() != Mime::Suffix::None) {
    return false;
  }
  const auto charset = mime.getParam("charset");
  return !charset || is_utf8_name(*charset);
}

bool is_key(std::string_view key) {
  constexpr size_t kMaxBytes = 255;
  return !key.empty() && key.size() <= kMaxBytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

std::optional<Refusal> find_route(const Pistache::Http::Request& head, Route* route) {
  const Method method = head.method();
  if (head.resource() == kEventsPath) {
    *route = Route::kEvents;
    if (method == Method::Post) return std::nullopt;
    return Refusal{405, "method_not_allowed", "send events with POST /v1/events", "Allow: POST\r\n"};
  }
  if (head.resource() == kHealthPath) {
    *route = Route::kHealth;
    if (method == Method::Get || method == Method::Head) return std::nullopt;
    return Refusal{405, "method_not_allowed", "ask for the health with GET /v1/health",
                   "Allow: GET, HEAD\r\n"};
  }
  return Refusal{404, "not_found", "there is nothing here; events are taken by POST /v1/events", {}};
}

std::optional<TraceParent> parse_traceparent(std::string_view header) {
  constexpr size_t kSize = 55;  // 00-<32>-<16>-<2>
  if (header.size() < kSize || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  std::array<uint8_t, 1> version{}, flags{};
  TraceParent parent;
  if (!read_hex(header.substr(0, 2), &version) || !read_hex(header.substr(3, 32), &parent.trace_id) ||
      !read_hex(header.substr(36, 16), &parent.parent_span) || !read_hex(header.substr(53, 2), &flags)) {
    return std::nullopt;
  }
  // A later version may have more behind a dash; version 255 is not allowed.
  if (version[0] == 0xFF || (header.size() > kSize && (version[0] == 0 || header[kSize] != '-')))
    return std::nullopt;
  if (all_zero(parent.trace_id) || all_zero(parent.parent_span)) return std::nullopt;
  return parent;
}

std::optional<Refusal> check_content_type(const Pistache::Http::Request& head) {
  if (is_json(head)) return std::nullopt;
  return Refusal{
      415, "unsupported_media_type", "send the events as Content-Type: application/json, in UTF-8", {}};
}

std::optional<Refusal> read_events_request(const Pistache::Http::Request& head, EventsRequest* out) {
  out->idempotency_key.clear();
  if (const auto key = head.headers().tryGetRaw("Idempotency-Key")) {
    out->idempotency_key = key->value();
    if (!is_key(out->idempotency_key)) {
      return Refusal{
          400, "bad_idempotency_key", "the Idempotency-Key must be 1 to 255 visible ASCII characters", {}};
    }
  }
  out->trace_parent.reset();
  if (const auto header = head.headers().tryGetRaw("traceparent"))
    out->trace_parent = parse_traceparent(header->value());
  return std::nullopt;
}

}  // namespace weir::http
