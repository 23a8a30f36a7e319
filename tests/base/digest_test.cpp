#include "base/digest.h"

#include <gtest/gtest.h>

#include "support/temp_dir.h"

namespace weir::base {
namespace {

// FIPS 180-4's examples, published by NIST.
constexpr char kOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char kOfMillionA[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Digest, IsTheStandardsOne) {
  EXPECT_EQ(hex(sha256("")), kOfNothing);
  EXPECT_EQ(hex(sha256("abc")), kOfAbc);
}

TEST(Digest, DoesNotDependOnHowTheBytesArriveAndBeginsAnewAfterFinish) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  hash.update("bc");
  EXPECT_EQ(hex(hash.finish()), kOfAbc);
  EXPECT_EQ(hex(hash.finish()), kOfNothing);
}

TEST(Digest, OfAFileLargerThanOneReadIsThatOfItsBytes) {
  test::TempDir folder;
  Result<Digest> digest = sha256_file(folder.write("million", std::string(1'000'000, 'a')));
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(hex(*digest), kOfMillionA);
}

TEST(Digest, OfAMissingFileSaysWhichFileIsMissing) {
  Result<Digest> digest = sha256_file("/nowhere/plugin.so");
  ASSERT_FALSE(digest.ok());
  EXPECT_EQ(digest.error().code, Code::kNotFound);
  EXPECT_EQ(digest.error().text(), "/nowhere/plugin.so: cannot be read: No such file or directory");
}

TEST(Digest, OfAFolderIsRefused) {
  test::TempDir folder;
  EXPECT_FALSE(sha256_file(folder.path()).ok());
}

}  // namespace
}  // namespace weir::base
