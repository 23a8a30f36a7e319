#include "plugin/version.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::plugin {
namespace {

TEST(Version, OrdersAsTheSemverSpecificationDoes) {
  // Section 11 of Semantic Versioning 2.0.0, and numbers that no integer holds.
  const std::vector<std::string_view> ascending = {"",
                                                   "not a version",
                                                   "0.9.0",
                                                   "1.0.0-alpha",
                                                   "1.0.0-alpha.1",
                                                   "1.0.0-alpha.beta",
                                                   "1.0.0-beta",
                                                   "1.0.0-beta.2",
                                                   "1.0.0-beta.11",
                                                   "1.0.0-rc.1",
                                                   "1.0.0",
                                                   "1.0.9",
                                                   "1.0.10",
                                                   "1.2.0",
                                                   "1.10.0",
                                                   "2.0.0",
                                                   "10.0.0",
                                                   "99999999999999999999999.0.0"};
  for (size_t i = 0; i < ascending.size(); ++i) {
    for (size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_TRUE(compare_versions(ascending[i], ascending[j]) == (i <=> j))
          << ascending[i] << ", " << ascending[j];
    }
  }
}

TEST(Version, IgnoresBuildMetadata) { EXPECT_TRUE(compare_versions("1.0.0+linux", "1.0.0+debian") == 0); }

}  // namespace
}  // namespace weir::plugin
