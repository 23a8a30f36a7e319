// An HTTP server that answers as the test says: for testing what talks to a gateway (the simulator, the load
// generator) without one. A thread a connection; answers keep-alive requests with a Content-Length.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::test {

struct StubRequest {
  std::string target;
  std::string idempotency_key;
  std::string body;
};

struct StubAnswer {
  int status = 202;
  std::string headers;  // "Retry-After: 0\r\n"
  std::string body = "{}";
  bool hang_up = false;  // close the connection instead of answering
};

// The object: any thread. `answer` runs on the connections' threads, one call at a time.
class StubGateway {
 public:
  using Answer = std::function<StubAnswer(const StubRequest& request, size_t index)>;

  explicit StubGateway(Answer answer = [](const StubRequest&, size_t) { return StubAnswer{}; });
  StubGateway(const StubGateway&) = delete;
  StubGateway& operator=(const StubGateway&) = delete;
  ~StubGateway();

  uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/v1/events") const;
  // Every request so far, those that were not answered with 202 too.
  std::vector<StubRequest> requests() const;

 private:
  void accept_loop();
  void serve(int fd);
  StubAnswer take(StubRequest request);

  Answer answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::mutex answering_;
  std::vector<StubRequest> requests_;
  std::list<int> connections_;
  std::list<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace weir::test
