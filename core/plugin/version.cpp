#include "plugin/version.h"

#include <algorithm>
#include <array>
#include <optional>

namespace weir::plugin {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes what stands before the first `separator` off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  std::string_view first = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return first;
}

// Of any length, so compared as text: first without leading zeros by length, then digit by digit.
std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

struct Version {
  std::array<std::string_view, 3> core;
  std::string_view prerelease;
};

std::optional<Version> parse(std::string_view text) {
  text = text.substr(0, text.find('+'));
  Version version;
  std::string_view core = take(text, '-');
  version.prerelease = text;
  if (std::count(core.begin(), core.end(), '.') != 2) return std::nullopt;
  for (std::string_view& number : version.core) {
    number = take(core, '.');
    if (!is_number(number)) return std::nullopt;
  }
  return version;
}

// Semantic Versioning 2.0.0, 11.4: identifier by identifier; numbers before words; more identifiers are
// higher.
std::weak_ordering compare_prereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return b.size() <=> a.size();  // a release is higher than its pre-releases
  while (!a.empty() && !b.empty()) {
    std::string_view left = take(a, '.');
    std::string_view right = take(b, '.');
    std::weak_ordering order = is_number(left) && is_number(right)   ? compare_numbers(left, right)
                               : is_number(left) != is_number(right) ? is_number(right) <=> is_number(left)
                                                                     : std::weak_ordering(left <=> right);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

}  // namespace

std::weak_ordering compare_versions(std::string_view a, std::string_view b) {
  std::optional<Version> left = parse(a);
  std::optional<Version> right = parse(b);
  if (!left || !right) {
    return left.has_value() == right.has_value() ? std::weak_ordering(a <=> b)
                                                 : left.has_value() <=> right.has_value();
  }
  for (size_t i = 0; i < left->core.size(); ++i) {
    if (auto order = compare_numbers(left->core[i], right->core[i]); order != 0) return order;
  }
  return compare_prereleases(left->prerelease, right->prerelease);
}

}  // namespace weir::plugin
