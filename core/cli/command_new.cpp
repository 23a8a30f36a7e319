// `weir plugin new`: the beginning of a plugin. The files are those of plugin-sdk/templates.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <utility>
#include <vector>

#include "cli/commands.h"

namespace weir::cli {

// The text of plugin-sdk/templates/PATH, empty when there is no such file.
std::string_view plugin_template(std::string_view path);

namespace {

namespace fs = std::filesystem;

// It becomes part of file names and of "NAME.KIND" in manifests.
constexpr size_t kMaxNameBytes = 64;

bool is_name(const std::string& name) {
  if (name.empty() || name.size() > kMaxNameBytes || !std::islower(static_cast<unsigned char>(name[0]))) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos && name.back() != '-';
}

// my-sensor -> MySensor
std::string class_name(const std::string& name) {
  std::string out;
  bool begin = true;
  for (char c : name) {
    if (c != '-') out += begin ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begin = c == '-';
  }
  return out;
}

std::string underscored(std::string name) {
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

// The configurations that the template's schema asks for: one to check the plugin with, one to show.
struct Configurations {
  std::string check, shown;
};
Configurations configurations(const NewCommand& command) {
  if (command.language == "c") return {"{}", "{}"};
  if (command.kind == "source") {
    return {R"({ "device_id": "demo", "interval_ms": 5 })", R"({ "device_id": "demo", "interval_ms": 1000 })"};
  }
  if (command.kind == "transform") return {R"({ "factor": 2 })", R"({ "factor": 2 })"};
  return {R"({ "path": "/dev/null" })", R"({ "path": "data/)" + command.name + R"(.txt" })"};
}

std::string filled_in(std::string_view text, const std::map<std::string, std::string>& words) {
  std::string out(text);
  for (const auto& [word, meaning] : words) {
    const std::string mark = "@" + word + "@";
    for (size_t at = out.find(mark); at != std::string::npos; at = out.find(mark, at + meaning.size())) {
      out.replace(at, mark.size(), meaning);
    }
  }
  return out;
}

std::map<std::string, std::string> words(const NewCommand& command, const std::string& file) {
  const bool c = command.language == "c";
  const std::string from = command.kind == "source" ? "" : R"("from": ["api"], )";
  return {{"name", command.name},
          {"kind", command.kind},
          {"class", class_name(command.name)},
          {"file", file},
          {"cmake_language", c ? "C" : "CXX"},
          {"cmake_packages", c ? "" : "\nfind_package(nlohmann_json REQUIRED)\nfind_package(Threads REQUIRED)"},
          {"cmake_links", c ? "" : "\n                LINKS nlohmann_json::nlohmann_json Threads::Threads"},
          // What makes it emit; this one does by itself.
          {"check_arguments", command.kind == "source" ? "\n          --stimulus \"sleep 0.5\"" : ""},
          {"packages", c ? "" : "apt install nlohmann-json3-dev\n"},
          {"manifest", R"({ "plugin": ")" + command.name + "." + command.kind + R"(", )" + from + R"("config": )" +
                           configurations(command).shown + " }"}};
}

bool write(const fs::path& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) std::cerr << "weir: cannot write " << path.string() << "\n";
  return static_cast<bool>(stream);
}

}  // namespace

int plugin_new(const NewCommand& command) {
  if (!is_name(command.name)) {
    std::cerr << "weir: '" << command.name
              << "' cannot be the name of a plugin: use lower-case letters, digits and '-', beginning with a letter, at most "
              << kMaxNameBytes << " of them\n";
    return 2;
  }
  const bool c = command.language == "c";
  const std::string_view source =
      plugin_template(std::string(c ? "c/" : "cpp/") + command.kind + (c ? ".c" : ".cpp"));
  const fs::path folder = command.name;
  std::error_code failed;
  if (fs::exists(fs::symlink_status(folder, failed))) {
    std::cerr << "weir: there is a '" << command.name << "' here already: choose another name or folder\n";
    return 2;
  }
  if (!fs::create_directory(folder, failed)) {
    std::cerr << "weir: cannot make the folder " << command.name << ": " << failed.message() << "\n";
    return 1;
  }
  const std::string file = underscored(command.name) + (c ? ".c" : ".cpp");
  const auto meanings = words(command, file);
  const std::vector<std::pair<std::string, std::string>> files = {
      {"CMakeLists.txt", filled_in(plugin_template("common/CMakeLists.txt"), meanings)},
      {"README.md", filled_in(plugin_template("common/README.md"), meanings)},
      {".gitignore", std::string(plugin_template("common/gitignore"))},
      {"check.json", configurations(command).check + "\n"},
      {file, filled_in(source, meanings)}};
  for (const auto& [name, text] : files) {
    if (!write(folder / name, text)) return 1;
  }
  std::cout << "made " << command.name << "/ with " << file << ": " << command.name << "." << command.kind << "\n"
            << "  cd " << command.name << "\n  cmake -S . -B build && cmake --build build\n"
            << "  ctest --test-dir build --output-on-failure\n"
            << "README.md says how to try and to package it.\n";
  return 0;
}

}  // namespace weir::cli
