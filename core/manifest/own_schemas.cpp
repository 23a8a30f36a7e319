#include "manifest/own_schemas.h"

#include <string_view>
#include <utility>

namespace weir::manifest {
namespace {

// The descriptions end up in messages, after "expected". Sizes and times are read further by base/quantity.h.
constexpr std::string_view kGateway = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "gateway_id": { "type": "string", "description": "the gateway's name, the same for all its life" },
    "data_dir": { "type": "string", "minLength": 1, "description": "the folder of the journal" },
    "plugin_dirs": { "type": "array", "items": { "type": "string", "minLength": 1 } },
    "admin": {
      "type": "object",
      "additionalProperties": false,
      "properties": { "listen": { "type": "string", "description": "ADDRESS:PORT" } }
    },
    "journal": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "max_bytes": { "type": ["string", "integer"], "description": "a size such as \"1GiB\"" },
        "retention": { "type": "string", "description": "a time such as \"24h\"" },
        "segment_bytes": { "type": ["string", "integer"], "description": "a size such as \"64MiB\"" }
      }
    },
    "memory": {
      "type": "object",
      "additionalProperties": false,
      "properties": { "max_bytes": { "type": ["string", "integer"], "description": "a size such as \"64MiB\"" } }
    }
  }
})";

constexpr std::string_view kInstance = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["plugin"],
  "properties": {
    "plugin": { "type": "string", "description": "PLUGIN.COMPONENT, for example \"http.source\"" },
    "version": { "type": "string", "description": "a range such as \"^1.0\"" },
    "enabled": { "type": "boolean" },
    "from": {
      "type": ["array", "string"],
      "minItems": 1,
      "description": "the names of the instances whose events this one gets",
      "items": {
        "type": ["string", "object"],
        "description": "an instance's name",
        "additionalProperties": false,
        "required": ["instance"],
        "properties": { "instance": { "type": "string" }, "when": { "type": "string" } }
      }
    },
    "config": { "type": "object" },
    "durability": { "enum": ["strict", "relaxed"] },
    "flush_ms": { "type": "integer", "minimum": 1, "maximum": 60000 },
    "start": { "enum": ["now", "oldest"] },
    "on_error": { "enum": ["dead-letter", "drop", "retry"] },
    "retry": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "initial": { "type": "string", "description": "a time such as \"1s\"" },
        "max": { "type": "string", "description": "a time such as \"60s\"" },
        "multiplier": { "type": "number", "minimum": 1, "maximum": 10 },
        "jitter": { "type": "number", "minimum": 0, "maximum": 1 },
        "give_up_after": { "type": "string", "description": "a time such as \"1h\", or \"0\" for never" }
      }
    },
    "limits": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "events_per_second": { "type": "integer", "minimum": 1, "maximum": 100000000 },
        "bytes_in_flight": { "type": ["string", "integer"], "description": "a size such as \"8MiB\"" },
        "batch_events": { "type": "integer", "minimum": 1, "maximum": 100000 },
        "batch_bytes": { "type": ["string", "integer"], "description": "a size such as \"1MiB\"" },
        "memory_bytes": { "type": ["string", "integer"], "description": "a size such as \"128MiB\"" },
        "pending_bytes": { "type": ["string", "integer"], "description": "a size such as \"256MiB\"" }
      }
    },
    "isolation": { "enum": ["in-process", "process"] }
  }
})";

Schema ready(std::string_view text) {
  auto schema = Schema::parse(text);
  WEIR_CHECK(schema.ok());  // it is a constant of ours
  return std::move(schema).value();
}

}  // namespace

const Schema& gateway_schema() {
  static const Schema schema = ready(kGateway);
  return schema;
}

const Schema& instance_schema() {
  static const Schema schema = ready(kInstance);
  return schema;
}

}  // namespace weir::manifest
