#include "simulator/interrupt.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace weir::simulator {
namespace {

timespec remaining(std::chrono::steady_clock::time_point until) {
  auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - std::chrono::steady_clock::now());
  if (left.count() < 0) left = left.zero();
  return {static_cast<time_t>(left.count() / 1'000'000'000), static_cast<long>(left.count() % 1'000'000'000)};
}

}  // namespace

Interrupt::Interrupt() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) {
    std::perror("weir-simulator: signalfd");
    std::exit(1);
  }
}

Interrupt::~Interrupt() { close(fd_); }

bool Interrupt::wait_until(std::chrono::steady_clock::time_point until) {
  pollfd watched{fd_, POLLIN, 0};
  timespec left = remaining(until);
  // The signal stays unread: once interrupted, every later wait says so too.
  return ppoll(&watched, 1, &left, nullptr) <= 0;
}

Interrupt::Ready Interrupt::wait_for(int fd, short poll_events, std::chrono::steady_clock::time_point until) {
  pollfd watched[2] = {{fd_, POLLIN, 0}, {fd, poll_events, 0}};
  timespec left = remaining(until);
  int ready = ppoll(watched, 2, &left, nullptr);
  if (watched[0].revents != 0) return Ready::kInterrupted;
  return ready > 0 ? Ready::kYes : Ready::kTimeout;
}

bool Interrupt::interrupted() { return !wait_until(std::chrono::steady_clock::now()); }

}  // namespace weir::simulator
