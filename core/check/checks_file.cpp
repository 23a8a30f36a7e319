// The file itself: what can be read of it, and that it comes and goes.
#include <nlohmann/json.hpp>
#include <thread>

#include "check/checks.h"
#include "check/elf_symbols.h"
#include "check/work.h"
#include "manifest/semver.h"

namespace weir::check {
namespace {

constexpr size_t kShownNames = 5;
// Often enough to see a second load that does not work as the first did.
constexpr int kLoads = 3;

std::string some(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < kShownNames; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kShownNames ? text + " and " + std::to_string(names.size() - kShownNames) + " more" : text;
}

}  // namespace

void check_note(Trial& trial) {
  auto note = plugin::read_note(trial.job().file);
  if (!note) return trial.find(note.error().what + (note.error().hint.empty() ? "" : " (" + note.error().hint + ")"));
  if (auto abi = plugin::judge_abi(*note, trial.job().file); !abi) trial.find(abi.error().what);
  if (!manifest::Version::parse(note->version)) {
    trial.find("its version '" + note->version + "' is no semantic version: no manifest can ask for a range of it");
  }
  for (const auto& [name, kind] : note->components) {
    if (!name.starts_with(note->id + ".") || name.size() == note->id.size() + 1) {
      trial.find("its component '" + name + "' is not called '" + note->id + ".NAME'");
    }
  }
}

void check_symbols(Trial& trial) {
  auto symbols = read_symbols(trial.job().file);
  if (!symbols) return trial.find(symbols.error().what);
  std::vector<std::string> leaked;
  for (const std::string& name : symbols->exported) {
    if (name != "weir_plugin_entry") leaked.push_back(name);
  }
  if (!leaked.empty()) trial.find("it shows symbols beside weir_plugin_entry: " + some(leaked));
  if (!symbols->unique.empty()) {
    trial.find("it has STB_GNU_UNIQUE symbols, which pin it in memory for ever: " + some(symbols->unique));
  }
  if (symbols->no_delete) trial.find("it is linked with -z nodelete, so it can never be unloaded");
  if (!symbols->binds_now) {
    trial.find("it is linked without -z now: a missing symbol ends the gateway at the first call instead of refusing the plugin");
  }
  if (symbols->text_relocations) trial.find("it has text relocations: it was compiled without -fPIC");
  if (symbols->executable_stack) trial.find("it asks for an executable stack");
}

void check_load(Trial& trial) {
  if (!trial.load()) return;
  for (const plugin::Component& component : trial.library().components()) {
    trial.tell("component", nlohmann::json{{"name", component.name},
                                           {"kind", static_cast<uint32_t>(component.kind)},
                                           {"stateful", component.stateful},
                                           {"config_schema", component.config_schema}}
                                .dump());
  }
  // A library that stays is another check's finding; here it only has to be closed without harm.
  (void)trial.unload();
}

void check_unload(Trial& trial) {
  for (int i = 0; i < kLoads; ++i) {
    if (i > 0 && !trial.load()) return;
    // On a thread that ends before: a thread_local with a destructor pins the library while its thread lives.
    std::thread control([&] {
      Estate estate;
      Subject subject(trial, estate);
      if (!subject.up()) return;
      ordinary_work(trial, subject, estate);
      subject.down();
    });
    control.join();
    if (auto closed = trial.unload(); !closed) return trial.find(closed.error().what + ": " + closed.error().hint);
  }
}

}  // namespace weir::check
