// A request as the application sees it, read by Pistache's parser from a head that has passed the gate.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "answer.h"

namespace Pistache::Http {
class Request;
}

namespace weir::http {

// This many bytes behind a request's body are readable, so that a SIMD parser needs no copy of it.
inline constexpr size_t kBodyPadding = 64;

// Views: valid during the call that is given it. Include <pistache/http.h> to look into the head.
struct Request {
  const Pistache::Http::Request& head;  // method, path, query, and the headers the gate keeps
  std::string_view body;
  std::string_view subject = {};  // of the client's certificate, RFC 4514; "" without one
};

// Reads heads with Pistache's RequestParser. It sees only what the gate has checked and filtered, one whole
// head at a time and never a body: given pieces, it was seen to loop for ever and to take one request for
// two.
class HeadReader {
 public:
  explicit HeadReader(size_t max_header_bytes);
  ~HeadReader();

  // Reads a head filtered by check_head(). On success request() is it, until the next call.
  std::optional<Refusal> read(std::string_view filtered);
  const Pistache::Http::Request& request() const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace weir::http
