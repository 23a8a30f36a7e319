#include "config.h"

#include <nlohmann/json.hpp>

#include "weir/plugin.hpp"

namespace weir::sqlite {

const char kConfigSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "required": ["path"],
  "properties": {
    "path": {
      "type": "string", "minLength": 1,
      "description": "The database file. It and its folder are made when they are missing. The table is 'events'."
    },
    "busy_timeout_ms": {
      "type": "integer", "minimum": 0, "maximum": 60000, "default": 5000,
      "description": "How long a batch waits while another program holds the write lock, before it is tried again."
    },
    "synchronous": {
      "enum": ["full", "normal"], "default": "full",
      "description": "full: what is delivered survives a power cut. normal: faster, but a power cut may undo the last batches, which are not delivered again."
    }
  }
})";

Config parse_config(std::string_view json) {
  const nlohmann::json tree = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) throw sdk::Failure(WEIR_E_INVALID, "the configuration must be a JSON object");
  Config config;
  for (const auto& [key, value] : tree.items()) {
    const std::string pointer = "/" + key;
    if (key == "path") {
      if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        throw sdk::Failure(WEIR_E_INVALID, "path must be a file name", pointer);
      }
      config.path = value.get<std::string>();
    } else if (key == "busy_timeout_ms") {
      if (!value.is_number_integer() || value < 0 || value > 60000) {
        throw sdk::Failure(WEIR_E_INVALID, "busy_timeout_ms must be an integer from 0 to 60000", pointer);
      }
      config.busy_timeout = std::chrono::milliseconds(value.get<int64_t>());
    } else if (key == "synchronous") {
      if (value != "full" && value != "normal") {
        throw sdk::Failure(WEIR_E_INVALID, "synchronous must be \"full\" or \"normal\"", pointer);
      }
      config.full_sync = value == "full";
    } else {
      throw sdk::Failure(WEIR_E_INVALID, "unknown key; known are path, busy_timeout_ms and synchronous",
                         pointer);
    }
  }
  if (config.path.empty())
    throw sdk::Failure(WEIR_E_INVALID, "path is missing: name the database file", "/path");
  return config;
}

}  // namespace weir::sqlite
