#include "base/quantity.h"

#include <gtest/gtest.h>

#include "support/result.h"

namespace weir::base {
namespace {

using namespace std::chrono_literals;

TEST(Quantity, ReadsBytesInUnitsOf1000And1024) {
  EXPECT_EQ(parse_bytes("0").value(), 0U);
  EXPECT_EQ(parse_bytes("512").value(), 512U);
  EXPECT_EQ(parse_bytes("7B").value(), 7U);
  EXPECT_EQ(parse_bytes("2kB").value(), 2000U);
  EXPECT_EQ(parse_bytes("2KiB").value(), 2048U);
  EXPECT_EQ(parse_bytes("64MiB").value(), 64U << 20);
  EXPECT_EQ(parse_bytes("64 MiB").value(), 64U << 20);
  EXPECT_EQ(parse_bytes("1.5GiB").value(), 3ULL << 29);
  EXPECT_EQ(parse_bytes("3GB").value(), 3'000'000'000U);
}

TEST(Quantity, ReadsTimes) {
  EXPECT_EQ(parse_duration("0").value(), 0ns);
  EXPECT_EQ(parse_duration("5ns").value(), 5ns);
  EXPECT_EQ(parse_duration("40us").value(), 40us);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration("2m").value(), 2min);
  EXPECT_EQ(parse_duration("24h").value(), 24h);
  EXPECT_EQ(parse_duration("7d").value(), 7 * 24h);
}

TEST(Quantity, RefusesWhatIsNotASize) {
  for (const char* wrong :
       {"", "MiB", "64mib", "64 M", "-1", "1e999", "inf", "nan", "0x10", "64MiBs", "99999999999GiB"}) {
    auto size = parse_bytes(wrong);
    ASSERT_FALSE(size.ok()) << wrong;
    EXPECT_EQ(size.error().code, Code::kInvalid);
    EXPECT_EQ(size.error().text(),
              "'" + std::string(wrong) + "' is not a size (write for example 64MiB or 1GiB)");
  }
}

TEST(Quantity, RefusesATimeWithoutAUnit) {
  for (const char* wrong : {"", "5", "5 minutes", "-1s", "s", "1h30m", "nan s", "400000d"}) {
    auto time = parse_duration(wrong);
    ASSERT_FALSE(time.ok()) << wrong;
    EXPECT_EQ(time.error().text(),
              "'" + std::string(wrong) + "' is not a time (write for example 250ms, 30s or 24h)");
  }
}

TEST(Quantity, WritesBytesForPeople) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(64 << 20), "64.0 MiB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16777216.0 TiB");
}

TEST(Quantity, GroupsCountsByThousands) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(12345678), "12,345,678");
  EXPECT_EQ(human_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace weir::base
