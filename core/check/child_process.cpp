#include "check/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "check/board.h"
#include "check/child.h"

extern char** environ;

namespace weir::check {
namespace {

using base::Code;
using nlohmann::json;

constexpr size_t kMaxOutput = 8 * 1024;         // of standard output and error each
constexpr size_t kMaxFindings = 1 << 20;        // bytes of lines from one child
constexpr int kPollMs = 20;                     // how often the board is looked at
constexpr base::Duration kKillAfter = std::chrono::milliseconds(30);  // so that work is under way

// A descriptor that is closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
  Descriptor read, write;
};

Descriptor memory_file(const char* name) { return Descriptor(::memfd_create(name, MFD_CLOEXEC)); }

class Child {
 public:
  Child(const Job& job, const ChildOptions& options) : job_(job), options_(options) {}
  ~Child() {
    if (board_ != nullptr) ::munmap(board_, sizeof(Board));
  }
  base::Status start();
  Ending watch();

 private:
  void read_all();
  bool read_from(Pipe& pipe, std::string& to, size_t most);
  void take(const json& line);
  std::string overdue() const;
  std::string calls() const;
  void end(const std::string& why_killed);

  const Job& job_;
  const ChildOptions& options_;
  Pipe findings_, out_, err_;
  Board* board_ = nullptr;
  pid_t pid_ = -1;
  Descriptor pidfd_;
  std::string lines_, error_text_;
  size_t taken_ = 0;
  bool came_to_end_ = false, kill_asked_ = false;
  Ending ending_;
};

base::Status Child::start() {
  auto failed = [](const char* what) {
    return base::error(Code::kUnavailable, std::string("no child for a check, ") + what + ": " + std::strerror(errno), "",
                       "the machine is short of processes, memory or file descriptors");
  };
  Descriptor job = memory_file("weir-check-job"), board = memory_file("weir-check-board");
  if (findings_.read.get() < 0 || out_.read.get() < 0 || err_.read.get() < 0 || job.get() < 0 || board.get() < 0) {
    return failed("no pipe");
  }
  const std::string text = to_text(job_);
  if (::write(job.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::lseek(job.get(), 0, SEEK_SET) != 0 ||
      ::ftruncate(board.get(), sizeof(Board)) != 0) {
    return failed("no memory");
  }
  void* shared = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, board.get(), 0);
  if (shared == MAP_FAILED) return failed("no shared memory");
  board_ = new (shared) Board;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, options_.folder.c_str());
  const std::array<std::pair<int, int>, 5> given{{{job.get(), STDIN_FILENO}, {out_.write.get(), STDOUT_FILENO},
                                                 {err_.write.get(), STDERR_FILENO}, {findings_.write.get(), kFindingsFd},
                                                 {board.get(), kBoardFd}}};
  // First to where none of the targets is, or one could be overwritten before it is used.
  constexpr int kAside = 100;
  for (const auto& [from, to] : given) posix_spawn_file_actions_adddup2(&actions, from, kAside + to);
  for (const auto& [from, to] : given) posix_spawn_file_actions_adddup2(&actions, kAside + to, to);
  posix_spawn_file_actions_addclosefrom_np(&actions, kBoardFd + 1);
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string program = options_.program, host = "host", flag = "--check";
  std::array<char*, 4> arguments{program.data(), host.data(), flag.data(), nullptr};
  errno = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (errno != 0) return failed("it cannot be started");
  for (Pipe* pipe : {&findings_, &out_, &err_}) pipe->write.close();
  // By its number: the header of glibc 2.36 declares pidfd_open without extern "C".
  pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  return {};
}

// Reads what is there. False at the end of the stream.
bool Child::read_from(Pipe& pipe, std::string& to, size_t most) {
  char piece[4096];
  for (;;) {
    const ssize_t n = ::read(pipe.read.get(), piece, sizeof piece);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return false;
    if (n < 0) return true;
    if (to.size() < most) to.append(piece, std::min(static_cast<size_t>(n), most - to.size()));
  }
}

