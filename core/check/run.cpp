#include "check/run.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "check/catalogue.h"
#include "check/child_process.h"
#include "check/config_samples.h"
#include "plugin/elf_note.h"

namespace weir::check {
namespace {

namespace fs = std::filesystem;
using base::Code;

// For one child as a whole; single calls have their own limit. Leaks and swaps make thousands of them.
constexpr base::Duration kChildLimit = std::chrono::minutes(2);
constexpr size_t kShownOutput = 80;

// A folder for the private copy and the working folders, removed with the object.
class Workshop {
 public:
  base::Status open(const std::string& file) {
    std::string path = (fs::temp_directory_path() / "weir-check-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      return base::error(Code::kUnavailable, std::string("cannot make a folder: ") + std::strerror(errno), path);
    }
    folder_ = path;
    std::error_code failed;
    // A copy: the author builds on while the checks run.
    fs::copy_file(file, copy(), failed);
    if (failed) return base::error(Code::kUnavailable, "cannot be copied: " + failed.message(), file);
    return {};
  }
  ~Workshop() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  std::string copy() const { return folder_ / "plugin.so"; }
  // The working folder of one check: empty, or as its last child left it.
  std::string room(const std::string& name, bool empty) const {
    std::error_code ignored;
    const fs::path room = folder_ / "work" / name;
    if (empty) fs::remove_all(room, ignored);
    fs::create_directories(room, ignored);
    return room;
  }

 private:
  fs::path folder_;
};

// Whether a check is for this component; null: for the file as a whole.
bool applies(const Check& check, const Described* component) {
  if (component == nullptr || check.kinds == kWholeFile) return component == nullptr && check.kinds == kWholeFile;
  if ((check.kinds & (1u << component->kind)) == 0) return false;
  return (check.kinds & (component->stateful ? kPure : kStateful)) == 0;
}

// All the checks of one plugin.
class Run {
 public:
  explicit Run(const Options& options) : options_(options) {}
  base::Result<Report> all();

 private:
  // What is known of the one component that is being checked, or of the file.
  struct Subjects {
    const Described* described = nullptr;  // null: the file
    std::string component;
    std::string config = "{}";
    std::map<std::string, std::vector<std::string>> found;  // by check
    std::map<std::string, Result> results;                  // of those that have been run
    bool emitted = false;
  };

  base::Status one(Subjects& about);
  base::Status run_active(const Check& check, Subjects& about);
  base::Result<Ending> child(const Check& check, const Subjects& about, uint32_t round);
  Result watched(const Check& check, const Subjects& about) const;
  Result skipped(const Check& check, const char* first, const Subjects& about) const;
  // The check that keeps this one from being run; null when none does.
  const char* hindered(const Check& check, const Subjects& about) const;
  bool wanted(const Check& check) const;
  void report(Result result);

