// The Unix socket between a gateway and a child: messages of any length, and descriptors with them.
#pragma once

#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "isolation/wire.h"

namespace weir::isolation {

// A descriptor that is closed when nobody owns it any more.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Letter {
  Message message{};
  uint64_t id = 0;  // which call it belongs to; 0: none
  std::string body;
  std::vector<Descriptor> descriptors;
};

// Sending: any thread. Receiving: one.
class Channel {
 public:
  // For the gateway `patience` is how long it waits for a child to read a letter, or to finish one that it has begun; and
  // a child sends no descriptors. Zero for the child: it waits as long as it lives, and takes descriptors.
  Channel(Descriptor socket, base::Duration patience);
  static base::Result<std::pair<Descriptor, Descriptor>> pair();

  int fd() const { return socket_.get(); }
  // False when the other side is gone, or does not read.
  bool send(Message message, uint64_t id, std::string_view body, std::span<const int> descriptors = {});
  // The next letter; an error when the other side has gone, or sends what is no letter.
  base::Result<Letter> receive();

 private:
  base::Monotonic deadline() const;

  Descriptor socket_;
  const base::Duration patience_;
  std::mutex sending_;
};

}  // namespace weir::isolation
