// The events that a server names in its answer.
//
// A server that answers 400, 422 or another status about events may say which of them it refuses, and why:
//   {"rejected": [{"index": 3, "reason": "unknown device"}], "others": "stored"}
//
//   rejected  at least one event: its place in the request, from 0, and a text. Every other member of it is ignored
//   others    "stored": the server has taken the events that are not named. Anything else, or nothing: it has not, and
//             they are sent again without the named ones
//
// A place that is not in the request or is named twice makes the answer doubtful: then it counts as one that names
// nothing. So does JSON of any other form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::http::sink {

struct Rejection {
  uint32_t index;
  std::string reason;  // one line, "" when the server gives none
};

struct Rejections {
  std::vector<Rejection> rejected;
  bool others_stored = false;
};

// Reads the body of an answer to a request of `count` events.
std::optional<Rejections> parse_rejections(std::string_view body, size_t count);

}  // namespace weir::http::sink
