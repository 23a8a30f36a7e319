#include "manifest/folder.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "manifest/file_text.h"
#include "manifest/graph_check.h"
#include "manifest/kind_check.h"

namespace weir::manifest {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxManifests = 1000;  // far above any gateway; bounds what a wrong folder can cost

std::string shown_name(const fs::path& folder, const std::string& file) {
  return (folder / file).lexically_normal().string();
}

fs::path parent_of(const fs::path& folder) {
  std::error_code ignored;
  fs::path path = fs::absolute(folder, ignored).lexically_normal();
  if (path.filename().empty()) path = path.parent_path();  // "manifests/"
  return path.parent_path();
}

bool is_manifest(const std::string& file) {
  return file.size() > 5 && file.ends_with(".json") && !file.starts_with('.') && !is_passing_file(file);
}

// The names of the manifests, sorted; what is wrong with the folder itself is added to `set.problems`.
std::vector<std::string> list(LoadedSet& set) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(set.folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    std::error_code ignored;
    if (is_manifest(file) && !entry->is_directory(ignored)) files.push_back(file);
  }
  if (error) {
    set.problems.push_back({set.folder.string(),
                            {},
                            "",
                            "the folder cannot be read: " + error.message(),
                            "the folder that holds the manifests"});
  }
  if (files.size() > kMaxManifests) {
    set.problems.push_back({set.folder.string(),
                            {},
                            "",
                            "there are " + std::to_string(files.size()) + " manifests",
                            "at most " + std::to_string(kMaxManifests)});
    files.clear();
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Null when it is not there any more, or has problems.
std::shared_ptr<const Document> read_document(const std::string& file, LoadedSet& set) {
  const fs::path path = set.folder / file;
  auto text = read_file_text(path, Document::kMaxBytes);
  const std::string shown = shown_name(set.folder, file);
  if (text.ok()) return Document::parse(shown, *text, set.problems);
  std::error_code ignored;
  const bool dangling = fs::is_symlink(fs::symlink_status(path, ignored));
  if (text.error().code == base::Code::kNotFound && !dangling) return nullptr;
  const std::string what = dangling && text.error().code == base::Code::kNotFound
                               ? "is a link that leads nowhere"
                               : text.error().what;
  set.problems.push_back({shown, {}, "", what, "a readable JSON file of at most 1 MiB"});
  return nullptr;
}

void read_instance(const std::string& file, LoadedSet& set) {
  const std::string name = file.substr(0, file.size() - 5);
  if (!good_instance_name(name)) {
    const std::string why =
        reserved_instance_name(name) ? " is a name that Weir uses itself" : " cannot be an instance's name";
    set.problems.push_back(
        {shown_name(set.folder, file),
         {},
         "",
         in_quotes(name) + why,
         "a file named after its instance: 1 to 63 of the characters a-z 0-9 _ -, a letter or "
         "digit first"});
    return;
  }
  const size_t problems = set.problems.size();
  auto document = read_document(file, set);
  if (document == nullptr) {
    if (set.problems.size() > problems) set.unreadable.insert(name);
    return;
  }
  auto instance = read_instance_config(name, std::move(document), set.base, set.problems);
  set.instances.emplace(name, std::move(instance));
}

}  // namespace

bool is_passing_file(std::string_view name) {
  if (name.starts_with("..")) return false;
  if (name.starts_with('.') || (name.starts_with('#') && name.ends_with('#'))) return true;
  for (std::string_view ending : {"~", ".swp", ".swx", ".tmp", ".new"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

LoadedSet read_folder(const fs::path& folder) {
  LoadedSet set;
  set.folder = folder;
  set.base = parent_of(folder);
  set.gateway = default_gateway_config(set.base);
  for (const std::string& file : list(set)) {
    if (file != kGatewayFile) {
      read_instance(file, set);
    } else if (auto document = read_document(file, set)) {
      set.gateway = read_gateway_config(std::move(document), set.base, set.problems);
    }
  }
  sort(set.problems);
  return set;
}

void check_set(LoadedSet& set, const ComponentCatalog& catalog) {
  for (auto& [name, instance] : set.instances) {
    if (instance.enabled && !instance.plugin.empty()) check_component(instance, catalog, set.problems);
  }
  check_graph(set, set.problems);
  sort(set.problems);
}

LoadedSet load_folder(const fs::path& folder, const ComponentCatalog& catalog) {
  LoadedSet set = read_folder(folder);
  check_set(set, catalog);
  return set;
}

}  // namespace weir::manifest
