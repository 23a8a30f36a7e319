// The commands that need no running gateway.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "admin/views.h"
#include "cli/commands.h"
#include "cli/render.h"
#include "plugin/library.h"
#include "plugin/probe.h"
#include "runtime/gateway.h"
#include "runtime/leftover.h"

namespace weir::cli {
namespace {

plugin::Catalog::Options catalog_options(const std::string& manifests) {
  manifest::LoadedSet set = manifest::read_folder(manifests);
  plugin::Catalog::Options options;
  for (const auto& folder : set.gateway.plugin_dirs) options.folders.push_back(folder.string());
  options.folders.push_back(own_plugin_folder());
  options.cache_folder = (set.gateway.data_dir / "plugins").string();
  return options;
}

// The instances as the events pass them: each with what it reads from.
std::string graph_text(const manifest::LoadedSet& set) {
  std::string out;
  for (const auto& [name, config] : set.instances) {
    std::string from;
    for (const manifest::Edge& edge : config.from) {
      from += (from.empty() ? " <- " : ", ") + edge.instance + (edge.when.empty() ? "" : " when " + edge.when);
    }
    out += "  " + name + ": " + config.plugin + (config.component ? " " + config.component->version : "") + from +
           (config.enabled ? "" : " (disabled)") + "\n";
  }
  return out;
}

// Which sources may send what nobody gets.
std::string leftover_text(const manifest::LoadedSet& set) {
  std::string out;
  for (const std::string& source : runtime::leftover_of(set).sources) {
    out += "note: what " + source + " sends and no condition lets through is held by 'unrouted': it takes disk until a sink " +
           "takes the rest or you say `weir forget unrouted`\n";
  }
  return out;
}

}  // namespace

std::string own_plugin_folder() {
  std::error_code failed;
  auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (self.parent_path().parent_path() / "lib" / "weir" / "plugins").string();
}

int check(const std::string& folder, bool json) {
  if (!std::filesystem::is_directory(folder)) {
    std::cerr << "weir: there is no folder '" << folder << "' (name the manifests folder: weir check DIR)\n";
    return 2;
  }
  runtime::Gateway::Options options;
  options.manifests = folder;
  options.plugin_dirs = {own_plugin_folder()};
  manifest::LoadedSet set = runtime::Gateway::check(options);
  if (json) {
    nlohmann::ordered_json out{{"version", 1}, {"ok", set.ok()}, {"problems", admin::problems_json(set.problems)}};
    std::cout << out.dump(2) << "\n";
  } else if (set.ok()) {
    std::cout << "ok: " << set.instances.size() << " instances in " << folder << "\n" << graph_text(set) << leftover_text(set);
  } else {
    std::cerr << manifest::text(set.problems);
    std::cerr << set.problems.size() << (set.problems.size() == 1 ? " problem" : " problems") << " in " << folder << "\n";
  }
  return set.ok() ? 0 : 2;
}

int plugin_list(const Common& common) {
  plugin::Catalog catalog(catalog_options(common.manifests));
  catalog.scan();
  auto json = admin::plugins_json(catalog.candidates());
  std::cout << (common.json ? json.dump(2) + "\n" : render_plugins(nlohmann::json::parse(json.dump())));
  return 0;
}

int plugin_inspect(const std::string& file, bool json) {
  // A folder of our own: what lies there is loaded.
  std::string temporary = (std::filesystem::temp_directory_path() / "weir-inspect-XXXXXX").string();
  if (mkdtemp(temporary.data()) == nullptr) {
    std::cerr << "weir: cannot make a folder beside " << temporary << ": " << std::strerror(errno) << "\n";
    return 1;
  }
  plugin::Catalog::Options options;
  options.cache_folder = temporary;
  nlohmann::ordered_json out{{"version", 1}, {"file", file}};
  base::Status loaded;
  {
    plugin::Catalog catalog(options);
    auto library = catalog.load_file(file);
    if (library) {
      const plugin::Note& note = (*library)->note();
      out["id"] = note.id;
      out["plugin_version"] = note.version;
      out["abi"] = std::to_string(note.abi_major) + "." + std::to_string(note.abi_minor_high);
      for (const plugin::Component& component : (*library)->components()) {
        out["components"].push_back({{"name", component.name},
                                     {"kind", plugin::kind_name(component.kind)},
                                     {"description", component.description},
                                     {"takeover", component.exclusive ? "exclusive" : "overlap"},
                                     {"stateful", component.stateful},
                                     {"required", component.required},
                                     {"config_schema", nlohmann::ordered_json::parse(component.config_schema)}});
      }
    } else {
      loaded = library.error();
      out["refused"] = loaded.error().text();
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(temporary, ignored);
  if (!loaded) {
    std::cerr << "weir: " << loaded.error().text() << "\n";
    if (json) std::cout << out.dump(2) << "\n";
    return 1;
  }
  if (json) {
    std::cout << out.dump(2) << "\n";
    return 0;
  }
  std::cout << out.value("id", "") << " " << out.value("plugin_version", "") << ", ABI " << out.value("abi", "") << "\n";
  for (const auto& component : out["components"]) {
    std::cout << "\n" << component.value("name", "") << " (" << component.value("kind", "") << "): "
              << component.value("description", "") << "\n  takeover: " << component.value("takeover", "")
              << "\n  configuration:\n" << component["config_schema"].dump(2) << "\n";
  }
  return 0;
}

}  // namespace weir::cli
