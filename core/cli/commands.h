// The commands, one function each. They print and return the exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::cli {

struct Common {
  std::string manifests = "manifests";
  bool json = false;
};

// `weir plugin check`.
struct CheckCommand {
  std::string file, config, component, only, stimulus;
  uint64_t call_limit_ms = 5'000;
  uint32_t cycles = 1'000;
  bool list = false;
};

// `weir plugin new`.
struct NewCommand {
  std::string name, kind, language = "c++";
};

// `weir map try`.
struct MapCommand {
  std::string mapping;  // a file, and behind a # the pointer of the mapping in it
  std::string payload;  // a file, or - for standard input
  std::optional<std::string> topic;
  std::vector<std::string> variables;  // NAME=VALUE
};

int run(const Common& common, const std::string& log_level);
int check(const std::string& folder, bool json);
int status(const Common& common);
int tail(const Common& common, const std::string& instance, bool once, uint64_t lines);
int trace(const Common& common, const std::string& id);
int apply(const Common& common);
int forget(const Common& common, const std::string& consumer);
int journal_stats(const Common& common);
int journal_recount(const Common& common);
int dead_list(const Common& common, uint64_t limit);
int dead_show(const Common& common, int64_t number);
int plugin_list(const Common& common);
int plugin_inspect(const std::string& file, bool json);
int plugin_check(const CheckCommand& command, bool json);
int plugin_new(const NewCommand& command);
int map_try(const MapCommand& command, bool json);

// Where the plugins that came with this program are: ../lib/weir/plugins beside it.
std::string own_plugin_folder();

}  // namespace weir::cli
