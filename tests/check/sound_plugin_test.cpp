// Right plugins pass, and what could not be tried is not called passed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "check/catalogue.h"
#include "check_run.h"
#include "support/temp_dir.h"

namespace weir::check {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Answers 202 only when the events are stored, so curl waits for the settlement.
constexpr char kPost[] =
    "curl --silent --max-time 4 --header 'content-type: application/json' "
    "--data '{\"device_id\":\"d1\",\"sensor_type\":\"t\",\"value\":1.5}' http://$WEIR_CHECK_LISTEN/v1/events";

void expect_sound(const Checked& checked) {
  ASSERT_TRUE(checked.report.is_object()) << checked.finished.errors;
  EXPECT_THAT(checked.with("failed"), IsEmpty()) << checked.finished.output;
  EXPECT_THAT(checked.with("not run"), IsEmpty()) << checked.finished.output;
  EXPECT_EQ(checked.finished.exit.code, 0);
}

TEST(SoundPlugin, ExamplesPass) {
  expect_sound(check(example_plugin("null-sink")));
  expect_sound(check(example_plugin("pass-transform")));
}
TEST(SoundPlugin, SqlitePasses) { expect_sound(check(shipped_plugin("sqlite"))); }
TEST(SoundPlugin, EnrichPasses) { expect_sound(check(shipped_plugin("enrich"))); }
TEST(SoundPlugin, HttpPassesWithAStimulus) { expect_sound(check(shipped_plugin("http"), "", {"--stimulus", kPost})); }
TEST(SoundPlugin, SeededOnesPassWithoutAFault) {
  for (const char* plugin : {"seeded-sink", "seeded-transform", "seeded-count", "seeded-source"}) {
    expect_sound(check(test_plugin(plugin), "", {"--stimulus", "true"}));
  }
}

TEST(PluginCheck, CallsWhatNeedsEventsNotRunWithoutAStimulus) {
  const Checked checked = check(shipped_plugin("http"));
  EXPECT_EQ(checked.finished.exit.code, 1);
  EXPECT_THAT(checked.with("failed"), IsEmpty());
  EXPECT_THAT(checked.with("not run"), Contains("credit"));
  EXPECT_THAT(checked.with("not run"), Contains("emitted-batches"));
  EXPECT_THAT(checked.finished.output, HasSubstr("no event was emitted: pass --stimulus 'command'"));
}

TEST(PluginCheck, AsksForAConfigurationThatItCannotMake) {
  const Checked without = check(test_plugin("seeded-sink"), "needs-a-configuration");
  EXPECT_EQ(without.finished.exit.code, 1);
  EXPECT_THAT(without.with("failed"), IsEmpty());
  EXPECT_THAT(without.with("not run"), Contains("create"));
  EXPECT_THAT(without.with("not run"), Contains("work"));
  EXPECT_THAT(without.finished.output, HasSubstr("give --config"));
}

TEST(PluginCheck, UsesTheConfigurationThatIsGiven) {
  const test::TempDir folder;
  std::ofstream(folder / "wrong.json") << "{ \"level\": \"high\" } // as in a manifest\n";
  std::ofstream(folder / "right.json") << "{ \"level\": 3 } // as in a manifest\n";
  const Checked wrong = check(test_plugin("seeded-sink"), "", {"--config", folder / "wrong.json"});
  EXPECT_THAT(wrong.with("not run"), Contains("create"));
  EXPECT_THAT(wrong.finished.output, HasSubstr("does not fit the schema"));
  const Checked right = check(test_plugin("seeded-sink"), "", {"--only", "work", "--config", folder / "right.json"});
  expect_sound(right);
  EXPECT_THAT(right.with("passed"), Not(Contains("leak"))) << "--only runs what work stands on";
}

TEST(PluginCheck, PrintsALineACheckAndFindingsInFull) {
  test::ProcessOptions options;
  options.environment = {{"WEIR_TEST_FAULT", "no-description"}};
  const test::Finished text = test::run({build_folder() + "/bin/weir", "plugin", "check", test_plugin("seeded-sink"), "--only", "descriptor"}, options);
  EXPECT_EQ(text.exit.code, 1);
  EXPECT_THAT(text.output, HasSubstr("  failed   descriptor"));
  EXPECT_THAT(text.output, HasSubstr("  what   it has no description\n"));
  EXPECT_THAT(text.output, HasSubstr("  guide  docs/plugin-author/checks.md#descriptor\n"));
  EXPECT_THAT(text.output, HasSubstr("1 passed, 1 failed, 0 not run: the plugin breaks the contract\n"));
}

TEST(PluginCheck, EndsWithTwoWhenItIsUsedWrongly) {
  const std::string weir = build_folder() + "/bin/weir";
  EXPECT_EQ(test::run({weir, "plugin", "check"}).exit.code, 2);
  EXPECT_EQ(test::run({weir, "plugin", "check", "/nowhere.so"}).exit.code, 2);
  EXPECT_EQ(test::run({weir, "plugin", "check", test_plugin("seeded-sink"), "--only", "luck"}).exit.code, 2);
  EXPECT_EQ(test::run({weir, "plugin", "check", test_plugin("seeded-sink"), "--component", "seeded.source"}).exit.code, 2);
  EXPECT_EQ(test::run({weir, "plugin", "check", test_plugin("seeded-sink"), "--config", "/nowhere.json"}).exit.code, 2);
}

TEST(PluginCheck, ListsEveryCheckAndTheGuideHasAPartForEach) {
  const test::Finished list = test::run({build_folder() + "/bin/weir", "plugin", "check", "--list"});
  EXPECT_EQ(list.exit.code, 0);
  const std::string guide = test::read_file(WEIR_CHECKS_GUIDE);
  for (const Check& one : catalogue()) {
    EXPECT_THAT(list.output, HasSubstr(std::string("  ") + one.name + " ")) << one.name;
    EXPECT_THAT(guide, HasSubstr(std::string("\n### ") + one.name + "\n")) << one.name;
  }
}

}  // namespace
}  // namespace weir::check
