// The address of an HTTP server's resource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http::client {

struct Url {
  bool secure = false;    // https
  std::string host;       // a name or an address, an IPv6 one without its brackets
  uint16_t port = 80;
  std::string authority;  // as the Host header has it (RFC 9112 section 3.2)
  std::string target;     // path and query, "/" at least

  // What may be shown: path and query can hold a secret.
  std::string origin() const { return (secure ? "https://" : "http://") + authority; }
};

// Reads "http://HOST[:PORT][/PATH][?QUERY]", or https (RFC 9110 section 4.2). Returns nothing on success, else why it is
// refused and what to write instead, one line.
std::optional<std::string> parse_url(std::string_view text, Url* url);

}  // namespace weir::http::client
