// A child process of a test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temp_dir.h"
#include "support/wait.h"

namespace weir::test {

// How a process ended: one of the two is set.
struct Exit {
  std::optional<int> code;
  std::optional<int> signal;
};

struct ProcessOptions {
  std::string working_folder;                                    // "" is the test's own
  std::vector<std::pair<std::string, std::string>> environment;  // added to the test's own
};

// Runs a program with its standard output and error written to files (a pipe would stall a child that talks
// much). The child is killed with the object, and by the kernel when the test itself dies. One thread at a
// time; start it on a thread that lives as long (the kernel kills the child when the thread that forked it
// ends).
class Process {
 public:
  // arguments[0] is the program: a path, or a name searched in PATH. Throws std::runtime_error when it cannot
  // start.
  explicit Process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running() { return !wait(std::chrono::nanoseconds(0)).has_value(); }
  // Waits for its end; nothing when `timeout` passed first.
  std::optional<Exit> wait(std::chrono::nanoseconds timeout = kPatience);
  void kill(int signal);
  // Ends it with SIGTERM (SIGKILL when that does not end it in time) and says how it went.
  Exit terminate(std::chrono::nanoseconds timeout = kPatience);

  // What it has written so far.
  std::string output() const { return read_file(folder_ / "stdout"); }
  std::string errors() const { return read_file(folder_ / "stderr"); }
  // Waits until standard output (error) holds `text`; false when `timeout` passed or the process ended
  // without.
  bool wait_for_output(std::string_view text, std::chrono::nanoseconds timeout = kPatience);
  bool wait_for_errors(std::string_view text, std::chrono::nanoseconds timeout = kPatience);

 private:
  TempDir folder_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<Exit> exit_;
};

struct Finished {
  Exit exit;
  std::string output;
  std::string errors;
};

// Runs a program to its end. Throws std::runtime_error when it takes longer than `timeout`.
Finished run(const std::vector<std::string>& arguments, const ProcessOptions& options = {},
             std::chrono::nanoseconds timeout = kPatience);

}  // namespace weir::test
