// The one logger of the process: lines on standard error for the people who run the gateway. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace weir::base {

// kOff writes nothing: for tests that break things on purpose.
enum class Level { kDebug = 1, kInfo = 2, kWarn = 3, kError = 4, kOff = 5 };

// Sets the lowest level that is written; kInfo at start.
void set_log_level(Level level);

// Writes "time level [who] line", control characters in both escaped as \xNN. `who` is a part of the gateway or an instance's name.
void log(Level level, std::string_view who, std::string_view line);

inline void log_info(std::string_view who, std::string_view line) { log(Level::kInfo, who, line); }
inline void log_warn(std::string_view who, std::string_view line) { log(Level::kWarn, who, line); }
inline void log_error(std::string_view who, std::string_view line) { log(Level::kError, who, line); }

}  // namespace weir::base
