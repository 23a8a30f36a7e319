#include "check_run.h"

#include <filesystem>

namespace weir::check {

std::string build_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path().string();
}
std::string test_plugin(const std::string& name) { return build_folder() + "/lib/weir/test-plugins/" + name + ".so"; }
std::string example_plugin(const std::string& name) { return build_folder() + "/lib/weir/examples/" + name + ".so"; }
std::string shipped_plugin(const std::string& name) { return build_folder() + "/lib/weir/plugins/" + name + ".so"; }

std::vector<std::string> Checked::with(const std::string& outcome) const {
  std::vector<std::string> names;
  for (const auto& one : report.value("checks", nlohmann::json::array())) {
    if (one["outcome"] == outcome) names.push_back(one["check"]);
  }
  return names;
}

std::string Checked::findings(const std::string& check) const {
  std::string text;
  for (const auto& one : report.value("checks", nlohmann::json::array())) {
    if (one["check"] != check) continue;
    for (const auto& finding : one["findings"]) text += finding["what"].get<std::string>() + "\n";
  }
  return text;
}

Checked check(const std::string& file, const std::string& fault, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {build_folder() + "/bin/weir", "plugin", "check", file, "--json",
                                        "--call-limit-ms", "2000", "--cycles", "600"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  test::ProcessOptions options;
  // A sanitizer would turn a SIGSEGV into an exit code of its own.
  options.environment = {{"WEIR_TEST_FAULT", fault}, {"ASAN_OPTIONS", "handle_segv=0"}, {"TSAN_OPTIONS", "handle_segv=0"}};
  Checked checked{test::run(arguments, options, std::chrono::minutes(2)), nullptr};
  checked.report = nlohmann::json::parse(checked.finished.output, nullptr, false);
  return checked;
}

}  // namespace weir::check
