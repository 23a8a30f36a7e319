#include "manifest/semver.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::manifest {
namespace {

TEST(Version, ReadsWhatSemverAllows) {
  for (const char* text :
       {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-rc.1", "1.0.0-0.3.7", "1.0.0-x-y.z"}) {
    auto version = Version::parse(text);
    ASSERT_TRUE(version.ok()) << text;
    EXPECT_EQ(version->text(), text);
  }
  EXPECT_EQ(Version::parse("1.2.3+build.5")->text(), "1.2.3");
}

TEST(Version, RefusesEverythingElse) {
  for (const char* text :
       {"", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.x", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+",
        "1.2.3-a.", " 1.2.3", "1.2.3 ", "1..3", "-1.2.3", "99999999999999999999.0.0"}) {
    EXPECT_FALSE(Version::parse(text).ok()) << text;
  }
  EXPECT_EQ(Version::parse("1.2").error().text(), "\"1.2\" is not a version (for example 1.2.3)");
}

TEST(Version, OrdersAsSemverSectionElevenDoes) {
  const std::vector<const char*> ascending = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                                              "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
                                              "1.0.0-rc.1",  "1.0.0",         "1.0.1",
                                              "1.2.0",       "1.10.0",        "2.0.0"};
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      const auto order = *Version::parse(ascending[i]) <=> *Version::parse(ascending[j]);
      EXPECT_EQ(order, i <=> j) << ascending[i] << " and " << ascending[j];
    }
  }
}

struct Row {
  const char* range;
  std::vector<const char*> inside;
  std::vector<const char*> outside;
};

TEST(VersionRange, HoldsWhatItsTextSays) {
  const std::vector<Row> table = {
      {"*", {"0.0.1", "1.2.3", "9.9.9"}, {"1.0.0-rc.1"}},
      {"1.2.3", {"1.2.3"}, {"1.2.2", "1.2.4", "1.2.3-rc.1"}},
      {"=1.2.3", {"1.2.3"}, {"1.2.4"}},
      {"1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
      {"1", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0"}},
      {"1.x", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {"1.2.*", {"1.2.0", "1.2.9"}, {"1.3.0"}},
      {"^1.0", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0", "2.0.0-alpha", "1.5.0-rc.1"}},
      {"^1.2.3", {"1.2.3", "1.3.0"}, {"1.2.2", "2.0.0"}},
      {"^1", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.2.2", "0.3.0"}},
      {"^0.2", {"0.2.0", "0.2.9"}, {"0.3.0", "0.1.9"}},
      {"^0.0.3", {"0.0.3"}, {"0.0.4", "0.0.2"}},
      {"^0.0", {"0.0.0", "0.0.9"}, {"0.1.0"}},
      {"^0", {"0.0.0", "0.9.9"}, {"1.0.0"}},
      {"~1.2", {"1.2.0", "1.2.9"}, {"1.1.9", "1.3.0"}},
      {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
      {"~1", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      {">=1.0 <2", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0"}},
      {">= 1.0, < 2", {"1.0.0", "1.9.9"}, {"0.9.9", "2.0.0"}},
      {">1.2", {"1.3.0", "2.0.0"}, {"1.2.0", "1.2.9"}},
      {">1.2.3", {"1.2.4"}, {"1.2.3"}},
      {"<=1.2", {"1.2.9", "0.1.0"}, {"1.3.0"}},
      {"<=1.2.3", {"1.2.3"}, {"1.2.4"}},
      {"<1.2", {"1.1.9"}, {"1.2.0"}},
      {">*", {}, {"0.0.0", "1.0.0"}},
      {"^1.3.0-rc.1", {"1.3.0-rc.1", "1.3.0-rc.2", "1.3.0", "1.9.0"}, {"1.3.0-beta", "1.4.0-rc.1", "1.2.9"}},
  };
  for (const Row& row : table) {
    auto range = VersionRange::parse(row.range);
    ASSERT_TRUE(range.ok()) << row.range;
    EXPECT_EQ(range->text(), row.range);
    for (const char* version : row.inside)
      EXPECT_TRUE(range->contains(version)) << row.range << " and " << version;
    for (const char* version : row.outside)
      EXPECT_FALSE(range->contains(version)) << row.range << " and " << version;
  }
}

TEST(VersionRange, RefusesWhatIsNoRange) {
  for (const char* text : {"", " ", "latest", "^", ">=", "1.2.3.4", "1..2", "1.x.3", "^1.0-rc", "1.2.",
                           "1 || 2", "v1", ">=1 <", "==1", "^^1"}) {
    EXPECT_FALSE(VersionRange::parse(text).ok()) << text;
  }
  EXPECT_EQ(VersionRange::parse("latest").error().text(),
            "\"latest\" is not a version range (for example ^1.0, ~1.2, \">=1.0 <2\", 1.2.3 or *)");
}

TEST(VersionRange, HoldsNothingThatIsNoVersion) { EXPECT_FALSE(VersionRange().contains("one")); }

}  // namespace
}  // namespace weir::manifest
