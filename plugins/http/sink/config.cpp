#include "config.h"

#include <algorithm>
#include <cstring>

#include "../config_keys.h"
#include "../tls_settings.h"

namespace weir::http::sink {
namespace {

// What the sink says itself, and what would change where a request ends (RFC 9112 section 6).
constexpr std::string_view kOwnHeaders[] = {
    "host",       "content-length", "content-type", "content-encoding", "transfer-encoding", "connection",
    "keep-alive", "expect",         "te",           "trailer",          "upgrade",           "idempotency-key",
    "traceparent"};
constexpr size_t kMostHeaders = 64;
constexpr size_t kLongestHeader = 8 * 1024;  // what servers commonly take of one line

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
  });
}

// RFC 9110 section 5.5, without what is not ASCII.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

void check_headers(std::vector<std::pair<std::string, std::string>>& headers) {
  if (headers.size() > kMostHeaders) fail_config("/headers", "at most " + std::to_string(kMostHeaders) + " headers");
  for (auto& [name, value] : headers) {
    const std::string pointer = "/headers" + ConfigKeys::token(name);
    if (!is_token(name)) fail_config("/headers", "a header's name is made of letters, digits and !#$%&'*+-.^_`|~");
    if (std::count(std::begin(kOwnHeaders), std::end(kOwnHeaders), lower(name)) != 0) {
      fail_config(pointer, "this header is the sink's own: leave it out");
    }
    // A secret that comes from a file mostly ends with the file's last line.
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
    // The value may be a secret, so it is not shown.
    if (!is_field_value(value)) fail_config(pointer, "the value must be one line of ASCII");
    if (name.size() + value.size() > kLongestHeader) {
      fail_config(pointer, "a header is at most " + std::to_string(kLongestHeader) + " bytes long");
    }
  }
}

// The part "tls", and what holds without it.
tls::Settings parse_tls(std::optional<ConfigKeys> keys) {
  tls::Settings settings;
  settings.role = tls::Role::kClient;
  if (!keys) return settings;
  read_tls(*keys, "ca", &settings);
  keys->expect_end();
  if (settings.key.empty() != settings.certificate.empty()) {
    const bool key = settings.key.empty();
    fail_config(keys->pointer(key ? "key" : "certificate"),
                key ? "is missing: name the file with the certificate's private key (PEM)"
                    : "is missing: name the file with the certificate that the key belongs to (PEM)");
  }
  return settings;
}

}  // namespace

// batch_bytes: 16 MiB is the longest batch; timeout_ms: the host gives a batch 30 s.
const char kConfigSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "required": ["url"],
  "properties": {
    "url": {
      "type": "string", "minLength": 1, "examples": ["http://127.0.0.1:8090/events", "https://events.example/v1"],
      "description": "Where to POST events: https://HOST[:PORT]/PATH, or http:// where nothing has to be encrypted. The server's certificate must be for HOST; nothing turns that off."
    },
    "tls": {
      "type": "object",
      "additionalProperties": false,
      "default": {},
      "description": "For an https URL. Files are PEM; replaced ones serve new connections within three seconds.",
      "properties": {
        "ca": {
          "type": "string", "minLength": 1,
          "description": "File with the authorities that sign the server's certificate. Without it, the system's (/etc/ssl/certs/ca-certificates.crt)."
        },
        "certificate": {
          "type": "string", "minLength": 1,
          "description": "File with the certificate to show to a server that asks for one, and behind it those that lead to its authority."
        },
        "key": {
          "type": "string", "minLength": 1,
          "description": "File with that certificate's private key, without a pass phrase."
        },
        "minimum_version": {
          "enum": ["1.2", "1.3"], "default": "1.2",
          "description": "The oldest TLS version that is spoken."
        }
      }
    },
    "format": {
      "enum": ["json", "ndjson"], "default": "json",
      "description": "json: an array of events (application/json). ndjson: an event a line (application/x-ndjson)."
    },
    "fields": {
      "enum": ["full", "input"], "default": "full",
      "description": "full: every field, with the event's idempotency_key (docs/event.md). input: those that POST /v1/events of another Weir takes, without that key."
    },
    "compression": {
      "enum": ["none", "gzip", "zstd"], "default": "none",
      "description": "How the body is compressed. The server must know it."
    },
    "headers": {
      "type": "object", "additionalProperties": { "type": "string" }, "default": {},
      "description": "Further headers of each request, such as \"Authorization\": \"Bearer ${file:secrets/token}\"."
    },
    "requests_in_flight": {
      "type": "integer", "minimum": 1, "maximum": 64, "default": 4,
      "description": "Requests under way at once, each on a connection of its own that is kept. Events of one device are never in two of them. 1 keeps the order of all events."
    },
    "timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 25000, "default": 10000,
      "description": "Milliseconds from the beginning of a request, connecting included, to the end of its answer."
    },
    "connect_timeout_ms": {
      "type": "integer", "minimum": 1, "maximum": 25000, "default": 5000,
      "description": "Milliseconds to connect to one address of the host, the TLS handshake included; then the next one is tried."
    },
    "batch_events": {
      "type": "integer", "minimum": 1, "maximum": 65536, "default": 500,
      "description": "Events of one request at most."
    },
    "batch_bytes": {
      "type": "integer", "minimum": 1024, "maximum": 16777216, "default": 1048576,
      "description": "Body of one request at most, before it is compressed. An event that is longer goes alone."
    },
    "linger_ms": {
      "type": "integer", "minimum": 0, "maximum": 60000, "default": 100,
      "description": "Milliseconds that events may wait for company, when they do not fill a request."
    }
  }
})";

Config parse_config(std::string_view text) {
  ConfigKeys keys(text);
  Config config;
  const auto narrow = [&](const char* key, uint64_t fallback, uint64_t low, uint64_t high) {
    return static_cast<uint32_t>(keys.number(key, fallback, low, high));
  };
  const auto milliseconds = [&](const char* key, std::chrono::milliseconds fallback) {
    return std::chrono::milliseconds(keys.number(key, static_cast<uint64_t>(fallback.count()), 1, 25'000));
  };
  const std::string url = keys.text("url", "");
  if (url.empty()) fail_config("/url", "url is missing: where are events sent to?");
  if (const auto wrong = client::parse_url(url, &config.url)) fail_config("/url", *wrong);
  auto tls = keys.inside("tls");
  if (tls && !config.url.secure) {
    fail_config("/tls", "has no use with http://, which encrypts nothing: write https:// in url, or leave tls out");
  }
  if (config.url.secure) config.tls = parse_tls(std::move(tls));
  config.format = static_cast<Format>(keys.word("format", {"json", "ndjson"}, 0));
  config.fields = static_cast<mapping::EventFields>(keys.word("fields", {"full", "input"}, 0));
  config.compression = static_cast<Compression>(keys.word("compression", {"none", "gzip", "zstd"}, 0));
  config.headers = keys.texts("headers");
  check_headers(config.headers);
  config.requests_in_flight = narrow("requests_in_flight", config.requests_in_flight, 1, 64);
  config.timeout = milliseconds("timeout_ms", config.timeout);
  config.connect_timeout = milliseconds("connect_timeout_ms", config.connect_timeout);
  config.batch_events = narrow("batch_events", config.batch_events, 1, 65'536);
  config.batch_bytes = narrow("batch_bytes", config.batch_bytes, 1024, 16u << 20);
  config.linger_ms = narrow("linger_ms", config.linger_ms, 0, 60'000);
  keys.expect_end();
  return config;
}

}  // namespace weir::http::sink
