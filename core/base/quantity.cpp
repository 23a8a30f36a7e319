#include "base/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>

namespace weir::base {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kByteUnits = {Unit{"B", 1},       Unit{"kB", 1e3},        Unit{"MB", 1e6},
                                   Unit{"GB", 1e9},    Unit{"KiB", 1024.0},    Unit{"MiB", 1048576.0},
                                   Unit{"GiB", 1073741824.0}, Unit{"", 1}};
constexpr std::array kTimeUnits = {Unit{"ns", 1},   Unit{"us", 1e3},     Unit{"ms", 1e6},    Unit{"s", 1e9},
                                   Unit{"m", 60e9}, Unit{"h", 3600e9},   Unit{"d", 86400e9}};

// A number and one of `units`, or nothing.
std::optional<double> parse(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  for (const Unit& known : units) {
    if (unit == known.name && number * known.factor < 9.2e18) return number * known.factor;
  }
  return std::nullopt;
}

}  // namespace

Result<uint64_t> parse_bytes(std::string_view text) {
  if (auto bytes = parse(text, kByteUnits)) return static_cast<uint64_t>(*bytes);
  return error(Code::kInvalid, "'" + std::string(text) + "' is not a size", "", "write for example 64MiB or 1GiB");
}

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  if (auto time = parse(text, kTimeUnits)) return Duration{static_cast<int64_t>(*time)};
  return error(Code::kInvalid, "'" + std::string(text) + "' is not a time", "", "write for example 250ms, 30s or 24h");
}

std::string human_bytes(uint64_t bytes) {
  constexpr std::array kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kNames[unit]);
  return text;
}

std::string human_count(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace weir::base
