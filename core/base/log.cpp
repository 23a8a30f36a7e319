#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace weir::base {
namespace {

spdlog::logger& logger() {
  static std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("weir", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum spd(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kOff: return spdlog::level::off;
    case Level::kError: break;
  }
  return spdlog::level::err;
}

// One call is one line, whatever a device sent: control characters (C0, DEL, C1 in UTF-8) are written as \xNN, so that
// nobody can begin a line of the log or command a terminal. A backslash stays as it is: the text is for people.
std::string printable(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  auto escape = [&](unsigned char c) { out += {'\\', 'x', kDigits[c >> 4], kDigits[c & 15]}; };
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c < 0x20 || c == 0x7F) {
      escape(c);
    } else if (c == 0xC2 && next >= 0x80 && next < 0xA0) {
      escape(c);
      escape(static_cast<unsigned char>(next));
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

void set_log_level(Level level) { logger().set_level(spd(level)); }

void log(Level level, std::string_view who, std::string_view line) {
  if (!logger().should_log(spd(level))) return;
  logger().log(spd(level), "[{}] {}", printable(who), printable(line));
}

}  // namespace weir::base
