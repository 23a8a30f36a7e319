#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace weir::test {
namespace {

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view line = *variable;
    bool replaced = false;
    for (const auto& [name, value] : added) replaced |= line.starts_with(name + "=");
    if (!replaced) all.emplace_back(line);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// In the child, between fork and exec: async-signal-safe calls only. Does not return.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* folder,
                         const char* output, const char* errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = ::open(output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  const int err = ::open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (*folder == '\0' || ::chdir(folder) == 0) ::execvpe(arguments[0], arguments, environment);
  const char* why = std::strerror(errno);
  [[maybe_unused]] ssize_t written = ::write(2, why, std::strlen(why));
  ::_exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  std::vector<std::string> argument_copy = arguments;
  std::vector<std::string> environment = environment_with(options.environment);
  const std::vector<char*> argument_list = pointers(argument_copy);
  const std::vector<char*> environment_list = pointers(environment);
  const std::string output = folder_ / "stdout";
  const std::string errors = folder_ / "stderr";
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    become(argument_list.data(), environment_list.data(), options.working_folder.c_str(), output.c_str(),
           errors.c_str(), parent);
  }
  // By number: glibc 2.36 declares pidfd_open() without C linkage, so C++ cannot link it.
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw std::runtime_error("no pidfd for " + arguments[0]);
  }
}

Process::~Process() {
  if (!exit_) {
    kill(SIGKILL);
    wait();
  }
  ::close(pidfd_);
}

std::optional<Exit> Process::wait(std::chrono::nanoseconds timeout) {
  if (exit_) return exit_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  pollfd ended{pidfd_, POLLIN, 0};
  for (;;) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = ::poll(&ended, 1, static_cast<int>(left_ms > 0 ? left_ms : 0));
    if (ready > 0) break;
    if (ready == 0) return std::nullopt;
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_.emplace();
  if (WIFEXITED(status)) exit_->code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) exit_->signal = WTERMSIG(status);
  return exit_;
}

void Process::kill(int signal) {
  if (!exit_) ::kill(pid_, signal);
}

Exit Process::terminate(std::chrono::nanoseconds timeout) {
  kill(SIGTERM);
  if (auto ended = wait(timeout)) return *ended;
  kill(SIGKILL);
  return wait().value_or(Exit{});
}

bool Process::wait_for_output(std::string_view text, std::chrono::nanoseconds timeout) {
  bool ended = false;
  auto holds = [&] { return output().find(text) != std::string::npos; };
  return wait_until([&] { return holds() || (ended = !running()); }, timeout) && (!ended || holds());
}

bool Process::wait_for_errors(std::string_view text, std::chrono::nanoseconds timeout) {
  bool ended = false;
  auto holds = [&] { return errors().find(text) != std::string::npos; };
  return wait_until([&] { return holds() || (ended = !running()); }, timeout) && (!ended || holds());
}

Finished run(const std::vector<std::string>& arguments, const ProcessOptions& options,
             std::chrono::nanoseconds timeout) {
  Process process(arguments, options);
  const std::optional<Exit> exit = process.wait(timeout);
  if (!exit) throw std::runtime_error(arguments[0] + " did not end in time; it wrote: " + process.errors());
  return {*exit, process.output(), process.errors()};
}

}  // namespace weir::test
