// One keep-alive connection of the generator: sends a prepared request, finds the end of the answer. Non-blocking;
// used by the generator's one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::bench {

class ClientConnection {
 public:
  enum class Progress {
    kMore,      // wait for the socket
    kAnswered,  // status() holds the answer's status; the connection is free
    kBroken     // the peer closed it or answered nonsense
  };

  ClientConnection() = default;
  ~ClientConnection() { disconnect(); }
  ClientConnection(ClientConnection&& other) noexcept;
  ClientConnection& operator=(ClientConnection&&) = delete;

  // Connects, blocking. False when there is nobody.
  bool connect_to(uint16_t port);
  void disconnect();
  int fd() const { return fd_; }

  // Begins a request; `request` must stay until it is answered.
  Progress send(std::string_view request);
  // Goes on when the socket can be written or read.
  Progress advance();
  bool wants_to_write() const { return !unsent_.empty(); }

  int status() const { return status_; }
  // The answer's Retry-After in milliseconds, 0 without.
  int64_t retry_after_ms() const { return retry_after_ms_; }
  // The length of the answer's body.
  uint64_t body_bytes() const { return body_bytes_; }

 private:
  Progress receive();
  bool read_head(std::string_view head);

  int fd_ = -1;
  std::string_view unsent_;
  std::string head_;          // of the answer, as far as it has come; empty once it was read
  bool in_body_ = false;
  uint64_t body_bytes_ = 0;
  uint64_t body_left_ = 0;
  int status_ = 0;
  int64_t retry_after_ms_ = 0;
};

}  // namespace weir::bench
