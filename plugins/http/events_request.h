// What http.source offers over HTTP, and what it reads from a request besides its body.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "answer.h"

namespace Pistache::Http {
class Request;
}

namespace weir::http {

enum class Route : uint8_t { kEvents, kHealth };

// Finds what a request is for. 404 and 405 say what there is instead.
std::optional<Refusal> find_route(const Pistache::Http::Request& head, Route* route);

// W3C Trace Context level 1, section 3.2: which trace of the client's the events belong to.
struct TraceParent {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> parent_span{};
};

// Nothing when `header` is not valid: then it is ignored, as the standard asks.
std::optional<TraceParent> parse_traceparent(std::string_view header);

// The headers of a request that brings events.
struct EventsRequest {
  std::string idempotency_key;  // "" when there is none
  std::optional<TraceParent> trace_parent;
};

// 415 when the body is not said to be JSON in UTF-8.
std::optional<Refusal> check_content_type(const Pistache::Http::Request& head);

// 400 when the Idempotency-Key cannot be one.
std::optional<Refusal> read_events_request(const Pistache::Http::Request& head, EventsRequest* out);

}  // namespace weir::http
