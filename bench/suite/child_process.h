// A process that the suite starts and ends. It dies with the suite.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir::bench {

class ChildProcess {
 public:
  ChildProcess() = default;
  ~ChildProcess() { kill_now(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Runs a program; what it writes goes to the file `log`, anew. Returns "" or why it did not start.
  std::string start(const std::vector<std::string>& arguments, const std::string& log);
  pid_t pid() const { return pid_; }
  bool running();
  // SIGTERM, then SIGKILL after `patience`.
  void terminate(std::chrono::seconds patience = std::chrono::seconds(30));
  void kill_now();

 private:
  pid_t pid_ = 0;
};

// A port of 127.0.0.1 that nobody listens on.
uint16_t free_port();
// True when somebody does.
bool listens(uint16_t port);
// The answer to GET http://127.0.0.1:PORT/PATH: its status (0: no answer) and body.
struct Got {
  int status = 0;
  std::string body;
};
Got http_get(uint16_t port, const std::string& path);

}  // namespace weir::bench
