// A plugin's .so, loaded the way the gateway loads it but without its judgement.
#pragma once

#include <string>
#include <string_view>

#include "weir/plugin.h"

namespace weir::test {

// Where the build puts the plugin NAME.so: ../lib/weir/plugins beside the folder of the test program.
std::string plugin_path(std::string_view name);

// True while a mapping of that file is in this process. The check of "does it unload".
bool is_mapped(const std::string& path);

// Loaded with RTLD_NOW | RTLD_LOCAL and initialised; deinit and dlclose at the end, when no instance may
// exist. Throws std::runtime_error with the loader's text.
class PluginLibrary {
 public:
  explicit PluginLibrary(const std::string& path);
  PluginLibrary(const PluginLibrary&) = delete;
  PluginLibrary& operator=(const PluginLibrary&) = delete;
  ~PluginLibrary();

  const std::string& path() const { return path_; }
  const weir_entry& entry() const { return *entry_; }
  // Null when there is no such component.
  const weir_descriptor* descriptor(std::string_view component) const;
  // Null when the component does not offer it.
  template <class Table>
  const Table* get(const std::string& component, const char* id) const {
    return static_cast<const Table*>(entry_->get_interface(component.c_str(), id));
  }

 private:
  std::string path_;
  void* library_ = nullptr;
  const weir_entry* entry_ = nullptr;
};

}  // namespace weir::test
