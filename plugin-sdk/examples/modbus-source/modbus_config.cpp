#include "modbus_config.h"

#include <map>
#include <nlohmann/json.hpp>

#include "weir/plugin.hpp"

namespace modbus_source {

const char kConfigSchema[] = R"json({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "additionalProperties": false,
  "required": ["device", "device_id", "registers"],
  "properties": {
    "device": { "type": "string", "pattern": "^.+:[0-9]+$", "description": "host:port; Modbus TCP's port is 502" },
    "device_id": { "type": "string", "minLength": 1, "description": "The device_id of every event" },
    "unit_id": { "type": "integer", "minimum": 1, "maximum": 247, "default": 1 },
    "poll_ms": { "type": "integer", "minimum": 10, "maximum": 86400000, "default": 1000 },
    "timeout_ms": { "type": "integer", "minimum": 10, "maximum": 10000, "default": 1000,
                    "description": "How long one answer may take" },
    "max_backoff_ms": { "type": "integer", "minimum": 250, "maximum": 3600000, "default": 30000 },
    "registers": { "type": "array", "minItems": 1, "maxItems": 1000, "items": {
      "type": "object", "additionalProperties": false, "required": ["table", "address", "type", "sensor_type"],
      "properties": {
        "table": { "enum": ["holding", "input"] },
        "address": { "type": "integer", "minimum": 0, "maximum": 65535 },
        "type": { "enum": ["u16", "i16", "u32", "i32", "f32"] },
        "sensor_type": { "type": "string", "minLength": 1 },
        "unit": { "type": "string", "description": "UCUM code" },
        "scale": { "type": "number", "default": 1 }
      } } }
  }
})json";

namespace {

using nlohmann::json;

const std::map<std::string, Type> kTypes = {
    {"u16", Type::kU16}, {"i16", Type::kI16}, {"u32", Type::kU32}, {"i32", Type::kI32}, {"f32", Type::kF32}};

Register read_register(const json& tree) {
  return {tree.at("table") == "holding" ? Table::kHolding : Table::kInput,
          tree.at("address").get<int>(),
          kTypes.at(tree.at("type").get<std::string>()),
          tree.at("sensor_type").get<std::string>(),
          tree.value("unit", ""),
          tree.value("scale", 1.0)};
}

}  // namespace

Config read_config(std::string_view text) {
  const json tree = json::parse(text);
  Config config;
  const std::string device = tree.at("device").get<std::string>();
  const size_t colon = device.rfind(':');
  config.host = device.substr(0, colon);
  config.port = device.substr(colon + 1);
  config.device_id = tree.at("device_id").get<std::string>();
  config.unit_id = tree.value("unit_id", config.unit_id);
  config.poll = std::chrono::milliseconds(tree.value("poll_ms", config.poll.count()));
  config.timeout = std::chrono::milliseconds(tree.value("timeout_ms", config.timeout.count()));
  config.max_backoff = std::chrono::milliseconds(tree.value("max_backoff_ms", config.max_backoff.count()));
  for (const json& one : tree.at("registers")) config.registers.push_back(read_register(one));
  for (size_t i = 0; i < config.registers.size(); ++i) {
    // The one rule that a schema cannot say.
    if (config.registers[i].address + config.registers[i].words() > 65536) {
      throw weir::sdk::Failure(WEIR_E_INVALID, "its second word would be register 65536, and the last one is 65535",
                               "/registers/" + std::to_string(i) + "/address");
    }
  }
  return config;
}

}  // namespace modbus_source
