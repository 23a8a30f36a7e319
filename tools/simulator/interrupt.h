// Ctrl-C as something to wait on: every wait of the simulator ends at once when SIGINT or SIGTERM comes.
#pragma once

#include <chrono>

namespace weir::simulator {

class Interrupt {
 public:
  // Blocks SIGINT and SIGTERM in the calling thread and collects them in a descriptor. Make it before threads.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Waits until the time has passed (true) or the signal came (false).
  bool wait_until(std::chrono::steady_clock::time_point until);

  enum class Ready { kYes, kTimeout, kInterrupted };
  // Waits until `fd` is ready for `poll_events` (POLLIN, POLLOUT).
  Ready wait_for(int fd, short poll_events, std::chrono::steady_clock::time_point until);

  bool interrupted();

 private:
  int fd_;
};

}  // namespace weir::simulator
