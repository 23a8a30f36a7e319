// What the loader's tests share: where the seeded plugins are, and a host that offers nothing but a name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "plugin/probe.h"
#include "support/temp_dir.h"
#include "weir/host.h"

namespace weir::plugin {

// The build folder: the test programs are in its bin/.
inline std::filesystem::path build_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
}

// A plugin of tests/plugins.
inline std::string test_plugin(const std::string& name) {
  return build_folder() / "lib/weir/test-plugins" / (name + ".so");
}

// A plugin of plugin-sdk/examples.
inline std::string example_plugin(const std::string& name) {
  return build_folder() / "lib/weir/examples" / (name + ".so");
}

// Probes with the small child of tests/plugins; what it calls is what `weir host --probe` calls.
inline ProbeOptions probe_options() {
  ProbeOptions options;
  options.program = build_folder() / "bin/weir_probe_host";
  options.deadline = std::chrono::seconds(20);  // a sanitizer build on a busy machine is slow
  return options;
}

// A host that offers no service.
inline std::shared_ptr<weir_host> bare_host() {
  return std::make_shared<weir_host>(
      weir_host{[](weir_host*, const char*) -> const void* { return nullptr; }});
}

inline bool any_version(std::string_view) { return true; }

}  // namespace weir::plugin
