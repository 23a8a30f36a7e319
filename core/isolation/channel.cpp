#include "isolation/channel.h"

#include <sys/time.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::isolation {
namespace {

constexpr size_t kMaxBody = 32 << 20;  // a configuration, a value of the key-value state
constexpr size_t kMaxDescriptors = 8;

struct Head {
  uint32_t message;
  uint32_t size;
  uint64_t id;
};

bool send_all(int fd, const char* bytes, size_t size, base::Monotonic deadline) {
  while (size != 0) {
    if (base::now() > deadline) return false;
    ssize_t n = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

// Room for control messages, aligned as they must be.
union ControlBuffer {
  cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
};

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = other.release();
  return *this;
}

Channel::Channel(Descriptor socket, base::Duration patience) : socket_(std::move(socket)), patience_(patience) {
  if (patience_ == base::Duration::zero()) return;
  timeval limit{std::chrono::duration_cast<std::chrono::seconds>(patience).count(), 0};
  for (int option : {SO_SNDTIMEO, SO_RCVTIMEO}) ::setsockopt(fd(), SOL_SOCKET, option, &limit, sizeof limit);
}

base::Monotonic Channel::deadline() const {
  return patience_ == base::Duration::zero() ? base::Monotonic::max() : base::now() + patience_;
}

base::Result<std::pair<Descriptor, Descriptor>> Channel::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return base::error(base::Code::kUnavailable, std::string("no socket pair: ") + std::strerror(errno));
  }
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

bool Channel::send(Message message, uint64_t id, std::string_view body, std::span<const int> descriptors) {
  Head head{static_cast<uint32_t>(message), static_cast<uint32_t>(body.size()), id};
  iovec part{&head, sizeof head};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ControlBuffer control{};
  if (!descriptors.empty()) {
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* first = CMSG_FIRSTHDR(&header);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(first), descriptors.data(), descriptors.size_bytes());
  }
  std::lock_guard lock(sending_);
  base::Monotonic until = deadline();
  ssize_t n;
  do {
    n = ::sendmsg(fd(), &header, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return false;
  auto sent = static_cast<size_t>(n);
  return send_all(fd(), reinterpret_cast<const char*>(&head) + sent, sizeof head - sent, until) &&
         send_all(fd(), body.data(), body.size(), until);
}

base::Result<Letter> Channel::receive() {
  auto gone = [] { return base::error(base::Code::kUnavailable, "the other side has gone"); };
  auto stuck = [] { return base::error(base::Code::kInvalid, "a letter that does not go on"); };
  base::Monotonic until = deadline();
  Letter letter;
  Head head;
  ControlBuffer control{};
  // The descriptors come with the first byte of the head; the rest is bytes only.
  for (size_t at = 0, size = sizeof head; at < size;) {
    iovec part{reinterpret_cast<char*>(&head) + at, size - at};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    // Without room for them, descriptors are closed by the kernel.
    header.msg_control = control.bytes;
    header.msg_controllen = patience_ == base::Duration::zero() ? sizeof control.bytes : 0;
    if (base::now() > until) return stuck();
    ssize_t n = ::recvmsg(fd(), &header, MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return stuck();
    if (n <= 0) return gone();
    at += static_cast<size_t>(n);
    for (cmsghdr* it = CMSG_FIRSTHDR(&header); it != nullptr; it = CMSG_NXTHDR(&header, it)) {
      if (it->cmsg_level != SOL_SOCKET || it->cmsg_type != SCM_RIGHTS) continue;
      for (size_t i = 0; i < (it->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
        int received;
        std::memcpy(&received, CMSG_DATA(it) + i * sizeof received, sizeof received);
        letter.descriptors.emplace_back(received);
      }
    }
  }
  if (head.size > kMaxBody) return base::error(base::Code::kInvalid, "a letter that is too long");
  letter.message = static_cast<Message>(head.message);
  letter.id = head.id;
  letter.body.resize(head.size);
  for (size_t at = 0; at < letter.body.size();) {
    if (base::now() > until) return stuck();
    ssize_t n = ::recv(fd(), letter.body.data() + at, letter.body.size() - at, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return stuck();
    if (n <= 0) return gone();
    at += static_cast<size_t>(n);
  }
  return letter;
}

}  // namespace weir::isolation
