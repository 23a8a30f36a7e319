#include "validate_config.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "config_values.h"
#include "conversion.h"
#include "weir/plugin.hpp"

namespace weir::enrich {
namespace {

void parse_required(const Json& fields, ValidateConfig& config) {
  if (!fields.is_array()) wrong("/required", "must be an array of fields");
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string pointer = "/required/" + std::to_string(i);
    const std::string& field = text_at(fields[i], pointer);
    constexpr std::string_view kMetadata = "metadata.";
    if (field == "unit") {
      config.needs_unit = true;
    } else if (field == "timestamp") {
      config.needs_timestamp = true;
    } else if (field.starts_with(kMetadata) && field.size() > kMetadata.size()) {
      config.needed_metadata.push_back(field.substr(kMetadata.size()));
    } else {
      wrong(pointer,
            "must be \"unit\", \"timestamp\" or \"metadata.KEY\" (device_id, sensor_type and value are "
            "always there)");
    }
  }
}

Range parse_range(const Json& limits, const std::string& pointer) {
  if (!limits.is_object()) wrong(pointer, "must be an object with min, max or both");
  Range range;
  for (const auto& [key, value] : limits.items()) {
    const std::string at = pointer + token(key);
    if (key == "min" || key == "max") {
      if (!value.is_number() || !std::isfinite(value.get<double>())) wrong(at, "must be a number");
      (key == "min" ? range.min : range.max) = value.get<double>();
    } else if (key == "unit") {
      range.unit = find_unit(text_at(value, at));
      if (range.unit == nullptr)
        wrong(at, "is not in the unit table; leave it out to compare values as they are");
    } else {
      wrong(at, "unknown key; known are min, max and unit");
    }
  }
  if (!range.min && !range.max) wrong(pointer, "needs min, max or both");
  if (range.min && range.max && *range.min > *range.max) wrong(pointer, "its min is above its max");
  return range;
}

ValueKind parse_kind(const Json& value, const std::string& pointer) {
  constexpr std::array<std::pair<std::string_view, ValueKind>, 5> kKinds{{{"number", ValueKind::kNumber},
                                                                          {"integer", ValueKind::kInteger},
                                                                          {"boolean", ValueKind::kBoolean},
                                                                          {"string", ValueKind::kString},
                                                                          {"bytes", ValueKind::kBytes}}};
  for (const auto& [name, kind] : kKinds) {
    if (value == name) return kind;
  }
  wrong(pointer, "must be \"number\", \"integer\", \"boolean\", \"string\" or \"bytes\"");
}

}  // namespace

const char ValidateConfig::kSchema[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "required": {
      "type": "array", "items": { "type": "string", "pattern": "^(unit|timestamp|metadata\\..+)$" },
      "description": "Fields that every event must have: \"unit\", \"timestamp\" (the device's own) and \"metadata.KEY\"."
    },
    "ranges": {
      "type": "object",
      "additionalProperties": {
        "type": "object", "additionalProperties": false,
        "properties": {
          "min": { "type": "number", "description": "The least value that is right." },
          "max": { "type": "number", "description": "The greatest value that is right." },
          "unit": { "type": "string", "description": "The limits' unit: an event in another unit of the same quantity is converted before it is compared, one without a unit is taken to be in this one." }
        }
      },
      "description": "Limits by sensor type. Its values must be numbers."
    },
    "types": {
      "type": "object",
      "additionalProperties": { "enum": ["number", "integer", "boolean", "string", "bytes"] },
      "description": "The kind of value by sensor type."
    },
    "max_age": {
      "type": "string",
      "description": "How old an event may be when the gateway receives it, by the device's timestamp: \"24h\"."
    },
    "max_ahead": {
      "type": "string",
      "description": "How far in the gateway's future the device's timestamp may be: \"5m\"."
    },
    "on_violation": {
      "enum": ["dead-letter", "drop"], "default": "dead-letter",
      "description": "dead-letter: the event is kept apart with the reason. drop: it is only counted."
    }
  }
})";

ValidateConfig ValidateConfig::parse(std::string_view json) {
  const Json tree = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!tree.is_object()) wrong("", "the configuration must be a JSON object");
  ValidateConfig config;
  for (const auto& [key, value] : tree.items()) {
    const std::string pointer = token(key);
    if (key == "required") {
      parse_required(value, config);
    } else if (key == "ranges" || key == "types") {
      if (!value.is_object()) wrong(pointer, "must be an object by sensor type");
      for (const auto& [sensor_type, rule] : value.items()) {
        const std::string at = pointer + token(sensor_type);
        if (key == "ranges") {
          config.sensors[sensor_type].range = parse_range(rule, at);
        } else {
          config.sensors[sensor_type].kind = parse_kind(rule, at);
        }
      }
    } else if (key == "max_age") {
      config.max_age_ns = duration_at(value, pointer);
      config.max_age = value;
    } else if (key == "max_ahead") {
      config.max_ahead_ns = duration_at(value, pointer);
      config.max_ahead = value;
    } else if (key == "on_violation") {
      if (value != "dead-letter" && value != "drop") wrong(pointer, "must be \"dead-letter\" or \"drop\"");
      config.drop = value == "drop";
    } else {
      wrong(pointer, "unknown key; known are required, ranges, types, max_age, max_ahead and on_violation");
    }
  }
  return config;
}

}  // namespace weir::enrich
