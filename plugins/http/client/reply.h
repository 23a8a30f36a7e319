// What a server answered to a request.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace weir::http::client {

struct Reply {
  int status = 0;
  std::string reason;  // "Service Unavailable"
  std::string retry_after, date, location;  // the headers of these names, "" without
  std::string body;
};

// A request on the wire: its head (the empty line included) and its body.
struct Request {
  std::string head;
  std::string body;
};

// How an exchange ended: with a reply, or with why there is none (one line).
struct Outcome {
  std::optional<Reply> reply;
  std::string trouble;
};

}  // namespace weir::http::client