void Child::read_all() {
  for (auto [pipe, to, most] : {std::tuple(&findings_, &lines_, kMaxFindings), {&out_, &ending_.printed, kMaxOutput},
                                {&err_, &error_text_, kMaxOutput}}) {
    if (pipe->read.get() >= 0 && !read_from(*pipe, *to, most)) pipe->read.close();
  }
  for (size_t end; (end = lines_.find('\n', taken_)) != std::string::npos; taken_ = end + 1) {
    take(json::parse(lines_.substr(taken_, end - taken_), nullptr, false));
  }
}

void Child::take(const json& line) {
  if (!line.is_object()) return;
  if (line.contains("what")) ending_.findings.emplace_back(line.value("check", job_.check), line.value("what", ""));
  if (line.contains("not_run") && ending_.not_run.empty()) ending_.not_run = line.value("not_run", "");
  if (line.contains("note")) ending_.note = line.value("note", "");
  const std::string told = line.value("tell", "");
  if (told == "component") {
    const json one = json::parse(line.value("value", ""), nullptr, false);
    ending_.components.push_back({one.value("name", ""), one.value("kind", 0u), one.value("stateful", false), one.value("config_schema", "")});
  }
  ending_.emitted = ending_.emitted || told == "emitted";
  came_to_end_ = came_to_end_ || told == "end";
  kill_asked_ = kill_asked_ || told == "kill";
}

// The call that takes too long, if there is one.
std::string Child::overdue() const {
  for (const Board::Slot& slot : board_->slots) {
    const int64_t since = slot.since_ns, limit = slot.limit_ns;
    if (since != 0 && base::monotonic_ns() - since > limit) {
      return "hung: " + std::string(slot.text, strnlen(slot.text, sizeof slot.text)) + " did not return within " +
             base::human_duration(base::Duration(limit));
    }
  }
  return "";
}

// What was running, from the outermost to the innermost: "create with ..., create".
std::string Child::calls() const {
  std::string all;
  for (const Board::Slot& slot : board_->slots) {
    if (slot.since_ns != 0) all += (all.empty() ? " in " : ", ") + std::string(slot.text, strnlen(slot.text, sizeof slot.text));
  }
  return all;
}

void Child::end(const std::string& why_killed) {
  ::kill(-pid_, SIGKILL);
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
  }
  read_all();
  while (error_text_.ends_with('\n')) error_text_.pop_back();
  const std::string last = error_text_.substr(error_text_.rfind('\n') + 1);
  const std::string words = last.empty() ? "" : "; its last line on standard error: " + last;
  if (!why_killed.empty()) {
    ending_.harm = why_killed;
  } else if (kill_asked_ || came_to_end_) {
    return;
  } else if (info.si_code == CLD_EXITED) {
    if (info.si_status == 0 && !ending_.findings.empty()) return;  // it was refused before the check began
    ending_.harm = "ended the process with exit code " + std::to_string(info.si_status) + calls() + words;
  } else {
    const char* name = ::sigabbrev_np(info.si_status);
    ending_.harm = "crashed with SIG" + std::string(name != nullptr ? name : std::to_string(info.si_status)) + calls() + words;
  }
}

Ending Child::watch() {
  const base::Monotonic last = base::now() + options_.limit;
  std::string why;
  for (bool ended = false; !ended && why.empty();) {
    std::array<pollfd, 4> fds{{{pidfd_.get(), POLLIN, 0}, {findings_.read.get(), POLLIN, 0}, {out_.read.get(), POLLIN, 0},
                               {err_.read.get(), POLLIN, 0}}};
    (void)::poll(fds.data(), fds.size(), kPollMs);
    ended = fds[0].revents != 0;
    read_all();
    if (ended) break;
    if (kill_asked_) {
      // A moment for the work to be under way; then without a warning.
      pollfd child{pidfd_.get(), POLLIN, 0};
      (void)::poll(&child, 1, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(kKillAfter).count()));
      break;
    }
    why = overdue();
    if (why.empty() && base::now() > last) why = "hung: the check did not end within " + base::human_duration(options_.limit) + calls();
  }
  end(why);
  return std::move(ending_);
}

}  // namespace

base::Result<Ending> run_child(const Job& job, const ChildOptions& options) {
  Child child(job, options);
  if (auto started = child.start(); !started) return started.error();
  return child.watch();
}

}  // namespace weir::check
