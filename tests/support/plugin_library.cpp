#include "support/plugin_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace weir::test {
namespace {

// What init() gets: it may only log, and nobody listens here.
const void* no_service(weir_host*, const char*) { return nullptr; }
weir_host init_host{no_service};

}  // namespace

std::string plugin_path(std::string_view name) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return (program.parent_path().parent_path() / "lib/weir/plugins" / (std::string(name) + ".so")).string();
}

bool is_mapped(const std::string& path) {
  const std::string whole = std::filesystem::canonical(path).string();
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with(whole)) return true;
  }
  return false;
}

PluginLibrary::PluginLibrary(const std::string& path) : path_(path) {
  library_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) throw std::runtime_error(::dlerror());
  entry_ = static_cast<const weir_entry*>(::dlsym(library_, "weir_plugin_entry"));
  char text[256] = "no weir_plugin_entry in it";
  char pointer[8] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
  if (entry_ == nullptr || entry_->init(&init_host, &error) != WEIR_OK) {
    ::dlclose(library_);
    throw std::runtime_error(path + ": " + text);
  }
}

PluginLibrary::~PluginLibrary() {
  entry_->deinit();
  ::dlclose(library_);
}

const weir_descriptor* PluginLibrary::descriptor(std::string_view component) const {
  for (uint32_t i = 0; i < entry_->component_count(); ++i) {
    const weir_descriptor* descriptor = entry_->descriptor(i);
    if (component == descriptor->name) return descriptor;
  }
  return nullptr;
}

}  // namespace weir::test
