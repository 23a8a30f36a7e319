// Requests in a device's own words: the path says which device it is, a mapping (docs/mapping.md) what its JSON means.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/mapping/mapping.h"

namespace weir::http {

// The route of one mapping. One thread.
class MappedRoute {
 public:
  // `document` is the configuration's "mapping". Without a "template" of its own its path is
  // /v1/telemetry/{device_id}. Throws sdk::Failure with the key inside of "/mapping" that is wrong.
  explicit MappedRoute(const std::string& document);

  // Whether a request for this path is one of the route's; parse() then takes the variables from it. A path
  // whose percent-encoding is broken (RFC 3986 section 2.1) is none.
  bool match(std::string_view path);

  // The events of a request whose path was matched last; see mapping::MappedParser::parse.
  bool parse(std::string_view body, int64_t received_ns, sdk::BatchBuilder& out, mapping::PayloadFault* fault);

  // Gives back the memory that a large body took.
  void forget() { parser_ = mapping::MappedParser(); }

  const std::string& path() const { return address_.text(); }

 private:
  std::unique_ptr<const mapping::Mapping> mapping_;
  mapping::Template address_;
  mapping::MappedParser parser_;
  std::vector<std::string_view> raw_;   // of the path
  std::vector<std::string> decoded_;    // the same, without percent-encoding
  std::vector<std::string_view> values_;
};

}  // namespace weir::http
