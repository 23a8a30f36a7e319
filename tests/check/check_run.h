// Running `weir plugin check` on the test plugins.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/process.h"

namespace weir::check {

// The build folder: the test programs are in its bin/.
std::string build_folder();
// A plugin of tests/plugins, plugin-sdk/examples or plugins.
std::string test_plugin(const std::string& name);
std::string example_plugin(const std::string& name);
std::string shipped_plugin(const std::string& name);

struct Checked {
  test::Finished finished;
  nlohmann::json report;  // null when there is none

  // The names of the checks with this outcome.
  std::vector<std::string> with(const std::string& outcome) const;
  // What the check found, joined by lines.
  std::string findings(const std::string& check) const;
};

// With --json, a short call limit and few cycles, so that a hang and a thousand lives do not take long; `fault` is what
// the seeded plugins do wrong.
Checked check(const std::string& file, const std::string& fault = "", const std::vector<std::string>& more = {});

}  // namespace weir::check
