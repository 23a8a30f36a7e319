#include "config.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "weir/batch.h"
#include "weir/plugin.hpp"

namespace weir::http {

namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& pointer, const std::string& what) {
  throw sdk::Failure(WEIR_E_INVALID, what, pointer);
}

// The keys of the configuration, taken one by one; what is left over is unknown.
class Keys {
 public:
  // `above`: the pointer of the object itself, "" for the whole configuration.
  explicit Keys(json object, std::string above = "") : object_(std::move(object)), above_(std::move(above)) {}

  std::string pointer(const std::string& key) const { return above_ + "/" + key; }

  // An object inside; nothing when it is not there.
  std::optional<Keys> inside(const char* key) {
    json value = take(key);
    if (value.is_null()) return std::nullopt;
    if (!value.is_object()) fail(pointer(key), "must be an object");
    return Keys(std::move(value), pointer(key));
  }

  // An object as it is, for who reads it; "" when it is not there.
  std::string document(const char* key) {
    const json value = take(key);
    if (value.is_null()) return "";
    if (!value.is_object()) fail(pointer(key), "must be an object");
    return value.dump();
  }

  // The place of the text among `choices`, or of `fallback` among them.
  size_t choice(const char* key, std::initializer_list<std::string_view> choices, std::string_view fallback) {
    const std::string chosen = text(key, std::string(fallback));
    const auto found = std::find(choices.begin(), choices.end(), chosen);
    if (found != choices.end()) return static_cast<size_t>(found - choices.begin());
    std::string list;
    for (const std::string_view one : choices)
      list.append(list.empty() ? "\"" : ", \"").append(one).append("\"");
    fail(pointer(key), "must be one of " + list);
  }

  std::string text(const char* key, std::string fallback) {
    const auto value = take(key);
    if (value.is_null()) return fallback;
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
      fail(pointer(key), "must be text, not empty");
    return value.get<std::string>();
  }

  uint64_t number(const char* key, uint64_t fallback, uint64_t low, uint64_t high) {
    const auto value = take(key);
    if (value.is_null()) return fallback;
    if (!value.is_number_unsigned() || value.get<uint64_t>() < low || value.get<uint64_t>() > high) {
      fail(pointer(key),
           "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value.get<uint64_t>();
  }

  void expect_end() const {
    if (object_.empty()) return;
    const std::string key = object_.begin().key();
    fail(pointer(key), "unknown key \"" + key + "\"");
  }

 private:
  json take(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) return nullptr;
    if (found->is_null()) fail(pointer(key), "must not be null; leave the key out for its default");
    json value = std::move(*found);
    object_.erase(found);
    return value;
  }

  json object_;
  std::string above_;
};

// The part "tls".
tls::Settings parse_tls(Keys& keys, ServerOptions* server) {
  tls::Settings settings;
  settings.certificate = keys.text("certificate", "");
  settings.key = keys.text("key", "");
  settings.authorities = keys.text("client_ca", "");
  const bool with_authorities = !settings.authorities.empty();
  constexpr tls::PeerCertificate kAsked[] = {tls::PeerCertificate::kNone, tls::PeerCertificate::kOptional,
                                             tls::PeerCertificate::kRequired};
  settings.peer_certificate = kAsked[keys.choice("client_auth", {"none", "optional", "required"},
                                                 with_authorities ? "required" : "none")];
  settings.minimum_version = keys.choice("minimum_version", {"1.2", "1.3"}, "1.2") == 0
                                 ? tls::Version::kTls12
                                 : tls::Version::kTls13;
  server->handshake_timeout = std::chrono::milliseconds(keys.number(
      "handshake_timeout_ms", static_cast<uint64_t>(server->handshake_timeout.count()), 1, 3'600'000));
  server->max_handshakes = keys.number("max_handshakes", server->max_handshakes, 1, 100'000);
  keys.expect_end();
  for (const auto& [file, key] : {std::pair{&settings.certificate, "certificate"}, {&settings.key, "key"}}) {
    if (file->empty()) fail(keys.pointer(key), "is missing: name the file (PEM)");
  }
  const bool asks = settings.peer_certificate != tls::PeerCertificate::kNone;
  if (asks && !with_authorities) {
    fail(keys.pointer("client_ca"),
         "is missing: name the file with the authorities of the clients' certificates");
  }
  if (!asks && with_authorities) {
    fail(keys.pointer("client_auth"), "is \"none\", so client_ca has no use; leave one of them out");
  }
  return settings;
}

}  // namespace

Config parse_config(std::string_view text) {
  json object = text.empty() ? json::object() : json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) fail("", "the configuration must be a JSON object");
  Keys keys(std::move(object));
  Config config;
  ServerOptions& server = config.server;
  const auto milliseconds = [&](const char* key, std::chrono::milliseconds fallback, uint64_t high) {
    return std::chrono::milliseconds(keys.number(key, static_cast<uint64_t>(fallback.count()), 1, high));
  };
  constexpr uint64_t kHour = 3'600'000;
  config.listen = keys.text("listen", config.listen);
  server.max_connections = keys.number("max_connections", server.max_connections, 1, 100'000);
  server.max_header_bytes = keys.number("max_header_bytes", server.max_header_bytes, 256, 1u << 20);
  server.max_body_bytes = keys.number("max_body_bytes", server.max_body_bytes, 1, 64u << 20);
  server.max_buffered_bytes =
      keys.number("max_buffered_bytes", server.max_buffered_bytes, 1u << 20, uint64_t{4} << 30);
  server.header_timeout = milliseconds("header_timeout_ms", server.header_timeout, kHour);
  server.body_timeout = milliseconds("body_timeout_ms", server.body_timeout, kHour);
  server.idle_timeout = milliseconds("idle_timeout_ms", server.idle_timeout, 24 * kHour);
  server.write_timeout = milliseconds("write_timeout_ms", server.write_timeout, kHour);
  config.mapping = keys.document("mapping");
  if (auto inside = keys.inside("tls")) config.tls = parse_tls(*inside, &server);
  keys.expect_end();
  // A chunked body's buffer doubles as it grows: one body of the full size must fit beside the idle
  // connections.
  constexpr uint64_t kPerConnection = 4096;
  const uint64_t needed =
      2 * (server.max_body_bytes + server.max_header_bytes) + server.max_connections * kPerConnection;
  server.max_buffered_bytes = std::max<uint64_t>(server.max_buffered_bytes, needed);
  return config;
}

}  // namespace weir::http
