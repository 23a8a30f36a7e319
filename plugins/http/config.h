// The configuration of http.source; config_schema.h documents its keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server.h"
#include "weir/tls/credentials.h"

namespace weir::http {

struct Config {
  std::string listen = "127.0.0.1:8080";
  ServerOptions server;
  std::optional<tls::Settings> tls;  // without: plain HTTP
  std::string mapping;               // a document, see mapped_route.h; "": none
};

// Reads the configuration. Throws sdk::Failure that names the key.
Config parse_config(std::string_view json);

}  // namespace weir::http
