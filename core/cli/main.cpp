#include "cli/main.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "check/child.h"
#include "cli/commands.h"
#include "isolation/child.h"
#include "plugin/probe.h"

namespace weir::cli {
namespace {

constexpr const char* kVersion = "weir 0.1.0, plugin ABI 0.1 (draft)";

// The command line and what it chose. Members outlive the parse.
struct Line {
  CLI::App app{"Weir: takes device data in, never loses it, is upgraded while it runs"};
  Common common;
  std::string folder = "manifests", log_level = "info", instance, id, consumer, file, child;
  CheckCommand check;
  NewCommand beginning;
  MapCommand map;
  bool once = false, check_child = false;
  uint64_t lines = 20, limit = 50;
  int64_t number = 0;
  std::function<int()> chosen;

  CLI::App* command(CLI::App* parent, const std::string& name, const std::string& help, std::function<int()> call) {
    CLI::App* made = parent->add_subcommand(name, help);
    made->callback([this, call = std::move(call)] { chosen = call; });
    return made;
  }
  // One that asks the running gateway and prints.
  CLI::App* client(CLI::App* parent, const std::string& name, const std::string& help, std::function<int()> call) {
    CLI::App* made = command(parent, name, help, std::move(call));
    made->add_option("--manifests", common.manifests, "The gateway's manifests folder")->capture_default_str();
    made->add_flag("--json", common.json, "Print JSON");
    return made;
  }
  CLI::App* group(const std::string& name, const std::string& help) {
    CLI::App* made = app.add_subcommand(name, help);
    made->require_subcommand(1);
    return made;
  }
};

void define_check(Line& line, CLI::App* plugins) {
  Line* l = &line;
  CLI::App* made = line.command(plugins, "check", "Run the plugin contract against a plugin file",
                                [l] { return plugin_check(l->check, l->common.json); });
  made->add_option("FILE", line.check.file, "The .so file");
  made->add_option("--config", line.check.config, "A JSON file with the configuration; made from the schema when not given");
  made->add_option("--component", line.check.component, "Only this component");
  made->add_option("--only", line.check.only, "Only this check and what it stands on");
  made->add_flag("--list", line.check.list, "Show the checks");
  made->add_option("--stimulus", line.check.stimulus,
                   "A shell command that makes a source emit; its addresses are in WEIR_CHECK_LISTEN");
  made->add_option("--call-limit-ms", line.check.call_limit_ms, "How long one call may take")
      ->check(CLI::Range(50, 600'000))->capture_default_str();
  made->add_option("--cycles", line.check.cycles, "Lives in the leak check; ten times the swaps")
      ->check(CLI::Range(3, 1'000'000))->capture_default_str();
  made->add_flag("--json", line.common.json, "Print JSON");
}

void define_new(Line& line, CLI::App* plugins) {
  Line* l = &line;
  CLI::App* made = line.command(plugins, "new", "Begin a plugin: a project that builds, checks and packages itself",
                                [l] { return plugin_new(l->beginning); });
  made->add_option("NAME", line.beginning.name, "Its name, and that of the folder: lower-case letters, digits and '-'")->required();
  made->add_option("--kind", line.beginning.kind, "source, transform or sink")
      ->check(CLI::IsMember({"source", "transform", "sink"}))->required();
  made->add_option("--lang", line.beginning.language, "c or c++")->check(CLI::IsMember({"c", "c++"}))->capture_default_str();
}

void define_map(Line& line) {
  Line* l = &line;
  CLI::App* maps = line.group("map", "Turn other people's JSON into events");
  CLI::App* made = line.command(maps, "try", "Show what a mapping makes of a payload",
                                [l] { return map_try(l->map, l->common.json); });
  made->add_option("--mapping", line.map.mapping, "A JSON file with the mapping, or FILE#/pointer to it")->required();
  made->add_option("--payload", line.map.payload, "A file with what the device sent, - for standard input")->required();
  made->add_option("--topic", line.map.topic, "The topic or path it came to, when the mapping has a template");
  made->add_option("--variable", line.map.variables, "NAME=VALUE of what a source knows without the template; may be repeated")
      ->allow_extra_args(false);
  made->add_flag("--json", line.common.json, "Print JSON");
}

void define(Line& line) {
  Line* l = &line;
  line.app.set_version_flag("--version", kVersion);
  line.app.require_subcommand(1);
  CLI::App* app = &line.app;

  CLI::App* run_app = line.command(app, "run", "Run the gateway", [l] { return run(l->common, l->log_level); });
  run_app->add_option("--manifests", line.common.manifests, "The manifests folder")->capture_default_str();
  run_app->add_option("--log-level", line.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))->capture_default_str();

  CLI::App* check_app = line.command(app, "check", "Check a manifests folder without running it",
                                     [l] { return check(l->folder, l->common.json); });
  check_app->add_option("DIR", line.folder, "The manifests folder")->capture_default_str();
  check_app->add_flag("--json", line.common.json, "Print JSON");

  line.client(app, "status", "Show what runs and that the ledger balances", [l] { return status(l->common); });
  CLI::App* tail_app = line.client(app, "tail", "Show events as they come in",
                                   [l] { return tail(l->common, l->instance, l->once, l->lines); });
  tail_app->add_option("SOURCE", line.instance, "Only events of this source");
  tail_app->add_flag("--once", line.once, "Show the newest events and end");
  tail_app->add_option("--lines", line.lines, "How many to begin with")->capture_default_str();
  line.client(app, "trace", "Show what became of one event", [l] { return trace(l->common, l->id); })
      ->add_option("ID", line.id, "The event's id")->required();
  line.client(app, "apply", "Apply the changed manifests now", [l] { return apply(l->common); });
  line.client(app, "forget", "Give up the events kept for a removed sink", [l] { return forget(l->common, l->consumer); })
      ->add_option("NAME", line.consumer, "A detached consumer, or unrouted")->required();

  CLI::App* journal = line.group("journal", "Look at the journal");
  line.client(journal, "stats", "Segments, sizes, commits", [l] { return journal_stats(l->common); });
  line.client(journal, "recount", "Count what is on disk and compare with the ledger", [l] { return journal_recount(l->common); });

  CLI::App* dead = line.group("dead", "Look at the dead letters");
  line.client(dead, "list", "The newest dead letters", [l] { return dead_list(l->common, l->limit); })
      ->add_option("--limit", line.limit, "How many")->capture_default_str();
  line.client(dead, "show", "One dead letter and its event", [l] { return dead_show(l->common, l->number); })
      ->add_option("NUMBER", line.number, "Its number")->required();

  CLI::App* plugins = line.group("plugin", "Look at plugins");
  line.client(plugins, "list", "The plugins there are", [l] { return plugin_list(l->common); });
  CLI::App* inspect = line.command(plugins, "inspect", "What one plugin file offers",
                                   [l] { return plugin_inspect(l->file, l->common.json); });
  inspect->add_option("FILE", line.file, "The .so file")->required();
  inspect->add_flag("--json", line.common.json, "Print JSON");

  define_new(line, plugins);
  define_check(line, plugins);
  define_map(line);

  CLI::App* host = line.command(app, "host", "The child process; not for people", [l] {
    if (l->check_child) return check::child_main();
    return l->child.empty() ? plugin::probe_main(l->file.c_str()) : isolation::child_main(l->child.c_str());
  });
  host->group("");
  CLI::Option_group* task = host->add_option_group("task");
  task->add_option("--probe", line.file, "Load this plugin and say what it is");
  task->add_option("--instance", line.child, "Run the plugin of this instance");
  task->add_flag("--check", line.check_child, "Run the check on standard input");
  task->require_option(1);
}

}  // namespace

int main(int argc, char** argv) {
  Line line;
  define(line);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return line.app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return line.chosen();
  } catch (const std::exception& error) {
    // An answer of another version, a disk without room for a temporary file ...
    std::cerr << "weir: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace weir::cli
