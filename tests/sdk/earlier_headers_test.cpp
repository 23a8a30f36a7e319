// Plugins that were written against the headers of an earlier tag run in today's gateway.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>

#include "sdk/outsider.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string tags_folder() { return source_folder() + "/plugin-sdk/abi/tags"; }

std::vector<std::string> tags() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(tags_folder())) names.push_back(entry.path().filename());
  return names;
}

// Compiles a tag's plugins with the tag's headers; today's SDK gives nothing but the link options of that time.
void compile(const std::string& tag, const std::string& output) {
  const std::string include = "-I" + tags_folder() + "/" + tag + "/include";
  for (const auto& entry : fs::directory_iterator(tags_folder() + "/" + tag)) {
    const bool c = entry.path().extension() == ".c";
    if (!c && entry.path().extension() != ".cpp") continue;
    std::vector<std::string> command = {c ? "gcc" : "g++", c ? "-std=c11" : "-std=c++20", include};
    command.insert(command.end(), {"-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-O1", "-shared",
                                   "-Wl,--version-script=" + installed_prefix() + "/lib/cmake/weir-sdk/plugin.map",
                                   "-Wl,-z,defs", "-Wl,-z,now", "-o", output + "/" + entry.path().stem().string() + ".so",
                                   entry.path()});
    run_or_throw(command, {});
  }
}

// Every constant of the headers in a folder, as it is written: enumerators and macros without parameters.
std::map<std::string, std::string> constants(const std::string& folder) {
  std::map<std::string, std::string> all;
  const std::regex macro(R"(#define (WEIR_[A-Z0-9_]+) +([^\n]*?) *(?:/\*[^\n]*)?\n)");
  const std::regex enumerator(R"((WEIR_[A-Z0-9_]+) = ([^,/}\n]*[^,/}\n ]))");
  for (const auto& entry : fs::directory_iterator(folder + "/weir")) {
    if (entry.path().extension() != ".h") continue;
    const std::string text = read_file(entry.path());
    for (const std::regex& form : {macro, enumerator}) {
      for (std::sregex_iterator match(text.begin(), text.end(), form), end; match != end; ++match) {
        all[(*match)[1]] = (*match)[2];
      }
    }
  }
  return all;
}

class EarlierHeaders : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  std::string tag() const { return std::get<0>(GetParam()); }
  std::string isolation() const { return std::get<1>(GetParam()); }
};

TEST_P(EarlierHeaders, MakePluginsThatTodaysGatewayRuns) {
  TempDir plugins;
  compile(tag(), plugins.path());
  Site site;
  site.use(installed_weir(), {plugins.path()});
  site.manifest("numbers", {{"plugin", "every.source"}, {"isolation", isolation()}});
  site.manifest("doubled", {{"plugin", "every.transform"}, {"from", {"numbers"}}, {"isolation", isolation()}});
  site.manifest("even", {{"plugin", "every.sink"}, {"from", {"doubled"}}, {"isolation", isolation()}});
  site.manifest("nowhere", {{"plugin", "null.sink"}, {"from", {"numbers"}}, {"isolation", isolation()}});
  site.start();
  for (const char* sink : {"even", "nowhere"}) {
    EXPECT_TRUE(site.wait_settled(sink, 3)) << sink;
    EXPECT_EQ(site.consumer(sink)["delivered"], 3) << sink;
  }
  EXPECT_TRUE(site.stopped_cleanly()) << site.log();
}

TEST_P(EarlierHeaders, HaveNoConstantThatMeansSomethingElseToday) {
  const auto then = constants(tags_folder() + "/" + tag() + "/include");
  const auto now = constants(installed_prefix() + "/include");
  EXPECT_GT(then.size(), 60u);
  for (const auto& [name, value] : then) {
    if (name == "WEIR_ABI_MINOR") continue;
    const auto found = now.find(name);
    EXPECT_TRUE(found != now.end() && found->second == value)
        << name << " was " << value << " and is " << (found == now.end() ? "gone" : found->second);
  }
}

std::string tag_name(const ::testing::TestParamInfo<std::tuple<std::string, std::string>>& info) {
  std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
  std::replace_if(name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Tags, EarlierHeaders,
                         ::testing::Combine(::testing::ValuesIn(tags()), ::testing::ValuesIn(kIsolations)), tag_name);

}  // namespace
}  // namespace weir::test
