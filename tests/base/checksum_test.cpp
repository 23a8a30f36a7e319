#include "base/checksum.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::base {
namespace {

// RFC 3720 appendix B.4.
TEST(Crc32c, AgreesWithTheStandard) {
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0').data(), 32), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF').data(), 32), 0x62A8AB43U);
  EXPECT_EQ(crc32c("", 0), 0U);
}

TEST(Crc32c, OfPiecesIsThatOfTheWhole) {
  const std::string text = "The quick brown fox jumps over the lazy dog, twice.";
  const uint32_t whole = crc32c(text.data(), text.size());
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    uint32_t first = crc32c(text.data(), cut);
    EXPECT_EQ(crc32c(text.data() + cut, text.size() - cut, first), whole) << "cut at " << cut;
  }
}

TEST(Crc32c, ChangesWithEveryBit) {
  std::string text(40, 'x');
  const uint32_t before = crc32c(text.data(), text.size());
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(crc32c(damaged.data(), damaged.size()), before) << "bit " << bit;
  }
}

}  // namespace
}  // namespace weir::base
