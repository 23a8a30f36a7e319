// Templates of paths and topics: what a device says by where it speaks.
//
//   /{site}/{device_id}                  an HTTP path
//   tele/{device_id}/SENSOR              an MQTT topic
//   shellies/shellyht-{serial}/status    text before and behind a variable, in one level
//   zigbee2mqtt/{device_id...}           the last variable may take all levels that are left
//   plant/+/{device_id}/#                + is any level, # at the end any rest, as in MQTT
//
// Levels are split at '/'. A variable takes at least one byte. Nothing is decoded: who has a path with %20 in
// it decodes the values, or the path before it is matched.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::mapping {

struct TemplateFault {
  size_t column = 0;    // where in the template, or in the path or topic; counts bytes from 1
  std::string message;  // one line that names the column
};

class Template {
 public:
  // Nothing, and *fault, when it is not a template: a brace without its partner, two variables in one level,
  // a name that is not [a-z_][a-z0-9_]* or comes twice, a rest that is not at the end.
  static std::optional<Template> compile(std::string_view text, TemplateFault* fault);

  // Matches all of `subject`. On success `values` holds one value for each of names(), views into `subject`.
  // [any thread]
  bool match(std::string_view subject, std::vector<std::string_view>* values, TemplateFault* fault) const;

  const std::string& text() const { return text_; }
  // The variables from left to right.
  const std::vector<std::string>& names() const { return names_; }
  // The MQTT topic filter (MQTT 5.0 section 4.7) that lets through what can match, and perhaps more.
  std::string topic_filter() const;

 private:
  enum class Kind { kText, kVariable, kRest, kAnyLevel, kAnyRest };
  struct Level {
    Kind kind = Kind::kText;
    std::string before, behind;  // of a variable; `before` alone is the text of a level without one
  };

  bool add_level(std::string_view level, size_t column, TemplateFault* fault);
  bool add_variable(std::string_view level, size_t open, size_t column, TemplateFault* fault);

  std::string text_;
  std::vector<Level> levels_;
  std::vector<std::string> names_;
};

}  // namespace weir::mapping
