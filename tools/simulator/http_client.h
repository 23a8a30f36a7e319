// A small HTTP/1.1 client with one keep-alive connection: enough for a device that posts events.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/interrupt.h"

namespace weir::simulator {

// "http://HOST[:PORT]/PATH"
struct Url {
  std::string host;
  std::string port = "80";
  std::string path = "/";
};
// Nothing if it is not such a URL (https is not spoken).
std::optional<Url> parse_url(std::string_view text);

struct Response {
  enum class Kind { kAnswered, kUnreachable, kInterrupted };
  Kind kind = Kind::kUnreachable;
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;
  std::string problem;  // why it was unreachable, in words
};

class HttpClient {
 public:
  HttpClient(Url url, Interrupt& interrupt) : url_(std::move(url)), interrupt_(interrupt) {}
  ~HttpClient() { disconnect(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Posts JSON and waits for the answer, kTimeout at most. A kept connection that the server closed in the
  // meantime is opened again once: the Idempotency-Key makes that safe.
  Response post(std::string_view body, std::string_view idempotency_key);

  static constexpr std::chrono::seconds kTimeout{10};
  static constexpr size_t kMaxAnswerBytes = 1 << 20;

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  Response exchange(const std::string& request, Deadline deadline);
  bool connect_to_gateway(Deadline deadline, Response& failure);
  bool send_all(std::string_view bytes, Deadline deadline, Response& failure);
  bool receive_more(std::string& buffer, Deadline deadline, Response& failure);
  void disconnect();

  Url url_;
  Interrupt& interrupt_;
  int fd_ = -1;
};

}  // namespace weir::simulator
