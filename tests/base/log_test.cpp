#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace weir::base {
namespace {

class Log : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { set_log_level(Level::kInfo); }
  std::string written() { return testing::internal::GetCapturedStderr(); }
};

TEST_F(Log, LineSaysWhenHowBadAndWho) {
  log_warn("api", "the journal is full");
  EXPECT_THAT(written(),
              testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
                                    "warn(ing)? +\\[api\\] the journal is full\n"));
}

TEST_F(Log, BracesInALineAreNotAFormat) {
  log_error("{}", "100 % of {0} {");
  EXPECT_THAT(written(), testing::HasSubstr("[{}] 100 % of {0} {\n"));
}

TEST_F(Log, NobodyForgesALineOrCommandsATerminal) {
  log_warn("dev\nice", "a\nb\r\tc\x1b[31m\x7f d\xC2\x9B" "e");
  std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, testing::HasSubstr("[dev\\x0aice] a\\x0ab\\x0d\\x09c\\x1b[31m\\x7f d\\xc2\\x9be"));
}

TEST_F(Log, TextInAnyLanguageStaysAsItIs) {
  log_warn("x", "Temp\xC3\xA9rature \xE2\x82\xAC C:\\data");
  EXPECT_THAT(written(), testing::HasSubstr("Temp\xC3\xA9rature \xE2\x82\xAC C:\\data\n"));
}

TEST_F(Log, LinesBelowTheLevelAreNotWritten) {
  log(Level::kDebug, "x", "one");
  set_log_level(Level::kError);
  log_warn("x", "two");
  set_log_level(Level::kDebug);
  log(Level::kDebug, "x", "three");
  std::string text = written();
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("one")));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("two")));
  EXPECT_THAT(text, testing::HasSubstr("three"));
}

}  // namespace
}  // namespace weir::base
