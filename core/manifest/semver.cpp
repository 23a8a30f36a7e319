#include "manifest/semver.h"

#include <array>
#include <charconv>
#include <optional>

#include "manifest/problem.h"

namespace weir::manifest {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kIdentifier = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";

bool consists_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

// A number of semver section 2: digits, no leading zero.
std::optional<uint64_t> parse_number(std::string_view text) {
  if (!consists_of(text, kDigits) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  uint64_t number = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || number > 999'999'999) return std::nullopt;
  return number;
}

// What is before the first `separator`; `text` becomes what is after it.
std::string_view cut(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

bool good_identifiers(std::string_view text, bool prerelease) {
  if (text.empty() || text.ends_with('.')) return false;
  while (!text.empty()) {
    const std::string_view one = cut(text, '.');
    if (!consists_of(one, kIdentifier)) return false;
    if (prerelease && consists_of(one, kDigits) && one.size() > 1 && one.front() == '0') return false;
  }
  return true;
}

// Splits "1.2.3-rc.1+build" and checks the tail; `core` becomes "1.2.3".
std::optional<std::string> take_prerelease(std::string_view& core) {
  if (const size_t plus = core.find('+'); plus != std::string_view::npos) {
    if (!good_identifiers(core.substr(plus + 1), false)) return std::nullopt;
    core = core.substr(0, plus);
  }
  const size_t dash = core.find('-');
  if (dash == std::string_view::npos) return "";
  const std::string_view prerelease = core.substr(dash + 1);
  if (!good_identifiers(prerelease, true)) return std::nullopt;
  core = core.substr(0, dash);
  return std::string(prerelease);
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool a_number = consists_of(a, kDigits), b_number = consists_of(b, kDigits);
  if (a_number != b_number) return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
  if (a_number && a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

std::strong_ordering compare_prereleases(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.empty() <=> b.empty();  // none is the later one
  while (!a.empty() && !b.empty()) {
    if (auto order = compare_identifiers(cut(a, '.'), cut(b, '.')); order != 0) return order;
  }
  return !a.empty() <=> !b.empty();
}

base::Error no_range(std::string_view text) {
  return base::error(base::Code::kInvalid, in_quotes(text) + " is not a version range", "",
                     "for example ^1.0, ~1.2, \">=1.0 <2\", 1.2.3 or *");
}

}  // namespace

base::Result<Version> Version::parse(std::string_view text) {
  const auto bad =
      base::error(base::Code::kInvalid, in_quotes(text) + " is not a version", "", "for example 1.2.3");
  std::string_view core = text;
  auto prerelease = take_prerelease(core);
  if (!prerelease) return bad;
  std::array<uint64_t, 3> numbers{};
  for (size_t i = 0; i < 3; ++i) {
    if (i < 2 && core.find('.') == std::string_view::npos) return bad;
    auto number = parse_number(i < 2 ? cut(core, '.') : core);
    if (!number) return bad;
    numbers[i] = *number;
  }
  return Version{numbers[0], numbers[1], numbers[2], *prerelease};
}

std::string Version::text() const {
  std::string text = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  return prerelease.empty() ? text : text + "-" + prerelease;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (auto order = major <=> other.major; order != 0) return order;
  if (auto order = minor <=> other.minor; order != 0) return order;
  if (auto order = patch <=> other.patch; order != 0) return order;
  return compare_prereleases(prerelease, other.prerelease);
}

// A version of which the end may be missing: "1", "1.2", "1.x", "*".
struct VersionRange::Partial {
  Version version;
  size_t numbers = 0;  // how many of the three were given

  // The first version after all that begin with these numbers, as if `kept` had been given.
  Version next(size_t kept) const {
    if (kept == 0) return {};
    if (kept == 1) return {version.major + 1, 0, 0, ""};
    if (kept == 2) return {version.major, version.minor + 1, 0, ""};
    return {version.major, version.minor, version.patch + 1, ""};
  }
};

base::Result<VersionRange::Partial> VersionRange::parse_partial(std::string_view text) {
  Partial partial;
  std::string_view core = text;
  auto prerelease = take_prerelease(core);
  if (!prerelease || core.empty() || core.ends_with('.')) return no_range(text);
  uint64_t* const places[] = {&partial.version.major, &partial.version.minor, &partial.version.patch};
  bool open = false;  // an x or * was seen: nothing may follow but more of them
  for (size_t i = 0; !core.empty(); ++i) {
    const std::string_view part = cut(core, '.');
    if (i == 3) return no_range(text);
    if (part == "*" || part == "x" || part == "X") {
      open = true;
      continue;
    }
    const auto number = parse_number(part);
    if (!number || open) return no_range(text);
    *places[i] = *number;
    partial.numbers = i + 1;
  }
  if (!prerelease->empty() && partial.numbers != 3) return no_range(text);
  partial.version.prerelease = *prerelease;
  return partial;
}

bool VersionRange::Bound::admits(const Version& candidate) const {
  const auto order = candidate <=> version;
  switch (relation) {
    case Relation::kLess:
      return order < 0;
    case Relation::kLessOrEqual:
      return order <= 0;
    case Relation::kEqual:
      return order == 0;
    case Relation::kGreaterOrEqual:
      return order >= 0;
    case Relation::kGreater:
      return order > 0;
  }
  return false;
}

// Turns one part of a range into bounds: ^1.2 is >=1.2.0 <2.0.0.
void VersionRange::add(std::string_view relation, const Partial& partial) {
  const size_t given = partial.numbers;
  if (given == 0) {
    // "*" with any relation but < and >, which nothing fits.
    if (relation == "<" || relation == ">") bounds_.push_back({Relation::kLess, {}});
    return;
  }
  const Version& version = partial.version;
  const auto from_until = [&](size_t kept) {
    bounds_.push_back({Relation::kGreaterOrEqual, version});
    bounds_.push_back({Relation::kLess, partial.next(kept)});
  };
  if (relation == "^") {
    // Compatible: up to a change of the first number that is not zero.
    const bool zero_major = version.major == 0 && given > 1;
    from_until(!zero_major ? 1 : version.minor == 0 && given > 2 ? 3 : 2);
  } else if (relation == "~") {
    from_until(given == 1 ? 1 : 2);
  } else if (relation == ">=") {
    bounds_.push_back({Relation::kGreaterOrEqual, version});
  } else if (relation == "<") {
    bounds_.push_back({Relation::kLess, version});
  } else if (relation == ">") {
    bounds_.push_back(given == 3 ? Bound{Relation::kGreater, version}
                                 : Bound{Relation::kGreaterOrEqual, partial.next(given)});
  } else if (relation == "<=") {
    bounds_.push_back(given == 3 ? Bound{Relation::kLessOrEqual, version}
                                 : Bound{Relation::kLess, partial.next(given)});
  } else if (given == 3) {
    bounds_.push_back({Relation::kEqual, version});
  } else {
    from_until(given);
  }
}

base::Result<VersionRange> VersionRange::parse(std::string_view text) {
  VersionRange range;
  range.text_ = text;
  const auto skip_spaces = [&] {
    while (!text.empty() && (text.front() == ' ' || text.front() == ',')) text.remove_prefix(1);
  };
  skip_spaces();
  if (text.empty()) return no_range(range.text_);
  while (!text.empty()) {
    std::string_view relation;
    for (std::string_view known : {"^", "~", ">=", "<=", ">", "<", "="}) {
      if (!text.starts_with(known)) continue;
      relation = known;
      text.remove_prefix(known.size());
      break;
    }
    skip_spaces();
    const size_t end = std::min(text.find_first_of(" ,"), text.size());
    auto partial = parse_partial(text.substr(0, end));
    if (!partial.ok()) return no_range(range.text_);
    text.remove_prefix(end);
    range.add(relation, *partial);
    skip_spaces();
  }
  return range;
}

bool VersionRange::contains(const Version& version) const {
  bool named = version.prerelease.empty();
  for (const Bound& bound : bounds_) {
    if (!bound.admits(version)) return false;
    const Version& of = bound.version;
    named = named || (!of.prerelease.empty() && of.major == version.major && of.minor == version.minor &&
                      of.patch == version.patch);
  }
  return named;
}

bool VersionRange::contains(std::string_view version) const {
  auto parsed = Version::parse(version);
  return parsed.ok() && contains(*parsed);
}

}  // namespace weir::manifest
