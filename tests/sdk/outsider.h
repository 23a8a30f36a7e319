// A third party's project: copied away from the sources and built with nothing but the installed prefix.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "end_to_end/site.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace weir::test {

// What `cmake --install` made of this build.
std::string installed_prefix();
std::string installed_weir();
std::string source_folder();

// Where an outsider runs, as its manifest says under "isolation". Every test of one runs once for each.
inline const std::vector<std::string> kIsolations = {"in-process", "process"};
std::string isolation_name(const ::testing::TestParamInfo<std::string>& info);

// The environment in which a third party builds: its package manager found the prefix. What this build is
// instrumented with, their code is too, and ccache makes the second run of a test cheap.
ProcessOptions outsider_environment(const std::string& working_folder);

// A project in a folder of its own, removed with the object.
class Outsider {
 public:
  // Copies plugin-sdk/examples/NAME. Nothing is built yet.
  explicit Outsider(const std::string& example);

  std::string folder() const { return folder_ / "project"; }
  // Runs a command there. Throws std::runtime_error with what it printed when it does not end with 0.
  std::string run(const std::vector<std::string>& command) const;
  // Configures and builds in folder()/build; the plugin is in built_plugins() afterwards.
  void build_with_cmake(const std::vector<std::string>& options = {}) const;
  std::string built_plugins() const { return folder() + "/build/lib/weir/plugins"; }

 private:
  TempDir folder_;
};

// Builds `folder` with CMake in folder/build, as Outsider does.
void build_with_cmake(const std::string& folder, const std::vector<std::string>& options = {});
// Runs to the end and throws std::runtime_error with what was printed when it does not end with 0.
std::string run_or_throw(const std::vector<std::string>& command, const ProcessOptions& options);

// Runs the installed `weir` with arguments.
Finished weir(std::vector<std::string> arguments);

}  // namespace weir::test
