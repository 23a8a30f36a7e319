// EXPECT_OK(status), ASSERT_OK(result): ok, or the test fails and shows the error's text.
#pragma once

#include <gtest/gtest.h>

#include "base/result.h"

namespace weir::test {

template <class T>
testing::AssertionResult is_ok(const base::Result<T>& result) {
  if (result.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << result.error().text();
}

}  // namespace weir::test

#define EXPECT_OK(expression) EXPECT_TRUE(::weir::test::is_ok(expression))
#define ASSERT_OK(expression) ASSERT_TRUE(::weir::test::is_ok(expression))
