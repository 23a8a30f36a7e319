#include "sdk/outsider.h"

#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace weir::test {
namespace {

namespace fs = std::filesystem;

// A compiler on a busy machine.
constexpr std::chrono::minutes kBuildPatience{5};

}  // namespace

std::string installed_prefix() { return build_folder() + "/sdk-prefix"; }
std::string installed_weir() { return installed_prefix() + "/bin/weir"; }
std::string source_folder() { return WEIR_SOURCE_FOLDER; }

ProcessOptions outsider_environment(const std::string& working_folder) {
  ProcessOptions options;
  options.working_folder = working_folder;
  options.environment = {{"PKG_CONFIG_PATH", installed_prefix() + "/lib/pkgconfig"},
                         {"CMAKE_PREFIX_PATH", installed_prefix()},
                         {"PATH", installed_prefix() + "/bin:/usr/local/bin:/usr/bin:/bin"}};
  const std::string sanitize = WEIR_TEST_SANITIZE, ccache = WEIR_TEST_CCACHE;
  if (!sanitize.empty()) {
    const std::string flag = "-fsanitize=" + sanitize;
    options.environment.insert(options.environment.end(), {{"CFLAGS", flag}, {"CXXFLAGS", flag}, {"LDFLAGS", flag}});
  }
  if (!ccache.empty()) {
    options.environment.insert(options.environment.end(), {{"CMAKE_C_COMPILER_LAUNCHER", ccache},
                                                           {"CMAKE_CXX_COMPILER_LAUNCHER", ccache},
                                                           {"CCACHE_BASEDIR", working_folder},
                                                           {"CCACHE_NOHASHDIR", "true"}});
  }
  return options;
}

std::string run_or_throw(const std::vector<std::string>& command, const ProcessOptions& options) {
  Finished finished = run(command, options, kBuildPatience);
  if (finished.exit.code != 0) {
    std::string line;
    for (const std::string& word : command) line += word + " ";
    throw std::runtime_error(line + "failed:\n" + finished.output + finished.errors);
  }
  return finished.output;
}

void build_with_cmake(const std::string& folder, const std::vector<std::string>& options) {
  std::vector<std::string> configure = {"cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-Werror=dev"};
  configure.insert(configure.end(), options.begin(), options.end());
  run_or_throw(configure, outsider_environment(folder));
  run_or_throw({"cmake", "--build", "build"}, outsider_environment(folder));
}

Outsider::Outsider(const std::string& example) {
  fs::copy(source_folder() + "/plugin-sdk/examples/" + example, folder(), fs::copy_options::recursive);
}

std::string Outsider::run(const std::vector<std::string>& command) const {
  return run_or_throw(command, outsider_environment(folder()));
}

void Outsider::build_with_cmake(const std::vector<std::string>& options) const {
  test::build_with_cmake(folder(), options);
}

std::string isolation_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param == "process" ? "InAProcessOfItsOwn" : "InTheGateway";
}

Finished weir(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), installed_weir());
  return run(arguments, {}, std::chrono::minutes(4));  // of the contract checks some go through hundreds of lives
}

}  // namespace weir::test
