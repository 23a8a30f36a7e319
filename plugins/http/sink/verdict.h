// What a status says about the events of a request. docs/decisions/012-http-sink.md says why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "../client/reply.h"

namespace weir::http::sink {

enum class Verdict : uint8_t {
  kDelivered,  // 2xx: the server has them
  kLater,      // 408, 409, 425, 429, 5xx: try again, when Retry-After says so
  kEndpoint,   // 3xx, and what a 4xx says about address, rights or form: an operator has to mend it, and no event is at fault
  kTooLarge,   // 413: fewer events may pass
  kEvents      // every other 4xx: one of the events, or all
};
Verdict judge(int status);

// "HTTP 404 Not Found: no such path; check \"url\"": the status, the beginning of the body, and what an operator can
// do about it. One line of UTF-8, at most a few hundred bytes.
std::string describe(const client::Reply& reply);

// The beginning of outside text as one line of UTF-8 of at most `most` bytes, without control characters.
std::string one_line(std::string_view text, size_t most);

}  // namespace weir::http::sink
