#include "config.h"

#include <algorithm>
#include <utility>

#include "config_keys.h"
#include "tls_settings.h"

namespace weir::http {

namespace {

// The part "tls".
tls::Settings parse_tls(ConfigKeys& keys, ServerOptions* server) {
  tls::Settings settings;
  read_tls(keys, "client_ca", &settings);
  const bool with_authorities = !settings.authorities.empty();
  constexpr tls::PeerCertificate kAsked[] = {tls::PeerCertificate::kNone, tls::PeerCertificate::kOptional,
                                             tls::PeerCertificate::kRequired};
  settings.peer_certificate = kAsked[keys.word("client_auth", {"none", "optional", "required"}, with_authorities ? 2 : 0)];
  server->handshake_timeout = std::chrono::milliseconds(keys.number(
      "handshake_timeout_ms", static_cast<uint64_t>(server->handshake_timeout.count()), 1, 3'600'000));
  server->max_handshakes = keys.number("max_handshakes", server->max_handshakes, 1, 100'000);
  keys.expect_end();
  for (const auto& [file, key] : {std::pair{&settings.certificate, "certificate"}, {&settings.key, "key"}}) {
    if (file->empty()) fail_config(keys.pointer(key), "is missing: name the file (PEM)");
  }
  const bool asks = settings.peer_certificate != tls::PeerCertificate::kNone;
  if (asks && !with_authorities) {
    fail_config(keys.pointer("client_ca"),
         "is missing: name the file with the authorities of the clients' certificates");
  }
  if (!asks && with_authorities) {
    fail_config(keys.pointer("client_auth"), "is \"none\", so client_ca has no use; leave one of them out");
  }
  return settings;
}

}  // namespace

Config parse_config(std::string_view text) {
  ConfigKeys keys(text);
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
