// What an X.509 certificate says (RFC 5280), as far as a log line or an event's metadata needs it. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::tls {

struct Certificate {
  std::string subject, issuer;            // RFC 4514: "CN=meter-7,O=Plant"; UTF-8 without control characters
  int64_t not_before = 0, not_after = 0;  // Unix time, seconds
};

// Reads the DER form. Nothing when it is none. It checks no signature.
std::optional<Certificate> read_certificate(std::string_view der);
// The first certificate of a PEM text.
std::optional<Certificate> read_certificate_pem(std::string_view pem);

// "2026-01-31T12:00:00Z"
std::string utc_text(int64_t unix_seconds);

}  // namespace weir::tls
