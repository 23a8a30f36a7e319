#include "request.h"

#include <pistache/http.h>

namespace weir::http {

struct HeadReader::Parser {
  explicit Parser(size_t max_bytes) : pistache(max_bytes) {}
  Pistache::Http::RequestParser pistache;
};

// The filtered head can be a little longer than the one received: "a:b" becomes "a: b".
HeadReader::HeadReader(size_t max_header_bytes) : parser_(std::make_unique<Parser>(2 * max_header_bytes)) {}
HeadReader::~HeadReader() = default;

std::optional<Refusal> HeadReader::read(std::string_view filtered) {
  using Pistache::Http::Code;
  auto& parser = parser_->pistache;
  try {
    parser.reset();
    if (parser.feed(filtered.data(), filtered.size()) &&
        parser.parse() == Pistache::Http::Private::State::Done) {
      return std::nullopt;
    }
    return Refusal{400, "bad_request", "the request's head cannot be read", {}};
  } catch (const Pistache::Http::HttpError& error) {
    if (error.code() == static_cast<int>(Code::Unsupported_Media_Type)) {
      return Refusal{415, "unsupported_media_type", "send the body as Content-Type: application/json", {}};
    }
    return Refusal{400, "bad_request", std::string("the request's head cannot be read: ") + error.what(), {}};
  } catch (const std::exception& error) {
    return Refusal{400, "bad_request", std::string("the request's head cannot be read: ") + error.what(), {}};
  }
}

const Pistache::Http::Request& HeadReader::request() const { return parser_->pistache.request; }

}  // namespace weir::http
