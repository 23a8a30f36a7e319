#include "manifest/settings.h"

#include <nlohmann/json.hpp>

#include "base/quantity.h"

namespace weir::manifest {

using nlohmann::json;

const json* Settings::find(const std::string& pointer) const {
  const json::json_pointer place(pointer);
  return document_.root().contains(place) ? &document_.root().at(place) : nullptr;
}

std::optional<std::string> Settings::text(const std::string& pointer) const {
  const json* value = find(pointer);
  return value != nullptr && value->is_string() ? std::optional<std::string>(*value) : std::nullopt;
}

std::optional<bool> Settings::boolean(const std::string& pointer) const {
  const json* value = find(pointer);
  return value != nullptr && value->is_boolean() ? std::optional<bool>(*value) : std::nullopt;
}

std::optional<uint64_t> Settings::integer(const std::string& pointer) const {
  const json* value = find(pointer);
  return value != nullptr && value->is_number_unsigned() ? std::optional<uint64_t>(*value) : std::nullopt;
}

std::optional<double> Settings::number(const std::string& pointer) const {
  const json* value = find(pointer);
  return value != nullptr && value->is_number() ? std::optional<double>(*value) : std::nullopt;
}

std::optional<uint64_t> Settings::bytes(const std::string& pointer, uint64_t at_least, uint64_t at_most) {
  const json* value = find(pointer);
  if (value == nullptr) return std::nullopt;
  uint64_t bytes = 0;
  if (value->is_string()) {
    auto parsed = base::parse_bytes(value->get_ref<const std::string&>());
    if (!parsed.ok()) {
      refuse(pointer, in_quotes(value->get_ref<const std::string&>()) + " is not a size",
             "for example \"64MiB\" or \"1GiB\"");
      return std::nullopt;
    }
    bytes = *parsed;
  } else if (value->is_number_unsigned()) {
    bytes = *value;
  }
  if (bytes >= at_least && bytes <= at_most) return bytes;
  refuse(pointer, value->dump() + " is out of range",
         "a size from " + base::human_bytes(at_least) + " to " + base::human_bytes(at_most));
  return std::nullopt;
}

std::optional<base::Duration> Settings::duration(const std::string& pointer, base::Duration at_least) {
  const auto written = text(pointer);
  if (!written) return std::nullopt;
  auto parsed = base::parse_duration(*written);
  if (!parsed.ok()) {
    refuse(pointer, in_quotes(*written) + " is not a time", "for example \"250ms\", \"30s\" or \"24h\"");
    return std::nullopt;
  }
  if (*parsed >= at_least) return *parsed;
  refuse(pointer, in_quotes(*written) + " is too short", "at least " + base::human_duration(at_least));
  return std::nullopt;
}

void Settings::refuse(const std::string& pointer, std::string what, std::string expected) {
  problems_.push_back(document_.value_problem(pointer, std::move(what), std::move(expected)));
}

}  // namespace weir::manifest
