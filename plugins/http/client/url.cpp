#include "url.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>

namespace weir::http::client {
namespace {

constexpr std::string_view kPlainScheme = "http://", kSecureScheme = "https://";
constexpr uint16_t kPlainPort = 80, kSecurePort = 443;
constexpr size_t kLongestHost = 253;  // RFC 1035 section 2.3.4

bool alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestHost && std::all_of(text.begin(), text.end(), [](char c) {
    return alphanumeric(c) || c == '-' || c == '.' || c == '_';
  });
}

// Takes host and port off an authority.
std::optional<std::string> parse_authority(std::string_view text, Url* url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return "the IPv6 address has no closing bracket";
    url->host = text.substr(1, end - 1);
    boost::system::error_code wrong;
    boost::asio::ip::make_address_v6(url->host, wrong);
    if (wrong) return "\"" + url->host + "\" is not an IPv6 address";
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return "after the IPv6 address comes a : and the port, or nothing";
  } else {
    const size_t colon = text.find(':');
    url->host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
    if (!is_host_name(url->host)) return "it names no host: write https://HOST:PORT/PATH";
  }
  if (port.empty()) return std::nullopt;
  port.remove_prefix(1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), url->port);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size() || url->port == 0) {
    return "the port must be a number from 1 to 65535";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> parse_url(std::string_view text, Url* url) {
  const bool secure = text.starts_with(kSecureScheme);
  if (!secure && !text.starts_with(kPlainScheme)) return "it must begin with https:// or http://";
  text.remove_prefix(secure ? kSecureScheme.size() : kPlainScheme.size());
  const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return "a user and a password do not belong here: put an Authorization header into \"headers\"";
  }
  *url = {};
  url->secure = secure;
  url->port = secure ? kSecurePort : kPlainPort;
  if (auto wrong = parse_authority(authority, url)) return wrong;
  url->authority = authority;
  url->target = text.substr(authority.size());
  if (!url->target.starts_with('/')) url->target.insert(0, 1, '/');
  for (const char c : url->target) {
    if (c == '#') return "a part after # is never sent to a server: leave it out";
    if (c <= ' ' || c > '~' || c == '"' || c == '<' || c == '>') {
      return "spaces, quotes and what is not ASCII must be percent-encoded (%20) in path and query";
    }
  }
  return std::nullopt;
}

}  // namespace weir::http::client