  const Options& options_;
  Workshop workshop_;
  Report report_;
  std::vector<Described> components_;  // as the plugin describes them when it is loaded
};

bool Run::wanted(const Check& check) const {
  if (options_.only.empty() || options_.only == check.name) return true;
  // What it stands on, and for a watched one the work during which it is watched.
  const Check* only = find_check(options_.only);
  const std::string_view name = check.name;
  if (only->needs == Needs::kFile) return false;
  if (name == "load" || (name == "create" && only->needs >= Needs::kConfig)) return true;
  if (name == "life-cycle") return only->needs >= Needs::kLife || only->body == nullptr;
  return name == "work" && (only->needs >= Needs::kWork || only->body == nullptr);
}

const char* Run::hindered(const Check& check, const Subjects& about) const {
  auto bad = [&](const char* name) {
    auto found = about.results.find(name);
    return found != about.results.end() && found->second.outcome != Outcome::kPassed;
  };
  if (check.needs >= Needs::kConfig && bad("create")) return "create";
  if (check.needs >= Needs::kLife && bad("life-cycle")) return "life-cycle";
  if (check.needs >= Needs::kWork && bad("work")) return "work";
  for (const auto& [name, result] : about.results) {
    const std::string list = std::string(" ") + check.after + " ";
    if (result.outcome != Outcome::kPassed && list.find(" " + name + " ") != std::string::npos) return find_check(name)->name;
  }
  return nullptr;
}

base::Result<Ending> Run::child(const Check& check, const Subjects& about, uint32_t round) {
  Job job;
  job.file = workshop_.copy();
  job.component = about.component;
  job.check = check.name;
  job.config = about.config;
  job.config_given = !options_.config.empty();
  job.call_limit = options_.call_limit;
  job.cycles = options_.cycles;
  job.stimulus = options_.stimulus;
  job.round = round;
  // A second round goes on where the first one was killed.
  return run_child(job, {options_.program, workshop_.room(check.name, round == 0), kChildLimit});
}

base::Status Run::run_active(const Check& check, Subjects& about) {
  Result result{check.name, about.component, Outcome::kPassed, {}, "", {}};
  const base::Monotonic begin = base::now();
  auto ending = child(check, about, 0);
  if (ending && ending->harm.empty() && ending->findings.empty() && std::string_view(check.name) == "kill") ending = child(check, about, 1);
  if (!ending) return ending.error();
  result.time = std::chrono::duration_cast<std::chrono::milliseconds>(base::now() - begin);
  result.note = ending->note;
  about.emitted = about.emitted || ending->emitted;
  if (!ending->components.empty()) components_ = ending->components;
  for (const auto& [name, what] : ending->findings) {
    auto& list = about.found[name];
    if (std::find(list.begin(), list.end(), what) == list.end()) list.push_back(what);
  }
  if (!ending->harm.empty()) about.found[check.name].push_back(ending->harm);
  if (!ending->printed.empty()) {
    auto& list = about.found["prints"];
    const std::string text = ending->printed.substr(0, ending->printed.find('\n')).substr(0, kShownOutput);
    if (list.empty()) list.push_back("it writes to standard output: \"" + text + "\"");
  }
  result.findings = about.found[check.name];
  if (!result.findings.empty()) {
    result.outcome = Outcome::kFailed;
  } else if (!ending->not_run.empty()) {
    result.outcome = Outcome::kNotRun;
    result.note = ending->not_run;
  }
  about.results[check.name] = std::move(result);
  return {};
}

// What a child of another check has found about it counts all the same.
Result Run::skipped(const Check& check, const char* first, const Subjects& about) const {
  Result result = watched(check, about);
  if (result.outcome == Outcome::kFailed) return result;
  result.outcome = Outcome::kNotRun;
  result.note = std::string("because '") + first + "' did not pass";
  return result;
}

Result Run::watched(const Check& check, const Subjects& about) const {
  Result result{check.name, about.component, Outcome::kPassed, {}, "", {}};
  if (auto found = about.found.find(check.name); found != about.found.end()) {
    result.outcome = Outcome::kFailed;
    result.findings = found->second;
  } else if (check.needs_events && !about.emitted) {
    result.outcome = Outcome::kNotRun;
    result.note = "no event was emitted: pass --stimulus 'command'";
  }
  return result;
}

void Run::report(Result result) {
  if (options_.on_result) options_.on_result(result);
  report_.results.push_back(std::move(result));
}

base::Status Run::one(Subjects& about) {
  std::vector<const Check*> checks;
  for (const Check& check : catalogue()) {
    if (wanted(check) && applies(check, about.described)) checks.push_back(&check);
  }
  for (const Check* check : checks) {
    if (check->body == nullptr) continue;
    if (const char* first = hindered(*check, about)) {
      about.results[check->name] = skipped(*check, first, about);
      report(about.results[check->name]);
      continue;
    }
    if (auto ran = run_active(*check, about); !ran) return ran;
    report(about.results[check->name]);
  }
  for (const Check* check : checks) {
    if (check->body != nullptr) continue;
    const char* first = hindered(*check, about);
    report(first != nullptr ? skipped(*check, first, about) : watched(*check, about));
  }
  return {};
}

base::Result<Report> Run::all() {
  if (auto opened = workshop_.open(options_.file); !opened) return opened.error();
  report_.file = options_.file;
  if (auto note = plugin::read_note(workshop_.copy())) {
    report_.id = note->id;
    report_.version = note->version;
  }
  Subjects file;
  if (auto ran = one(file); !ran) return ran.error();
  const bool known = std::any_of(components_.begin(), components_.end(),
                                 [&](const Described& one) { return one.name == options_.component; });
  if (!options_.component.empty() && !components_.empty() && !known) {
    return base::error(Code::kNotFound, "it has no component '" + options_.component + "'", options_.file,
                       "weir plugin inspect shows what it has");
  }
  // What does not load has no components to check; that it does not is what the report says.
  for (const Described& described : components_) {
    if (!options_.component.empty() && options_.component != described.name) continue;
    Subjects about;
    about.described = &described;
    about.component = described.name;
    about.results = file.results;
    if (!options_.config.empty()) {
      about.config = options_.config;
    } else if (auto least = least_config(described.config_schema)) {
      about.config = least->dump();
    }
    if (auto ran = one(about); !ran) return ran.error();
  }
  return std::move(report_);
}

}  // namespace

base::Result<Report> run(const Options& options) {
  if (!options.only.empty() && find_check(options.only) == nullptr) {
    return base::error(Code::kNotFound, "there is no check '" + options.only + "'", "", "weir plugin check --list shows them");
  }
  std::error_code failed;
  if (!fs::is_regular_file(options.file, failed)) {
    return base::error(Code::kNotFound, "there is no such file", options.file, "name the plugin's .so");
  }
  return Run(options).all();
}

}  // namespace weir::check
