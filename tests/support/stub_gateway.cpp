#include "support/stub_gateway.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace weir::test {
namespace {

// The value of a header in a request's head, "" without it.
std::string header(const std::string& head, const std::string& name) {
  for (size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
    const char* line = head.c_str() + at + 2;
    if (::strncasecmp(line, name.c_str(), name.size()) != 0 || line[name.size()] != ':') continue;
    const size_t first = head.find_first_not_of(' ', at + 2 + name.size() + 1);
    return head.substr(first, head.find("\r\n", first) - first);
  }
  return "";
}

bool send_all(int fd, const std::string& text) {
  size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace

StubGateway::StubGateway(Answer answer) : answer_(std::move(answer)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1024) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the stub gateway cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_loop(); });
}

StubGateway::~StubGateway() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    for (int fd : connections_) ::shutdown(fd, SHUT_RDWR);
  }
  threads_.clear();
  ::close(listener_);
}

std::string StubGateway::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<StubRequest> StubGateway::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

void StubGateway::accept_loop() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    std::lock_guard lock(mutex_);
    connections_.push_back(fd);
    threads_.emplace_back([this, fd] {
      serve(fd);
      std::lock_guard closing(mutex_);
      connections_.remove(fd);
      ::close(fd);
    });
  }
}

void StubGateway::serve(int fd) {
  std::string buffer;
  char chunk[16 * 1024];
  for (;;) {
    size_t head_end = buffer.find("\r\n\r\n");
    size_t total = std::string::npos;
    if (head_end != std::string::npos) {
      const std::string length = header(buffer.substr(0, head_end + 2), "Content-Length");
      total = head_end + 4 + (length.empty() ? 0 : std::stoul(length));
    }
    if (buffer.size() >= total) {
      const std::string head = buffer.substr(0, head_end + 2);
      const size_t target = head.find(' ') + 1;
      const StubAnswer answer = take({head.substr(target, head.find(' ', target) - target),
                                      header(head, "Idempotency-Key"),
                                      buffer.substr(head_end + 4, total - head_end - 4)});
      buffer.erase(0, total);
      if (answer.hang_up) {
        ::shutdown(fd, SHUT_RDWR);
        return;
      }
      if (!send_all(fd, "HTTP/1.1 " + std::to_string(answer.status) + " Stub\r\n" + answer.headers +
                            "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body)) {
        return;
      }
      continue;
    }
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) return;
    buffer.append(chunk, static_cast<size_t>(n));
  }
}

StubAnswer StubGateway::take(StubRequest request) {
  std::lock_guard one_at_a_time(answering_);
  size_t index = 0;
  {
    std::lock_guard lock(mutex_);
    index = requests_.size();
    requests_.push_back(request);
  }
  return answer_(request, index);
}

}  // namespace weir::test
