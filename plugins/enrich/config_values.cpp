#include "config_values.h"

#include <array>
#include <charconv>
#include <utility>

#include "weir/plugin.hpp"

namespace weir::enrich {

void wrong(const std::string& pointer, const std::string& text) {
  throw sdk::Failure(WEIR_E_INVALID, text, pointer);
}

std::string token(std::string_view key) {
  std::string escaped("/");
  for (char c : key) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

const std::string& text_at(const Json& value, const std::string& pointer) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty())
    wrong(pointer, "must be a text, not empty");
  return value.get_ref<const std::string&>();
}

int64_t duration_at(const Json& value, const std::string& pointer) {
  constexpr std::array<std::pair<std::string_view, double>, 7> kUnitsOfTime{
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};
  const std::string& text = text_at(value, pointer);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  for (const auto& [name, nanoseconds] : kUnitsOfTime) {
    if (error != std::errc() || unit != name || number < 0) continue;
    const double total = number * nanoseconds;
    if (total < 9.2e18) return static_cast<int64_t>(total);
  }
  wrong(pointer, "must be a time such as \"24h\", \"5m\" or \"30s\"");
}

size_t count_at(const Json& value, const std::string& pointer, size_t most) {
  const int64_t number = value.is_number_integer() ? value.get<int64_t>() : 0;
  if (number < 1 || number > static_cast<int64_t>(most)) wrong(pointer, "must be 1 to " + std::to_string(most));
  return static_cast<size_t>(number);
}

}  // namespace weir::enrich
