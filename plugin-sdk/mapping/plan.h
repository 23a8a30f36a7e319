// A mapping document, compiled. Constant once made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pattern.h"
#include "unix_time.h"
#include "weir/batch.h"
#include "weir/mapping/template.h"

namespace weir::mapping {

// Where in the document a rule stands, for faults: its JSON pointer.
using Place = std::string;

struct TextRule {
  Place place;
  Text text;
};

struct TimeRule {
  Place place;
  Pointer pointer;
  TimeUnit unit = TimeUnit::kRfc3339;
  std::string zone;       // of a text without one; "" refuses it
  bool optional = false;  // then missing, null, "" and 0 are no time
};

// A value as the event takes it; `text` when value_type is WEIR_STRING.
struct Constant {
  uint32_t value_type = WEIR_BOOL;
  weir_value value{};
  std::string text;
};

struct Words {
  std::vector<std::pair<std::string, Constant>> entries;
};

enum class As : uint8_t { kWritten, kNumber, kBoolean, kText };

struct ValueRule {
  Place place;
  As as = As::kWritten;
  std::optional<Words> words;
};

// Which members or elements are meant: those that match a glob of `only`, if there is one, and none of
// `ignore`.
struct Filter {
  std::vector<std::string> only, ignore;
};

struct Each {
  Place place;
  Pointer pointer;
  Filter filter;
};

struct MetadataRule {
  std::string key;
  TextRule value;
};

struct Reading {
  Place place;
  std::optional<Each> each;
  Pointer value;
  bool every_field = false;  // then `value` is an object, and each of its fields a reading
  bool nested = false;       // of every_field: and those of the objects in it
  Filter filter;             // of every_field
  TextRule type;
  std::vector<std::pair<std::string, std::string>> types;  // of every_field: a key or path, its sensor type
  std::optional<TextRule> device, unit;
  std::optional<TimeRule> time;
  std::vector<MetadataRule> metadata;  // the mapping's and the reading's own, when it has some
  ValueRule conversion;
  bool optional = false;
};

struct Plan {
  std::optional<Template> address;
  std::vector<std::string> variables;
  bool senml = false;
  bool text_payload = false;
  bool allow_empty = false;
  std::optional<Each> each;
  std::optional<TextRule> device, type;  // `type` of SenML
  std::optional<TimeRule> time;
  std::vector<MetadataRule> metadata;
  std::vector<std::pair<std::string, std::string>> units;  // a glob of sensor types, the unit they have else
  std::vector<std::pair<std::string, std::string>> unit_names;  // the sender's name of a unit, its UCUM code
  std::vector<Reading> readings;
};

}  // namespace weir::mapping
