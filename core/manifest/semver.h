// Semantic versions (semver.org 2.0.0) and the ranges that manifests ask for.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::manifest {

struct Version {
  uint64_t major = 0;
  uint64_t minor = 0;
  uint64_t patch = 0;
  std::string prerelease;  // "rc.1"; build metadata is read and dropped, it does not order versions

  // "1.2.3", "1.2.3-rc.1", "1.2.3+build".
  static base::Result<Version> parse(std::string_view text);

  std::string text() const;
  // The precedence of semver section 11: a prerelease comes before its release.
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }
};

// "^1.0", "~1.2", ">=1.0 <2", "1.2.3", "1.2", "*". Parts side by side must all hold.
// A prerelease is in a range only when the range names a prerelease of the same major.minor.patch: who asks
// for ^1.0 does not want 1.3.0-rc.1.
class VersionRange {
 public:
  // "*": every release.
  VersionRange() = default;

  static base::Result<VersionRange> parse(std::string_view text);

  bool contains(const Version& version) const;
  // The same for a version as a plugin states it; text that is no version is in no range.
  bool contains(std::string_view version) const;
  // As it was written.
  const std::string& text() const { return text_; }
  bool operator==(const VersionRange& other) const { return text_ == other.text_; }

 private:
  enum class Relation { kLess, kLessOrEqual, kEqual, kGreaterOrEqual, kGreater };
  struct Bound {
    Relation relation;
    Version version;
    bool admits(const Version& candidate) const;
  };
  struct Partial;

  static base::Result<Partial> parse_partial(std::string_view text);
  void add(std::string_view relation, const Partial& partial);

  std::string text_ = "*";
  std::vector<Bound> bounds_;
};

}  // namespace weir::manifest
