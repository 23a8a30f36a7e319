#include "isolation/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

extern char** environ;

namespace weir::isolation {
namespace {

// What a process needs of its surroundings; the rest may hold secrets of others ("${env:NAME}").
bool harmless(std::string_view variable) {
  constexpr std::string_view kNames[] = {"PATH=", "HOME=", "LANG=", "LC_", "TZ=", "TMPDIR=", "LD_LIBRARY_PATH=",
                                         "ASAN_OPTIONS=", "TSAN_OPTIONS=", "UBSAN_OPTIONS="};
  for (std::string_view name : kNames) {
    if (variable.starts_with(name)) return true;
  }
  return false;
}

}  // namespace

base::Result<ChildProcess> ChildProcess::start(const std::string& program, const std::string& name,
                                               Descriptor socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // What a plugin prints must not get between the lines that a command prints.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  constexpr int kSocket = STDERR_FILENO + 1;
  posix_spawn_file_actions_adddup2(&actions, socket.get(), kSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions, kSocket + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // Not in the gateway's group: Ctrl-C is the gateway's, which then ends its children in order.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string path = program, host = "host", flag = "--instance", instance = name;
  std::array<char*, 5> arguments = {path.data(), host.data(), flag.data(), instance.data(), nullptr};
  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (harmless(*variable)) environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  pid_t pid = 0;
  int failed = ::posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return base::error(base::Code::kUnavailable, std::string("its process cannot be started: ") + std::strerror(failed),
                       "", "the machine is short of processes, memory or file descriptors");
  }
  // By its number: the header of glibc 2.36 declares pidfd_open without extern "C".
  Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ChildProcess child(pid, std::move(pidfd));
  if (child.pidfd() < 0) {
    return base::error(base::Code::kUnavailable, std::string("its process cannot be watched: ") + std::strerror(errno));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  kill();
  reap();
}

// The number means this child until it is reaped. Its group too: what it left behind goes with it.
void ChildProcess::kill() const {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

std::string ChildProcess::reap() {
  if (pid_ < 0) return "has ended";
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (info.si_code == CLD_EXITED) return "ended with exit code " + std::to_string(info.si_status);
  const char* signal = ::sigabbrev_np(info.si_status);
  return "was killed by " + (signal != nullptr ? "SIG" + std::string(signal) : std::to_string(info.si_status));
}

ProcessUse process_use(pid_t pid) {
  ProcessUse use;
  struct {
    std::string_view key;
    uint64_t* value;
    int shift;  // from KiB
  } wanted[] = {{"RssAnon:", &use.private_bytes, 10}, {"RssShmem:", &use.shared_bytes, 10}, {"Threads:", &use.threads, 0}};
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    for (auto& want : wanted) {
      if (line.starts_with(want.key)) *want.value = std::strtoull(line.c_str() + want.key.size(), nullptr, 10) << want.shift;
    }
  }
  return use;
}

base::Duration cpu_time(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text(std::istreambuf_iterator<char>(file), {});
  // Behind the name, which can hold anything: state and ten numbers, then user and system time in ticks (proc(5)).
  size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(text.substr(end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  int64_t user = 0, system = 0;
  fields >> user >> system;
  return std::chrono::nanoseconds(std::chrono::seconds(1)) * (user + system) / ::sysconf(_SC_CLK_TCK);
}

}  // namespace weir::isolation
