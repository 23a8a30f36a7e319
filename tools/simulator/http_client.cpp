#include "simulator/http_client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace weir::simulator {
namespace {

Response unreachable(std::string problem) {
  Response response;
  response.problem = std::move(problem);
  return response;
}

Response from_wait(Interrupt::Ready ready, const char* what) {
  Response response = unreachable(std::string(what) + " took too long");
  if (ready == Interrupt::Ready::kInterrupted) response.kind = Response::Kind::kInterrupted;
  return response;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
         });
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number value{};
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The fields of an answer's head that matter here.
struct Head {
  int status = 0;
  std::optional<size_t> content_length;
  std::optional<std::chrono::seconds> retry_after;
  bool close = false;
};

std::optional<Head> parse_head(std::string_view text) {
  // "HTTP/1.1 202 Accepted"
  if (!text.starts_with("HTTP/1.") || text.size() < 12) return std::nullopt;
  Head head;
  auto status = to_number<int>(text.substr(9, 3));
  if (!status) return std::nullopt;
  head.status = *status;
  while (true) {
    size_t line_end = text.find("\r\n");
    if (line_end == std::string_view::npos) return head;
    text.remove_prefix(line_end + 2);
    std::string_view line = text.substr(0, text.find("\r\n"));
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
    if (equal_ignoring_case(name, "content-length")) head.content_length = to_number<size_t>(value);
    if (equal_ignoring_case(name, "connection")) head.close = equal_ignoring_case(value, "close");
    if (equal_ignoring_case(name, "retry-after")) {
      if (auto seconds = to_number<int>(value)) head.retry_after = std::chrono::seconds(*seconds);
    }
  }
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  Url url;
  size_t slash = text.find('/');
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  std::string_view authority = text.substr(0, slash);
  size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos) {
    url.port = authority.substr(colon + 1);
    if (!to_number<uint16_t>(url.port)) return std::nullopt;
  }
  url.host = authority.substr(0, colon);
  if (url.host.empty()) return std::nullopt;
  return url;
}

Response HttpClient::post(std::string_view body, std::string_view idempotency_key) {
  Deadline deadline = std::chrono::steady_clock::now() + kTimeout;
  std::string request = "POST " + url_.path + " HTTP/1.1\r\nHost: " + url_.host + ":" + url_.port +
                        "\r\nUser-Agent: weir-simulator\r\nContent-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\nIdempotency-Key: ";
  request.append(idempotency_key).append("\r\n\r\n").append(body);
  bool kept = fd_ >= 0;
  Response response = exchange(request, deadline);
  if (kept && response.kind == Response::Kind::kUnreachable) response = exchange(request, deadline);
  return response;
}

Response HttpClient::exchange(const std::string& request, Deadline deadline) {
  Response failure;
  if (fd_ < 0 && !connect_to_gateway(deadline, failure)) return failure;
  if (!send_all(request, deadline, failure)) return failure;

  std::string buffer;
  size_t head_end = std::string::npos;
  while (head_end == std::string::npos) {
    if (!receive_more(buffer, deadline, failure)) return failure;
    head_end = buffer.find("\r\n\r\n");
  }
  auto head = parse_head(std::string_view(buffer).substr(0, head_end + 2));
  if (!head || !head->content_length || *head->content_length > kMaxAnswerBytes) {
    disconnect();
    return unreachable("the answer is not HTTP/1.1 with a Content-Length");
  }
  size_t total = head_end + 4 + *head->content_length;
  while (buffer.size() < total) {
    if (!receive_more(buffer, deadline, failure)) return failure;
  }
  if (head->close) disconnect();
  Response response;
  response.kind = Response::Kind::kAnswered;
  response.status = head->status;
  response.retry_after = head->retry_after;
  response.body = buffer.substr(head_end + 4, *head->content_length);
  return response;
}

bool HttpClient::connect_to_gateway(Deadline deadline, Response& failure) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int code = getaddrinfo(url_.host.c_str(), url_.port.c_str(), &hints, &found); code != 0) {
    failure = unreachable("no address for " + url_.host + ": " + gai_strerror(code));
    return false;
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    failure = unreachable(std::string("no socket: ") + std::strerror(errno));
    return false;
  }
  int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int problem = connect(fd_, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  if (problem == EINPROGRESS) {
    auto ready = interrupt_.wait_for(fd_, POLLOUT, deadline);
    if (ready != Interrupt::Ready::kYes) {
      failure = from_wait(ready, "connecting");
      disconnect();
      return false;
    }
    socklen_t size = sizeof problem;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size);
  }
  if (problem != 0) {
    failure = unreachable(std::string("cannot connect: ") + std::strerror(problem));
    disconnect();
    return false;
  }
  return true;
}

bool HttpClient::send_all(std::string_view bytes, Deadline deadline, Response& failure) {
  while (!bytes.empty()) {
    ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno != EAGAIN) {
      failure = unreachable(std::string("cannot send: ") + std::strerror(errno));
      disconnect();
      return false;
    }
    auto ready = interrupt_.wait_for(fd_, POLLOUT, deadline);
    if (ready != Interrupt::Ready::kYes) {
      failure = from_wait(ready, "sending");
      disconnect();
      return false;
    }
  }
  return true;
}

bool HttpClient::receive_more(std::string& buffer, Deadline deadline, Response& failure) {
  auto ready = interrupt_.wait_for(fd_, POLLIN, deadline);
  if (ready != Interrupt::Ready::kYes) {
    failure = from_wait(ready, "the answer");
    disconnect();
    return false;
  }
  char chunk[4096];
  ssize_t received = recv(fd_, chunk, sizeof chunk, 0);
  if (received > 0 && buffer.size() + static_cast<size_t>(received) <= 2 * kMaxAnswerBytes) {
    buffer.append(chunk, static_cast<size_t>(received));
    return true;
  }
  failure = unreachable(received == 0  ? "the gateway closed the connection"
                        : received < 0 ? std::string("cannot receive: ") + std::strerror(errno)
                                       : "the answer is too long");
  disconnect();
  return false;
}

void HttpClient::disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace weir::simulator
