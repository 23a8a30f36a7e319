// Conditions on events: the small language of `when` in manifests, for any plugin that wants the same one.
//
//   sensor_type == 'temperature' && value > 80
//   device_id like 'boiler-*' && !(metadata.site in ['a', 'b'])
//   has(unit) && unit != 'Cel' || retained
//
//   fields     device_id, sensor_type, unit           text
//              value                                  whatever the device sent: a number, text, true or false
//              timestamp, received_at                 integers, nanoseconds since the Unix epoch
//              metadata.KEY, metadata['KEY']          text; compared with a number it is read as one
//              derived, replayed, retained, clock_suspect, no_device_time    flags, conditions by themselves
//   literals   80, -2.5e3, 'text', "text" (escapes \\ \' \"), true, false
//   operators  == != < <= > >=, in [..], like 'PATTERN' (* any text, ? one character), has(FIELD), ! && || and ( )
//
// && binds stronger than ||, ! strongest. What an event does not have, or has in another type, makes a comparison false,
// and != true. Text is compared byte by byte. There are no calls, loops or arithmetic: a condition always ends, allocates
// nothing and has no effect.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "weir/batch.h"

namespace weir::condition {

inline constexpr size_t kMaxBytes = 4096;  // of a condition's text
inline constexpr uint32_t kMaxDepth = 64;  // of brackets and ! in each other

// Why a text is no condition.
struct Fault {
  uint32_t column = 1;   // of the character where it went wrong, from 1
  std::string message;   // what is wrong, one line
  std::string expected;  // what would be right; may be empty
};

struct Program;

// A compiled condition. Cheap to copy, never changes. [any thread]
class Condition {
 public:
  static std::variant<Condition, Fault> compile(std::string_view text);

  // Whether it holds for event i of a validated batch. Takes time proportional to the text and, for `like`, to the
  // field's length times the pattern's.
  bool holds(const weir_batch* batch, uint32_t i) const;

 private:
  explicit Condition(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace weir::condition
