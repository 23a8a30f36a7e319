// A process that runs one plugin: started, watched, ended.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "isolation/channel.h"

namespace weir::isolation {

// One thread at a time, but for kill() and pidfd().
class ChildProcess {
 public:
  // Runs `PROGRAM host --instance NAME` with `socket` as descriptor 3.
  static base::Result<ChildProcess> start(const std::string& program, const std::string& name, Descriptor socket);
  // Kills and reaps it.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;

  pid_t pid() const { return pid_; }
  // Readable once it has ended.
  int pidfd() const { return pidfd_.get(); }
  void kill() const;
  // After it has ended, or after kill(): reaps it and says how it ended: "was killed by SIGSEGV".
  std::string reap();

 private:
  ChildProcess(pid_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_ = -1;  // -1: moved away or reaped
  Descriptor pidfd_;
};

// Of a running process; all 0 when it has gone.
struct ProcessUse {
  uint64_t private_bytes = 0, shared_bytes = 0;  // resident, without what is mapped from files
  uint64_t threads = 0;
};
ProcessUse process_use(pid_t pid);
base::Duration cpu_time(pid_t pid);

}  // namespace weir::isolation
