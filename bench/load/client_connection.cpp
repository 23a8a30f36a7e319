#include "load/client_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

namespace weir::bench {
namespace {

constexpr size_t kMaxHeadBytes = 16 * 1024;

// The number after "name:" of a head, in any case of letters.
std::optional<uint64_t> header_number(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at)) {
    at += 2;
    if (head.size() - at <= name.size() || head[at + name.size()] != ':') continue;
    if (strncasecmp(head.data() + at, name.data(), name.size()) != 0) continue;
    size_t first = head.find_first_not_of(' ', at + name.size() + 1);
    if (first == std::string_view::npos) return std::nullopt;
    uint64_t value = 0;
    auto [end, code] = std::from_chars(head.data() + first, head.data() + head.size(), value);
    if (code == std::errc() && end != head.data() + first) return value;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

ClientConnection::ClientConnection(ClientConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      unsent_(other.unsent_),
      head_(std::move(other.head_)),
      in_body_(other.in_body_),
      body_bytes_(other.body_bytes_),
      body_left_(other.body_left_),
      status_(other.status_),
      retry_after_ms_(other.retry_after_ms_) {}

bool ClientConnection::connect_to(uint16_t port) {
  disconnect();
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    disconnect();
    return false;
  }
  int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  return true;
}

void ClientConnection::disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  unsent_ = {};
  head_.clear();
  in_body_ = false;
}

ClientConnection::Progress ClientConnection::send(std::string_view request) {
  unsent_ = request;
  head_.clear();
  in_body_ = false;
  // Nothing to receive yet, so only the sending half.
  ssize_t sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN ? Progress::kMore : Progress::kBroken;
  unsent_.remove_prefix(static_cast<size_t>(sent));
  return Progress::kMore;
}

ClientConnection::Progress ClientConnection::advance() {
  if (!unsent_.empty()) {
    ssize_t sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return Progress::kBroken;
    if (sent > 0) unsent_.remove_prefix(static_cast<size_t>(sent));
  }
  return receive();
}

ClientConnection::Progress ClientConnection::receive() {
  char buffer[64 * 1024];
  while (true) {
    ssize_t received = recv(fd_, buffer, sizeof buffer, 0);
    if (received == 0) return Progress::kBroken;
    if (received < 0) return errno == EAGAIN ? Progress::kMore : Progress::kBroken;
    std::string_view bytes(buffer, static_cast<size_t>(received));
    if (!in_body_) {
      head_.append(bytes);
      size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (head_.size() > kMaxHeadBytes) return Progress::kBroken;
        continue;
      }
      if (!read_head(std::string_view(head_).substr(0, end + 2))) return Progress::kBroken;
      bytes = std::string_view(head_).substr(end + 4);
      in_body_ = true;
    }
    if (bytes.size() > body_left_) return Progress::kBroken;
    body_left_ -= bytes.size();
    if (body_left_ == 0) return Progress::kAnswered;
  }
}

bool ClientConnection::read_head(std::string_view head) {
  // "HTTP/1.1 202 Accepted"
  if (head.size() < 12 || !head.starts_with("HTTP/1.")) return false;
  status_ = 0;
  std::from_chars(head.data() + 9, head.data() + 12, status_);
  auto length = header_number(head, "content-length");
  if (!length) return false;
  body_bytes_ = body_left_ = *length;
  retry_after_ms_ = static_cast<int64_t>(header_number(head, "retry-after").value_or(0)) * 1000;
  return true;
}

}  // namespace weir::bench
