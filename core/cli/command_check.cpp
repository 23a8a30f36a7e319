// `weir plugin check`: the plugin contract, executed.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "check/catalogue.h"
#include "check/run.h"
#include "cli/commands.h"
#include "manifest/document.h"

namespace weir::cli {
namespace {

int list_checks() {
  for (const check::Check& one : check::catalogue()) {
    char text[64];
    std::snprintf(text, sizeof text, "  %-20s ", one.name);
    std::cout << text << one.tries << "\n";
  }
  return 0;
}

// The configuration file as JSON text; with comments, as in a manifest. Nothing, and why on standard error, when it
// cannot be used.
std::optional<std::string> read_config(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  if (!stream || !(text << stream.rdbuf())) {
    std::cerr << "weir: " << path << ": cannot be read\n";
    return std::nullopt;
  }
  manifest::Problems problems;
  auto document = manifest::Document::parse(path, text.str(), problems);
  if (document != nullptr) return document->root().dump();
  std::cerr << manifest::text(problems);
  return std::nullopt;
}

}  // namespace

int plugin_check(const CheckCommand& command, bool json) {
  if (command.list) return list_checks();
  if (command.file.empty()) {
    std::cerr << "weir: name the plugin's file: weir plugin check FILE\n";
    return 2;
  }
  check::Options options;
  options.file = command.file;
  options.component = command.component;
  options.only = command.only;
  options.stimulus = command.stimulus;
  options.call_limit = std::chrono::milliseconds(command.call_limit_ms);
  options.cycles = command.cycles;
  if (!command.config.empty()) {
    auto config = read_config(command.config);
    if (!config) return 2;
    options.config = *config;
  }
  std::string component;
  if (!json) {
    std::cout << command.file << "\n";
    options.on_result = [&component](const check::Result& result) {
      if (result.component != component) std::cout << "\n" << (component = result.component) << "\n";
      std::cout << check::line(result) << std::endl;  // at once: some take seconds
    };
  }
  auto report = check::run(options);
  if (!report) {
    std::cerr << "weir: " << report.error().text() << "\n";
    return report.error().code == base::Code::kNotFound ? 2 : 1;
  }
  if (json) {
    std::cout << check::to_json(*report).dump(2) << "\n";
  } else {
    std::cout << check::summary(*report);
  }
  return report->passed() ? 0 : 1;
}

}  // namespace weir::cli
