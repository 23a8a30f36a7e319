// The configuration of an http.sink instance.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../client/url.h"
#include "compression.h"
#include "weir/mapping/event_json_writer.h"
#include "weir/tls/credentials.h"

namespace weir::http::sink {

enum class Format : uint8_t { kJson, kNdjson };

struct Config {
  client::Url url;
  std::optional<tls::Settings> tls;  // with an https URL, and only then
  Format format = Format::kJson;
  mapping::EventFields fields = mapping::EventFields::kFull;
  Compression compression = Compression::kNone;
  std::vector<std::pair<std::string, std::string>> headers;
  uint32_t requests_in_flight = 4;
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds connect_timeout{5'000};
  uint32_t batch_events = 500;
  uint32_t batch_bytes = 1024 * 1024;
  uint32_t linger_ms = 100;
};

// JSON Schema, draft-07: what an operator may write, and the documentation of every key.
extern const char kConfigSchema[];

// Reads the configuration. Throws sdk::Failure that names the key.
Config parse_config(std::string_view json);

}  // namespace weir::http::sink
