#include "support/http.h"

#include <netdb.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace weir::test {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Waits until the socket is ready for `events`; false when the deadline came first.
bool ready(int fd, short events, TimePoint deadline) {
  pollfd socket{fd, events, 0};
  for (;;) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int result = ::poll(&socket, 1, static_cast<int>(std::max<int64_t>(left_ms, 0)));
    if (result > 0) return true;
    if (result == 0 || errno != EINTR) return false;
  }
}

// "HTTP/1.1 200 OK\r\nName: value\r\n...": the head without its last empty line.
std::optional<HttpResponse> parse_head(std::string_view head) {
  HttpResponse response;
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.size() < 12) return std::nullopt;
  if (std::from_chars(&line[9], &line[9] + 3, response.status).ec != std::errc()) return std::nullopt;
  if (line.size() > 13) response.reason = line.substr(13);
  head.remove_prefix(std::min(head.size(), line.size() + 2));
  while (!head.empty()) {
    const std::string_view field = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), field.size() + 2));
    const size_t colon = field.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const size_t value = std::min(field.find_first_not_of(' ', colon + 1), field.size());
    response.headers.emplace_back(field.substr(0, colon), field.substr(value));
  }
  return response;
}

int connect_to(uint16_t port, const std::string& host) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
  int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    ::close(fd);
    fd = -1;
  }
  ::freeaddrinfo(found);
  return fd;
}

}  // namespace

std::string HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return "";
}

HttpClient::HttpClient(uint16_t port, const std::string& host) : fd_(connect_to(port, host)) {
  if (fd_ < 0) throw std::runtime_error("cannot connect to " + host + ":" + std::to_string(port));
}

HttpClient HttpClient::at_unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("path too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("cannot connect to " + path);
  }
  return HttpClient(fd, nullptr);
}

HttpClient::~HttpClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool HttpClient::send(std::string_view bytes) {
  const TimePoint deadline = std::chrono::steady_clock::now() + kPatience;
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!ready(fd_, POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void HttpClient::finish_sending() { ::shutdown(fd_, SHUT_WR); }

bool HttpClient::receive(TimePoint deadline) {
  if (ended_ || !ready(fd_, POLLIN, deadline)) return false;
  char buffer[65536];
  const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
  if (size <= 0) {
    ended_ = true;
    return false;
  }
  received_.append(buffer, static_cast<size_t>(size));
  return true;
}

std::optional<HttpResponse> HttpClient::read(std::chrono::nanoseconds timeout, bool head) {
  const TimePoint deadline = std::chrono::steady_clock::now() + timeout;
  size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive(deadline)) return std::nullopt;
  }
  std::optional<HttpResponse> response = parse_head(std::string_view(received_).substr(0, end));
  if (!response) return std::nullopt;
  received_.erase(0, end + 4);
  const bool bodyless =
      head || response->status / 100 == 1 || response->status == 204 || response->status == 304;
  if (!bodyless && !read_body(*response, deadline)) return std::nullopt;
  return response;
}

bool HttpClient::read_body(HttpResponse& response, TimePoint deadline) {
  if (same_name(response.header("Transfer-Encoding"), "chunked")) return read_chunks(response.body, deadline);
  const std::string length = response.header("Content-Length");
  if (length.empty()) {  // RFC 9112, 6.3: until the connection ends
    while (receive(deadline)) {
    }
    response.body.swap(received_);
    return ended_;
  }
  size_t size = 0;
  if (std::from_chars(length.data(), length.data() + length.size(), size).ec != std::errc()) return false;
  while (received_.size() < size) {
    if (!receive(deadline)) return false;
  }
  response.body = received_.substr(0, size);
  received_.erase(0, size);
  return true;
}

bool HttpClient::read_chunks(std::string& body, TimePoint deadline) {
  for (;;) {
    size_t line_end = 0;
    while ((line_end = received_.find("\r\n")) == std::string::npos) {
      if (!receive(deadline)) return false;
    }
    size_t size = 0;
    if (std::from_chars(received_.data(), received_.data() + line_end, size, 16).ec != std::errc())
      return false;
    while (received_.size() < line_end + 2 + size + 2) {
      if (!receive(deadline)) return false;
    }
    body.append(received_, line_end + 2, size);
    received_.erase(0, line_end + 2 + size + 2);
    if (size == 0) return true;
  }
}

bool HttpClient::wait_for_close(std::chrono::nanoseconds timeout) {
  const TimePoint deadline = std::chrono::steady_clock::now() + timeout;
  while (receive(deadline)) received_.clear();
  return ended_;
}

std::optional<HttpResponse> HttpClient::request(std::string_view method, std::string_view target,
                                                std::string_view body, const HttpHeaders& headers) {
  std::string bytes;
  bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n");
  for (const auto& [name, value] : headers) bytes.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty() || method == "POST") {
    bytes.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  bytes.append("\r\n").append(body);
  if (!send(bytes)) return std::nullopt;
  return read(kPatience, method == "HEAD");
}

std::optional<HttpResponse> http_request(uint16_t port, std::string_view method, std::string_view target,
                                         std::string_view body, const HttpHeaders& headers) {
  try {
    return HttpClient(port).request(method, target, body, headers);
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

}  // namespace weir::test
