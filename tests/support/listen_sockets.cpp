#include "support/listen_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::test {
namespace {

ListenSockets::Opened failed(weir_status status, const std::string& address, const char* why) {
  return {status, -1, "cannot listen on " + address + ": " + why};
}

weir_status status_of(int error) {
  return error == EACCES || error == EPERM ? WEIR_E_DENIED : WEIR_E_UNAVAILABLE;
}

// A bound (TCP: listening) socket at "127.0.0.1:80" or "[::1]:80".
ListenSockets::Opened bind_socket(uint32_t protocol, const std::string& address, uint32_t backlog) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return failed(WEIR_E_INVALID, address, "no port in it");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = protocol == WEIR_SOCKET_TCP ? SOCK_STREAM : SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found);
  if (code != 0) return failed(WEIR_E_INVALID, address, ::gai_strerror(code));
  const int fd = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  if (protocol == WEIR_SOCKET_TCP) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  bool good = fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0;
  if (good && protocol == WEIR_SOCKET_TCP)
    good = ::listen(fd, backlog != 0 ? static_cast<int>(backlog) : 128) == 0;
  const int error = errno;
  ::freeaddrinfo(found);
  if (good) return {WEIR_OK, fd, ""};
  if (fd >= 0) ::close(fd);
  return failed(status_of(error), address, std::strerror(error));
}

}  // namespace

ListenSockets::~ListenSockets() {
  for (const Socket& socket : sockets_) ::close(socket.fd);
}

ListenSockets::Opened ListenSockets::open(uint32_t protocol, const std::string& address, uint32_t backlog) {
  std::lock_guard lock(mutex_);
  if (failure_ != WEIR_OK) return failed(failure_, address, "as the test wished");
  int fd = -1;
  for (const Socket& socket : sockets_) {
    if (socket.protocol == protocol && socket.address == address) fd = socket.fd;
  }
  if (fd < 0) {
    const Opened opened = bind_socket(protocol, address, backlog);
    if (opened.status != WEIR_OK) return opened;
    fd = opened.fd;
    sockets_.push_back({protocol, address, fd});
  }
  return {WEIR_OK, ::fcntl(fd, F_DUPFD_CLOEXEC, 0), ""};
}

uint16_t ListenSockets::port(size_t n) const {
  std::lock_guard lock(mutex_);
  if (n >= sockets_.size()) return 0;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(sockets_[n].fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

void ListenSockets::fail_with(weir_status status) {
  std::lock_guard lock(mutex_);
  failure_ = status;
}

}  // namespace weir::test
