// A blocking HTTP/1.1 client that sends exactly the bytes it is given: good enough to be rude to a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/wait.h"

namespace weir::test {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;
  std::string reason;
  HttpHeaders headers;
  std::string body;

  // The first header of that name in any case, "" when there is none.
  std::string header(std::string_view name) const;
};

// One connection. Throws std::runtime_error when it cannot connect. One thread at a time.
class HttpClient {
 public:
  explicit HttpClient(uint16_t port, const std::string& host = "127.0.0.1");  // an IPv4 or IPv6 address
  static HttpClient at_unix_socket(const std::string& path);
  HttpClient(HttpClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_), received_(std::move(other.received_)) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  int fd() const { return fd_; }
  // Sends all of `bytes`; false when the peer has gone or does not read for kPatience.
  bool send(std::string_view bytes);
  // Says that nothing more will be sent.
  void finish_sending();
  // The next response in full; nothing when it did not come in time, was cut off or is no HTTP.
  // `head` says that the request was HEAD, whose response has no body.
  std::optional<HttpResponse> read(std::chrono::nanoseconds timeout = kPatience, bool head = false);
  // True when the peer ends the connection in time; what it sends until then is thrown away.
  bool wait_for_close(std::chrono::nanoseconds timeout = kPatience);
  // Sends a whole request (Host and Content-Length are added) and reads its response.
  std::optional<HttpResponse> request(std::string_view method, std::string_view target,
                                      std::string_view body = "", const HttpHeaders& headers = {});

 private:
  explicit HttpClient(int fd, std::nullptr_t) : fd_(fd) {}
  // Reads more bytes; false at the end, on an error or when the deadline is over.
  bool receive(std::chrono::steady_clock::time_point deadline);
  bool read_body(HttpResponse& response, std::chrono::steady_clock::time_point deadline);
  bool read_chunks(std::string& body, std::chrono::steady_clock::time_point deadline);

  int fd_ = -1;
  bool ended_ = false;
  std::string received_;
};

// One request on a connection of its own. Nothing when it cannot connect or no response comes.
std::optional<HttpResponse> http_request(uint16_t port, std::string_view method, std::string_view target,
                                         std::string_view body = "", const HttpHeaders& headers = {});

}  // namespace weir::test
