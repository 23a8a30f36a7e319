// weir.socket of the test host: listening sockets that outlive the instance which asked for them.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "weir/plugin.h"

namespace weir::test {

// Any thread.
class ListenSockets {
 public:
  struct Opened {
    weir_status status = WEIR_OK;
    int fd = -1;  // the caller's; non-blocking
    std::string message;
  };

  ListenSockets() = default;
  ListenSockets(const ListenSockets&) = delete;
  ListenSockets& operator=(const ListenSockets&) = delete;
  ~ListenSockets();

  // The same spec is the same socket.
  Opened open(uint32_t protocol, const std::string& address, uint32_t backlog);
  uint16_t port(size_t n) const;
  void fail_with(weir_status status);

 private:
  struct Socket {
    uint32_t protocol;
    std::string address;
    int fd;
  };
  mutable std::mutex mutex_;
  std::vector<Socket> sockets_;
  weir_status failure_ = WEIR_OK;
};

}  // namespace weir::test
