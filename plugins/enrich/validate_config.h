// The rules of an enrich.validate instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "unit_table.h"

namespace weir::enrich {

struct Range {
  std::optional<double> min;   // inclusive
  std::optional<double> max;   // inclusive
  const Unit* unit = nullptr;  // of the limits; null: they are compared with the value as it is
};

enum class ValueKind { kAny, kNumber, kInteger, kBoolean, kString, kBytes };

// What is asked of the events of one sensor type.
struct SensorRule {
  std::optional<Range> range;
  ValueKind kind = ValueKind::kAny;
};

struct ValidateConfig {
  // Finds a std::string by std::string_view without making one.
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  bool needs_unit = false;
  bool needs_timestamp = false;
  std::vector<std::string> needed_metadata;
  std::unordered_map<std::string, SensorRule, Hash, std::equal_to<>> sensors;
  std::optional<int64_t> max_age_ns;
  std::optional<int64_t> max_ahead_ns;
  std::string max_age, max_ahead;  // as they were written, for messages
  bool drop = false;               // what happens to a violation: dropped, or to the dead letters

  static const char kSchema[];
  // Throws sdk::Failure (WEIR_E_INVALID, with the key's JSON pointer).
  static ValidateConfig parse(std::string_view json);
};

}  // namespace weir::enrich
