#include "plugin/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "plugin/component_json.h"

extern char** environ;

namespace weir::plugin {
namespace {

using base::Code;
using base::Error;
using base::Result;
using base::Status;

constexpr size_t kMaxResultBytes = 4 << 20;    // the descriptors, with a JSON Schema each
constexpr size_t kMaxStderrBytes = 8 * 1024;   // enough for the last line
constexpr base::Duration kStartLimit = std::chrono::seconds(30);  // far more than a process takes to start
constexpr size_t kPieceBytes = 4096;
constexpr int kPiecesInAPipe =
    64 * 1024 / kPieceBytes + 2;  // a pipe's capacity on Linux, and both ends of streams

// Both ends of a pipe; closed on exec, so only what is dup'ed on purpose reaches the child.
class Pipe {
 public:
  Pipe() { ok_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    close_write();
    if (ok_) ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  bool ok() const { return ok_; }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_write() {
    if (ok_ && ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  bool ok_ = false;
};

Error cannot_probe(const std::string& what, int number) {
  return base::error(Code::kUnavailable, "cannot be probed, " + what + ": " + std::strerror(number), "",
                     "the machine is short of processes, memory or file descriptors");
}

// Starts the child in a process group of its own, so that what it leaves behind can be killed with it.
Result<pid_t> spawn(const std::string& path, const ProbeOptions& options, const Pipe& out, const Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string program = options.program, host = "host", flag = "--probe", file = path;
  std::array<char*, 5> arguments = {program.data(), host.data(), flag.data(), file.data(), nullptr};
  pid_t pid = 0;
  int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return cannot_probe("the program " + options.program + " cannot be started", failed);
  return pid;
}

// Reads what is there now, keeping the first (or the last) `most` bytes. False at the end of the stream.
bool read_some(int fd, std::string& text, size_t most, bool keep_last) {
  char piece[kPieceBytes];
  ssize_t n = ::read(fd, piece, sizeof piece);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  text.append(piece, static_cast<size_t>(n));
  if (text.size() > most) keep_last ? text.erase(0, text.size() - most) : text.erase(most);
  return n > 0;
}

struct Ending {
  std::string out;
  std::string err;
  bool hung = false;
  siginfo_t exit{};
};

// Reads the child's output until it ends or its time is over, and reaps it in both cases. The plugin's time
// begins with the child's first word: until then the child has only started itself, and a busy machine is
// slow at that.
Ending watch(pid_t pid, int pidfd, const Pipe& out, const Pipe& err, base::Duration limit) {
  Ending ending;
  std::array<pollfd, 3> fds = {pollfd{out.read_end(), POLLIN, 0}, pollfd{err.read_end(), POLLIN, 0},
                               pollfd{pidfd, POLLIN, 0}};
  auto read_ready = [&] {
    if (fds[0].revents != 0 && !read_some(fds[0].fd, ending.out, kMaxResultBytes, false)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !read_some(fds[1].fd, ending.err, kMaxStderrBytes, true)) fds[1].fd = -1;
  };
  base::Monotonic deadline = base::now() + kStartLimit;
  for (;;) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::now()).count();
    int ready = left <= 0 ? 0 : ::poll(fds.data(), fds.size(), static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      ending.hung = true;
      break;
    }
    const bool began = !ending.out.empty();
    read_ready();
    if (!began && !ending.out.empty()) deadline = base::now() + limit;
    if (fds[2].revents != 0) break;
  }
  // The child is not reaped yet, so its number still means its group and nobody else's.
  ::kill(-pid, SIGKILL);
  while (::waitid(P_PID, static_cast<id_t>(pid), &ending.exit, WEXITED) != 0 && errno == EINTR) {
  }
  // What it wrote last is still in the pipes. A descendant that left the group could keep them open and go on
  // writing: do not wait, and stop when everything that a pipe holds has been read.
  fds[2].fd = -1;
  for (int pieces = 0; pieces<kPiecesInAPipe&& ::poll(fds.data(), fds.size(), 0)> 0; ++pieces) read_ready();
  return ending;
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

// ", its last words were: ..." when it wrote any.
std::string last_words(const Ending& ending) {
  std::string line = last_line(ending.err);
  return line.empty() ? "" : "; its last line on standard error: " + line;
}

// What was running when the child ended, from the last stage that it wrote.
std::string running(const nlohmann::json& stage) {
  if (stage == "open") return "while it was loaded (a constructor)";
  if (stage == "init") return "in init";
  if (stage == "describe") return "while its components were read";
  if (stage == "unload") return "while it was unloaded (deinit or a destructor)";
  return "before it was loaded";
}

struct Report {
  nlohmann::json stage;   // of the last line that had one
  nlohmann::json result;  // the line with "ok", or null
};

Report read_report(const std::string& out) {
  Report report;
  for (size_t at = 0; at < out.size();) {
    size_t end = std::min(out.find('\n', at), out.size());
    nlohmann::json line =
        nlohmann::json::parse(out.substr(at, end - at), nullptr, /*allow_exceptions=*/false);
    if (line.is_object() && line.contains("stage")) report.stage = line["stage"];
    if (line.is_object() && line.contains("ok") && line["ok"].is_boolean()) report.result = line;
    at = end + 1;
  }
  return report;
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string(name);
}

std::string text_of(const nlohmann::json& result, const char* key) {
  auto found = result.find(key);
  return found != result.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<std::vector<Component>> components_of(const nlohmann::json& result, const std::string& path) {
  std::vector<Component> components;
  try {
    for (const nlohmann::json& from : result.at("components")) components.push_back(component_from_json(from));
  } catch (const nlohmann::json::exception&) {
    return base::error(Code::kInternal, "its descriptors did not come back whole from the probe", path);
  }
  return components;
}

Result<std::vector<Component>> judge(const Ending& ending, const std::string& path, base::Duration deadline) {
  constexpr char kAuthor[] = "the plugin would have done this to the gateway; its author has to mend it";
  Report report = read_report(ending.out);
  const std::string where = running(report.stage);
  if (ending.hung && ending.out.empty()) {
    return base::error(
        Code::kUnavailable,
        "cannot be probed, the child did not start within " + base::human_duration(kStartLimit), path,
        "the machine is overloaded; it is tried again");
  }
  if (ending.hung) {
    return base::error(
        Code::kTimeout,
        "did not return within " + base::human_duration(deadline) + " " + where + last_words(ending), path,
        "loading must not wait for anything: move that work to prepare or start");
  }
  if (ending.exit.si_code != CLD_EXITED) {
    return base::error(
        Code::kInvalid,
        "crashed with " + signal_name(ending.exit.si_status) + " " + where + last_words(ending), path,
        kAuthor);
  }
  if (report.result.is_null() && ending.exit.si_status != 0) {
    return base::error(Code::kInvalid,
                       "ended the process with exit code " + std::to_string(ending.exit.si_status) + " " +
                           where + last_words(ending),
                       path, kAuthor);
  }
  if (report.result.is_null()) {
    return base::error(Code::kInvalid, "ended the process without a result " + where + last_words(ending),
                       path, kAuthor);
  }
  if (report.result["ok"] == true) return components_of(report.result, path);
  return base::error(Code::kInvalid, text_of(report.result, "what"), path, text_of(report.result, "hint"));
}

}  // namespace

Result<std::vector<Component>> probe(const std::string& path, const ProbeOptions& options) {
  Pipe out, err;
  if (!out.ok() || !err.ok()) return cannot_probe("no pipe", errno);
  for (int fd : {out.read_end(), err.read_end()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  Result<pid_t> pid = spawn(path, options, out, err);
  if (!pid) return pid.error();
  out.close_write();
  err.close_write();
  // By its number: the header of glibc 2.36 declares pidfd_open without extern "C".
  int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
  if (pidfd < 0) {
    int number = errno;
    ::kill(-*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return cannot_probe("its child cannot be watched", number);
  }
  Ending ending = watch(*pid, pidfd, out, err, options.deadline);
  ::close(pidfd);
  return judge(ending, path, options.deadline);
}

}  // namespace weir::plugin
