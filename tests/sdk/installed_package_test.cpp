// What `cmake --install` leaves behind is whole: a gateway that runs, and an SDK that CMake and pkg-config find.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "sdk/outsider.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(InstalledPackage, RunsAGatewayWithThePluginsThatCameWithIt) {
  Site site;
  site.use(installed_weir(), {});
  site.main_line();
  site.start();
  ASSERT_EQ(site.post(events(3)).status, 202);
  EXPECT_TRUE(site.wait_settled("store", 3));
  EXPECT_TRUE(site.stopped_cleanly());
}

TEST(InstalledPackage, FindsItsPluginsWhenThePrefixHasMoved) {
  TempDir folder;
  fs::copy(installed_prefix(), folder / "elsewhere", fs::copy_options::recursive);
  Finished list = run({folder / "elsewhere/bin/weir", "plugin", "list", "--manifests", folder / "elsewhere/share/weir/manifests"});
  EXPECT_EQ(list.exit.code, 0) << list.errors;
  for (const char* plugin : {"http", "sqlite", "enrich"}) EXPECT_THAT(list.output, HasSubstr(plugin));
}

// The unit's own command, with this site in the place of /var/lib/weir.
TEST(InstalledPackage, HasAServiceUnitWhoseCommandRunsAGateway) {
  std::istringstream unit(read_file(installed_prefix() + "/lib/systemd/system/weir.service"));
  const std::string key = "ExecStart=", state = "/var/lib/weir";
  std::vector<std::string> command;
  for (std::string line; std::getline(unit, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream words(line.substr(key.size()));
    for (std::string word; words >> word;) command.push_back(word);
  }
  ASSERT_FALSE(command.empty());
  Site site;
  site.use(installed_weir(), {});
  site.main_line();
  EXPECT_EQ(command.back(), state + "/manifests");
  command.back() = site.manifests();
  Process gateway(command);
  EXPECT_TRUE(gateway.wait_for_errors("ready")) << gateway.errors();
  EXPECT_EQ(gateway.terminate().code, 0);
}

TEST(InstalledPackage, KeepsWhatAGatewayNeedsApartFromWhatAnAuthorNeeds) {
  TempDir runtime, sdk;
  run_or_throw({"cmake", "--install", build_folder(), "--component", "runtime", "--prefix", runtime.path()}, {});
  run_or_throw({"cmake", "--install", build_folder(), "--component", "sdk", "--prefix", sdk.path()}, {});
  EXPECT_TRUE(fs::exists(runtime / "bin/weir"));
  EXPECT_FALSE(fs::exists(runtime / "include"));
  EXPECT_TRUE(fs::exists(sdk / "include/weir/plugin.h"));
  for (const char* header : {"event_json.h", "mapping.h", "template.h", "rfc3339.h"})
    EXPECT_TRUE(fs::exists(sdk / (std::string("include/weir/mapping/") + header))) << header;
  EXPECT_FALSE(fs::exists(sdk / "bin"));
}

// Headers and the mapping, from CMake.
TEST(InstalledPackage, GivesCMakeTheHeadersAndTheMapping) {
  TempDir folder;
  folder.write("CMakeLists.txt",
               "cmake_minimum_required(VERSION 3.25)\nproject(mapped CXX)\n"
               "find_package(weir-sdk 0.1 REQUIRED COMPONENTS mapping)\n"
               "weir_add_plugin(mapped SOURCES mapped.cpp LINKS weir-sdk::mapping)\n");
  folder.write("mapped.cpp", R"cpp(
#include "weir/mapping/event_json.h"
#include "weir/mapping/mapping.h"
#include "weir/plugin.hpp"
class Parsing final : public weir::sdk::Transform {
 public:
  Parsing(weir::sdk::Host, std::string_view) {}
  void process(const weir_transform_context&, const weir_batch* batch, weir::sdk::Output& output) override {
    weir::mapping::ParseFault fault;
    weir::mapping::MappingFault wrong;
    const bool parsed = parser_.parse("[]", builder_, &fault) ||
                        weir::mapping::Mapping::compile("{}", {}, &wrong) != nullptr;
    for (uint32_t i = 0; i < batch->count; ++i) parsed ? output.keep(i) : output.drop(i, "not parsed");
  }
 private:
  weir::mapping::EventParser parser_;
  weir::sdk::BatchBuilder builder_;
};
constexpr weir::sdk::Registration kComponents[] = {
    weir::sdk::pure_transform<Parsing>("mapped.transform", "Parses", R"({"type":"object"})")};
WEIR_PLUGIN(kComponents)
WEIR_PLUGIN_NOTE("mapped", "1.0.0", "\"mapped.transform\":\"transform\"")
)cpp");
  build_with_cmake(folder.path());
  Finished inspect = weir({"plugin", "inspect", folder / "build/lib/weir/plugins/mapped.so"});
  EXPECT_EQ(inspect.exit.code, 0) << inspect.errors;
  EXPECT_THAT(inspect.output, HasSubstr("mapped.transform"));
}

TEST(InstalledPackage, IsRefusedByCMakeWhenAnotherDraftIsAskedFor) {
  TempDir folder;
  folder.write("CMakeLists.txt", "cmake_minimum_required(VERSION 3.25)\nproject(old C)\nfind_package(weir-sdk 0.0 REQUIRED)\n");
  Finished configure = run({"cmake", "-S", ".", "-B", "build"}, outsider_environment(folder.path()));
  EXPECT_NE(configure.exit.code, 0);
  EXPECT_THAT(configure.errors, HasSubstr("0.1.0"));
}

}  // namespace
}  // namespace weir::test
