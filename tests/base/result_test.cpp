#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace weir::base {
namespace {

TEST(Error, TextSaysWhereWhatAndWhatToDo) {
  EXPECT_EQ(error(Code::kInvalid, "unknown key", "api.json:3:5", "remove it").text(),
            "api.json:3:5: unknown key (remove it)");
  EXPECT_EQ(error(Code::kInvalid, "unknown key").text(), "unknown key");
  EXPECT_EQ(error(Code::kInvalid, "unknown key", "", "remove it").text(), "unknown key (remove it)");
}

TEST(Result, CarriesAValueOrAnError) {
  Result<int> good = 7;
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 7);
  Result<int> bad = error(Code::kFull, "no room");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Code::kFull);
}

TEST(Result, MovesAValueThatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(3);
  std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 3);
}

TEST(Result, HoldsAnErrorAsAValueWithoutConfusingTheTwo) {
  // The value's type may be convertible to what an error is made of.
  Result<std::string> text = std::string("cannot open");
  EXPECT_TRUE(text.ok());
}

TEST(Status, IsOkByDefault) {
  Status status;
  EXPECT_TRUE(status.ok());
  status = error(Code::kTimeout, "late");
  EXPECT_EQ(status.error().code, Code::kTimeout);
}

TEST(ResultDeathTest, AskingAnErrorForItsValueEndsTheProcessInReleaseBuildsToo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Result<int> bad = error(Code::kFull, "no room");
  EXPECT_DEATH(static_cast<void>(bad.value()), "weir: defect at .*result.h:[0-9]+: ok\\(\\)");
  Status fine;
  EXPECT_DEATH(static_cast<void>(fine.error()), "weir: defect at");
}

}  // namespace
}  // namespace weir::base
