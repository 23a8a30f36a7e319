#include "check/child.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <iterator>
#include <thread>

#include "base/log.h"
#include "check/catalogue.h"
#include "check/trial.h"

namespace weir::check {
namespace {

constexpr rlim_t kMaxCpuSeconds = 300;  // should the parent be gone, this ends an endless loop

std::string read_all(int fd) {
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;) text.append(piece, static_cast<size_t>(n));
  return text;
}

// A plugin that reads standard input finds nothing there.
void close_input() {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
}

}  // namespace

int child_main() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0}, cpu{kMaxCpuSeconds, kMaxCpuSeconds};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_CPU, &cpu);
  base::set_log_level(base::Level::kOff);
  auto job = parse_job(read_all(STDIN_FILENO));
  close_input();
  void* shared = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, kBoardFd, 0);
  const Check* check = job ? find_check(job->check) : nullptr;
  if (check == nullptr || check->body == nullptr || shared == MAP_FAILED) return 2;
  for (int fd : {kFindingsFd, kBoardFd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  Trial trial(*job, kFindingsFd, *static_cast<Board*>(shared));
  if (check->needs != Needs::kFile && !trial.load()) return 0;
  // The control thread. Not this one: a thread_local of the plugin pins it while its thread lives.
  std::thread control([&] { check->body(trial); });
  control.join();
  trial.tell("end", "");
  // Without destructors: what the plugin left behind is not to run once more.
  ::_exit(0);
}

}  // namespace weir::check
