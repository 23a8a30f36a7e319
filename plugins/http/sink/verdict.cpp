#include "verdict.h"

#include <algorithm>

#include "weir/text.hpp"

namespace weir::http::sink {
namespace {

constexpr size_t kMostOfBody = 200;
constexpr size_t kMostOfReason = 60;
constexpr size_t kMostOfLocation = 200;

// What an operator can do about a status of the endpoint.
const char* advice(int status) {
  if (status / 100 == 3) return "redirects are not followed: put the address that takes events into \"url\"";
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 407:
      return "check the credentials in \"headers\", and what they may do";
    case 404:
    case 405:
    case 410:
      return "check \"url\"";
    case 406:
    case 415:
      return "check \"format\" and \"compression\"";
    case 414:
    case 431:
      return "check \"url\" and \"headers\": they are too long for this server";
    default:
      return "check the configuration against what the server expects";
  }
}

}  // namespace

Verdict judge(int status) {
  if (status >= 200 && status < 300) return Verdict::kDelivered;
  if (status < 400) return Verdict::kEndpoint;
  if (status >= 500) return Verdict::kLater;
  switch (status) {
    case 408:  // Request Timeout
    case 409:  // Conflict: a request with this Idempotency-Key is still being worked on
    case 425:  // Too Early
    case 429:  // Too Many Requests
      return Verdict::kLater;
    case 401:
    case 402:
    case 403:
    case 404:
    case 405:
    case 406:
    case 407:
    case 410:
    case 411:
    case 414:
    case 415:
    case 417:
    case 421:
    case 423:
    case 426:
    case 428:
    case 431:
    case 451:
      return Verdict::kEndpoint;
    case 413:
      return Verdict::kTooLarge;
    default:
      return Verdict::kEvents;
  }
}

std::string one_line(std::string_view text, size_t most) {
  std::string out;
  while (!text.empty()) {
    const size_t size = std::max<size_t>(sdk::utf8_sequence(text), 1);
    if (out.size() + size > most) return out + "...";
    const auto byte = static_cast<uint8_t>(text.front());
    if (byte >= 0x80 && size == 1) {
      out += '?';  // not UTF-8
    } else if (byte > 0x20 && byte != 0x7F) {
      out += text.substr(0, size);
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
    text.remove_prefix(size);
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string describe(const client::Reply& reply) {
  std::string out = "HTTP " + std::to_string(reply.status);
  if (const std::string reason = one_line(reply.reason, kMostOfReason); !reason.empty()) out += " " + reason;
  if (reply.status / 100 == 3 && !reply.location.empty()) out += " to " + one_line(reply.location, kMostOfLocation);
  if (const std::string body = one_line(reply.body, kMostOfBody); !body.empty()) out += ": " + body;
  if (judge(reply.status) == Verdict::kEndpoint) out.append("; ").append(advice(reply.status));
  return out;
}

}  // namespace weir::http::sink
