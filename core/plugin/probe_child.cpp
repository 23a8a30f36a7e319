// The child's side of a probe.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "plugin/component_json.h"
#include "plugin/library.h"
#include "plugin/probe.h"

namespace weir::plugin {
namespace {

constexpr rlim_t kMaxCpuSeconds = 30;           // should the parent be gone, this ends an endless loop
constexpr rlim_t kMaxFileBytes = 1 << 20;       // loading a plugin writes nothing; a little for a stray log
constexpr rlim_t kMaxMemoryBytes = 2ull << 30;  // address space; libraries map a few hundred MiB at most
constexpr base::Duration kForever = std::chrono::hours(1);  // the parent keeps the time

void limit(__rlimit_resource resource, rlim_t most) {
  rlimit both{most, most};
  ::setrlimit(resource, &both);  // a lower limit of the parent's that cannot be raised will do as well
}

// Confines what a wrong plugin can do to the machine while it is tried.
void confine() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, kMaxCpuSeconds);
  limit(RLIMIT_FSIZE, kMaxFileBytes);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_AS, kMaxMemoryBytes);  // the sanitizers reserve terabytes of addresses
#else
  static_cast<void>(kMaxMemoryBytes);
#endif
}

void write_line(int fd, const nlohmann::json& json) {
  std::string line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  for (size_t at = 0; at < line.size();) {
    ssize_t n = ::write(fd, line.data() + at, line.size() - at);
    if (n <= 0) return;  // nobody listens
    at += static_cast<size_t>(n);
  }
}

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::kOpen:
      return "open";
    case Stage::kInit:
      return "init";
    case Stage::kDescribe:
      return "describe";
    case Stage::kUnload:
      return "unload";
  }
  return "";
}

nlohmann::json failure(const base::Error& error) {
  return {{"ok", false}, {"what", error.what}, {"hint", error.hint}};
}

nlohmann::json try_plugin(const std::string& file, int fd) {
  base::Result<Note> note = read_note(file);
  if (!note) return failure(note.error());
  if (base::Status abi = judge_abi(*note, file); !abi) return failure(abi.error());
  auto on_stage = [fd](Stage stage) { write_line(fd, {{"stage", stage_name(stage)}}); };
  base::Result<std::unique_ptr<Library>> library = Library::open(file, *note, kForever, on_stage);
  if (!library) return failure(library.error());
  nlohmann::json components = nlohmann::json::array();
  for (const Component& component : (*library)->components()) components.push_back(component_to_json(component));
  on_stage(Stage::kUnload);
  // A library that stays mapped is no reason to refuse it: it costs memory at a swap, which is reported then.
  base::Status closed = (*library)->close();
  nlohmann::json result = {{"ok", true}, {"unloaded", closed.ok()}, {"components", components}};
  if (!closed) result["what"] = closed.error().what;
  return result;
}

}  // namespace

int probe_main(const char* file) {
  confine();
  // The result goes where only we write: a plugin that prints does so on standard error.
  int fd = ::dup(STDOUT_FILENO);
  if (fd < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
  write_line(fd, try_plugin(file, fd));
  return 0;
}

}  // namespace weir::plugin
