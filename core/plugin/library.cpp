#include "plugin/library.h"

#include <boost/dll/shared_library.hpp>
#include <fstream>

#include "base/log.h"
#include "plugin/control_thread.h"
#include "weir/entry.h"
#include "weir/log.h"

namespace weir::plugin {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::Status;

constexpr char kEntrySymbol[] = "weir_plugin_entry";
constexpr base::Duration kCloseLimit = std::chrono::seconds(5);
constexpr uint32_t kErrorTextBytes = 1024;

// The host that init gets: it offers the log and nothing else.
struct LogHost : weir_host {
  explicit LogHost(std::string name) : weir_host{&LogHost::get_service}, who(std::move(name)) {}

  static const void* get_service(weir_host*, const char* id) {
    return std::string_view(id) == WEIR_LOG ? &kLog : nullptr;
  }
  static void write(weir_host* host, uint32_t level, weir_text text) {
    level = std::clamp<uint32_t>(level, WEIR_LOG_DEBUG, WEIR_LOG_ERROR);
    base::log(static_cast<base::Level>(level), static_cast<LogHost*>(host)->who, {text.data, text.size});
  }
  static constexpr weir_log_v1 kLog = {&LogHost::write};

  std::string who;
};

// What the dynamic linker said. Boost.DLL wraps dlerror's text, which begins with the path that `where` names
// too.
std::string dlerror_text(const std::string& what, const std::string& path) {
  constexpr std::string_view kBefore = "(dlerror system message: ";
  size_t begin = what.find(kBefore);
  if (begin == std::string::npos) return what;
  std::string text = what.substr(begin + kBefore.size());
  text = text.substr(0, text.rfind("): "));
  if (text.ends_with(')')) text.pop_back();
  return text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text;
}

Error linker_refusal(const std::string& what, const std::string& path) {
  std::string text = dlerror_text(what, path);
  if (text.find("undefined symbol") != std::string::npos) {
    return base::error(Code::kInvalid, "cannot be loaded, it uses a symbol that nothing defines: " + text,
                       path, "link the plugin with weir_add_plugin, which finds this when it is built");
  }
  if (text.find("cannot open shared object file") != std::string::npos) {
    return base::error(Code::kInvalid, "cannot be loaded, a library that it needs is missing: " + text, path,
                       "install that library, or link it into the plugin");
  }
  return base::error(Code::kInvalid, "cannot be loaded: " + text, path,
                     "the plugin's author can run ldd -r on it");
}

Status run_init(const weir_entry& entry, LogHost& host, const std::string& path) {
  char text[kErrorTextBytes] = "";
  char pointer[1] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
  if (entry.init(&host, &error) == WEIR_OK) return {};
  text[sizeof text - 1] = '\0';
  return base::error(Code::kUnavailable,
                     std::string("refused to initialise: ") + (text[0] != '\0' ? text : "it gave no reason"),
                     path, "the plugin cannot work on this machine; its documentation may say what it needs");
}

}  // namespace

// What a call into the library uses. If the call never returns, its thread goes on owning this.
struct Library::Loaded {
  Loaded(std::string file, Note said) : path(std::move(file)), note(std::move(said)), host(note.id) {}

  void load(const std::function<void(Stage)>& on_stage);
  void unload();

  const std::string path;
  const Note note;
  LogHost host;
  boost::dll::shared_library library;
  const weir_entry* entry = nullptr;
  bool initialised = false;
  std::vector<Component> components;
  Status outcome;
};

void Library::Loaded::load(const std::function<void(Stage)>& on_stage) {
  auto at = [&](Stage stage) {
    if (on_stage) on_stage(stage);
  };
  at(Stage::kOpen);
  try {
    // With an error_code Boost.DLL loses dlerror's text; only its exception has it.
    library.load(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
  } catch (const std::exception& exception) {
    outcome = linker_refusal(exception.what(), path);
    return;
  }
  try {
    entry = &library.get<const weir_entry>(kEntrySymbol);
  } catch (const std::exception&) {
    outcome =
        base::error(Code::kInvalid, std::string("has no symbol ") + kEntrySymbol, path,
                    "export the entry table: WEIR_PLUGIN(...) in C++, WEIR_EXPORT const weir_entry in C");
    return;
  }
  if (outcome = check_entry(*entry, note, path); !outcome) return;
  at(Stage::kInit);
  if (outcome = run_init(*entry, host, path); !outcome) return;
  initialised = true;
  at(Stage::kDescribe);
  Result<std::vector<Component>> described = describe(*entry, note, path);
  if (described) {
    components = std::move(described).value();
  } else {
    outcome = described.error();
  }
}

void Library::Loaded::unload() {
  boost::dll::shared_library going;
  going.swap(library);
  going.unload();
}

Library::Library() = default;

Library::~Library() {
  if (Status closed = close(); !closed) base::log_warn("plugin", closed.error().text());
}

Result<std::unique_ptr<Library>> Library::open(const std::string& path, const Note& note,
                                               base::Duration limit, std::function<void(Stage)> on_stage) {
  auto loaded = std::make_shared<Loaded>(path, note);
  std::unique_ptr<Library> library(new Library);
  library->path_ = path;
  library->note_ = note;
  bool ended;
  {
    ControlThread thread;
    ended = thread.run([loaded, on_stage] { loaded->load(on_stage); }, base::now() + limit, loaded);
  }
  if (!ended) {
    return base::error(Code::kTimeout, "did not finish loading within " + base::human_duration(limit), path,
                       "it stays in memory until the gateway is restarted; use another version");
  }
  library->loaded_ = loaded;
  if (!loaded->outcome) {
    if (Status closed = library->close(); !closed) base::log_warn("plugin", closed.error().text());
    return loaded->outcome.error();
  }
  library->components_ = std::move(loaded->components);
  return library;
}

Status Library::close() {
  std::shared_ptr<Loaded> loaded = std::exchange(loaded_, nullptr);
  if (loaded == nullptr || !loaded->library.is_loaded()) return {};
  // Two threads, one after the other: a thread_local that deinit touched is gone when its thread is, and only
  // then can the library be unmapped.
  for (auto* step : {+[](Loaded& it) { it.initialised ? it.entry->deinit() : void(); },
                     +[](Loaded& it) { it.unload(); }}) {
    ControlThread thread;
    if (!thread.run([loaded, step] { step(*loaded); }, base::now() + kCloseLimit, loaded)) {
      return base::error(Code::kTimeout,
                         "did not return from unloading within " + base::human_duration(kCloseLimit), path_,
                         "it stays in memory until the gateway is restarted");
    }
  }
  if (!is_mapped(path_)) return {};
  return base::error(
      Code::kInternal, "was closed but did not unload", path_,
      "a thread of the plugin still runs, it was linked with -z nodelete, or it exports more than "
      "its entry; its memory is lost until the gateway is restarted");
}

const Component* Library::find(std::string_view component) const {
  for (const Component& candidate : components_) {
    if (candidate.name == component) return &candidate;
  }
  return nullptr;
}

const void* Library::table(const std::string& component, const char* id) const {
  return loaded_ == nullptr ? nullptr : loaded_->entry->get_interface(component.c_str(), id);
}

bool is_mapped(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  const std::string wanted = real != nullptr ? real : path;
  std::free(real);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    // A file that was removed meanwhile has " (deleted)" behind its path.
    if (line.ends_with(wanted) || line.ends_with(wanted + " (deleted)")) return true;
  }
  return false;
}

}  // namespace weir::plugin
