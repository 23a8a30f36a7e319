#include "runtime/sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace weir::runtime {
namespace {

// Deep enough for every device of a site to come back at once after an outage.
constexpr int kDefaultBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

base::Result<Address> parse(const std::string& text) {
  auto wrong = [&] {
    return base::error(base::Code::kInvalid, "'" + text + "' is not an address to listen at", "",
                       "write for example 127.0.0.1:8080 or [::1]:8080");
  };
  size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong();
  uint16_t port = 0;
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  auto [rest, failed] = std::from_chars(begin, end, port);
  if (failed != std::errc{} || rest != end) return wrong();
  std::string host = text.substr(0, colon);
  Address address;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6->sin6_addr) != 1) return wrong();
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) != 1) return wrong();
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  }
  return address;
}

base::Error refused(int error, const std::string& address) {
  switch (error) {
    case EADDRINUSE:
      return base::error(base::Code::kUnavailable, "the address " + address + " is taken by another program", "",
                         "stop that program or choose another port");
    case EACCES:
      return base::error(base::Code::kDenied, "listening at " + address + " is not permitted", "",
                         "ports below 1024 need the right to bind them");
    case EADDRNOTAVAIL:
      return base::error(base::Code::kUnavailable, "this machine has no address " + address);
    default:
      return base::error(base::Code::kUnavailable, "cannot listen at " + address + ": " + std::strerror(error));
  }
}

base::Result<int> open(uint32_t protocol, const std::string& text, uint32_t backlog) {
  auto address = parse(text);
  if (!address) return address.error();
  int type = protocol == WEIR_SOCKET_UDP ? SOCK_DGRAM : SOCK_STREAM;
  int fd = socket(address->storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return refused(errno, text);
  int one = 1;
  // TCP: connections in TIME_WAIT must not keep a restarted gateway out. Not for UDP: there it would let a second
  // process bind the same port and take the datagrams.
  if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address->storage.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address->storage), address->size) == 0;
  if (bound && type == SOCK_STREAM) bound = ::listen(fd, backlog != 0 ? static_cast<int>(backlog) : kDefaultBacklog) == 0;
  if (bound) return fd;
  int error = errno;
  close(fd);
  return refused(error, text);
}

}  // namespace

Sockets::~Sockets() {
  for (const auto& [key, socket] : sockets_) close(socket.fd);
}

base::Result<int> Sockets::listen(const std::string& instance, uint32_t protocol, const std::string& address,
                                  uint32_t backlog, uint64_t* use) {
  if (protocol != WEIR_SOCKET_TCP && protocol != WEIR_SOCKET_UDP) {
    return base::error(base::Code::kInvalid, "protocol " + std::to_string(protocol) + " is neither TCP nor UDP");
  }
  std::lock_guard lock(mutex_);
  auto found = sockets_.find({instance, protocol, address});
  if (found == sockets_.end()) {
    auto fd = open(protocol, address, backlog);
    if (!fd) return fd;
    found = sockets_.emplace(Key{instance, protocol, address}, Socket{*fd, next_++}).first;
  }
  Socket& socket = found->second;
  int copy = fcntl(socket.fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return base::error(base::Code::kUnavailable, std::string("no descriptor left: ") + std::strerror(errno));
  if (use != nullptr) {
    *use = socket.number;
    ++socket.users;
    socket.used = true;
  }
  return copy;
}

void Sockets::end_use(uint64_t use) {
  std::lock_guard lock(mutex_);
  for (auto& [key, socket] : sockets_) {
    if (socket.number == use) --socket.users;
  }
}

void Sockets::close_unused() {
  std::lock_guard lock(mutex_);
  std::erase_if(sockets_, [](const auto& entry) {
    if (!entry.second.used || entry.second.users != 0) return false;
    close(entry.second.fd);
    return true;
  });
}

void Sockets::release(const std::string& instance) {
  std::lock_guard lock(mutex_);
  std::erase_if(sockets_, [&](const auto& entry) {
    if (entry.first.instance != instance) return false;
    close(entry.second.fd);
    return true;
  });
}

}  // namespace weir::runtime
