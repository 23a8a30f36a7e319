// `weir plugin new`: what it makes builds with the installed SDK, loads, keeps the contract and packages itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/outsider.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

Finished plugin_new(const TempDir& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {installed_weir(), "plugin", "new"});
  ProcessOptions there;
  there.working_folder = folder.path();
  return run(arguments, there);
}

struct Kind {
  std::string kind, language;
};

std::string kind_name(const ::testing::TestParamInfo<Kind>& made) {
  return made.param.kind + (made.param.language == "c" ? "InC" : "InCpp");
}

class PluginNew : public ::testing::TestWithParam<Kind> {
 protected:
  void make() {
    Finished made = plugin_new(folder_, {"my-first", "--kind", GetParam().kind, "--lang", GetParam().language});
    ASSERT_EQ(made.exit.code, 0) << made.errors;
    build_with_cmake(project(), {"-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"});
  }
  std::string project() const { return folder_ / "my-first"; }
  std::string component() const { return "my-first." + GetParam().kind; }
  TempDir folder_;
};

TEST_P(PluginNew, MakesAProjectThatBuildsAndRunsInAGateway) {
  make();
  Finished inspect = weir({"plugin", "inspect", project() + "/build/lib/weir/plugins/my-first.so", "--json"});
  ASSERT_EQ(inspect.exit.code, 0) << inspect.errors;
  EXPECT_EQ(json::parse(inspect.output)["components"][0]["name"], component());
  EXPECT_EQ(json::parse(inspect.output)["plugin_version"], "0.1.0");

  Site site;
  site.use(installed_weir(), {project() + "/build/lib/weir/plugins"});
  site.main_line();
  const json config = json::parse(read_file(project() + "/check.json"));
  const bool source = GetParam().kind == "source";
  json manifest = {{"plugin", component()}, {"config", config}};
  if (!source) manifest["from"] = {"api"};
  site.manifest("mine", manifest);
  if (GetParam().kind != "sink") {
    site.manifest("store", {{"plugin", "sqlite.sink"}, {"from", {"mine"}}, {"config", {{"path", "data/events.db"}}}});
  }
  site.start();
  if (!source) {
    ASSERT_EQ(site.post(events(3)).status, 202);
  }
  EXPECT_TRUE(site.wait_settled(GetParam().kind == "sink" ? "mine" : "store", 3));
  EXPECT_TRUE(site.stopped_cleanly()) << site.log();
}

TEST_P(PluginNew, MakesAProjectThatKeepsTheContract) {
  make();
  run_or_throw({"ctest", "--test-dir", "build", "--output-on-failure"}, outsider_environment(project()));
}

TEST_P(PluginNew, MakesAProjectThatPackagesItself) {
  make();
  run_or_throw({"cpack", "--config", "build/CPackConfig.cmake", "-B", "build/packages"}, outsider_environment(project()));
  std::string package;
  for (const auto& entry : fs::directory_iterator(project() + "/build/packages")) {
    if (entry.path().extension() == ".deb") package = entry.path();
  }
  ASSERT_FALSE(package.empty());
  EXPECT_THAT(run({"dpkg-deb", "--contents", package}).output, HasSubstr("./usr/lib/weir/plugins/my-first.so"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, PluginNew,
                         ::testing::Values(Kind{"source", "c++"}, Kind{"transform", "c++"}, Kind{"sink", "c++"},
                                           Kind{"source", "c"}, Kind{"transform", "c"}, Kind{"sink", "c"}),
                         kind_name);

TEST(PluginNewRefuses, WhatIsThereAlready) {
  TempDir folder;
  folder.write("mine/precious.txt", "keep me");
  Finished made = plugin_new(folder, {"mine", "--kind", "sink"});
  EXPECT_EQ(made.exit.code, 2);
  EXPECT_THAT(made.errors, HasSubstr("there is a 'mine' here already"));
  EXPECT_FALSE(fs::exists(folder / "mine/CMakeLists.txt"));
}

TEST(PluginNewRefuses, NamesThatCannotBeOne) {
  TempDir folder;
  for (const char* name : {"Mine", "../mine", "my.sink", "9lives", "mine-", ""}) {
    Finished made = plugin_new(folder, {name, "--kind", "sink"});
    EXPECT_EQ(made.exit.code, 2) << name;
    EXPECT_THAT(made.errors, HasSubstr("cannot be the name of a plugin")) << name;
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(PluginNewRefuses, KindsAndLanguagesThatThereAreNot) {
  TempDir folder;
  EXPECT_EQ(plugin_new(folder, {"mine", "--kind", "bridge"}).exit.code, 2);
  EXPECT_EQ(plugin_new(folder, {"mine", "--kind", "sink", "--lang", "cobol"}).exit.code, 2);
  EXPECT_EQ(plugin_new(folder, {"mine"}).exit.code, 2);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace weir::test
