// An HTTP server that takes events and answers as the test says: the far end of http.sink. It reads with
// Boost.Beast, keeps what came, and can answer anything, late, or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/wait.h"

namespace weir::test {

struct ReceivedRequest {
  std::string method, target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // decompressed
  size_t wire_bytes = 0;                       // of the body as it came
  size_t connection = 0;                       // the how-manieth, from 0

  std::string header(const std::string& name) const { return headers.contains(name) ? headers.at(name) : ""; }
  // The events of an array or of lines. Throws when it is neither.
  std::vector<nlohmann::json> events() const;
};

struct ReceiverAnswer {
  int status = 200;
  std::string body = {};
  std::string headers = {};  // "Retry-After: 1\r\n"
  std::string raw = {};      // these bytes instead, when there are any
  bool hang_up = false;      // close instead of answering
  bool then_close = false;   // close after the answer, without having said so
};

// What a connection's bytes go through on their way to the receiver, such as TLS. Its calls block; it says nothing when
// it ends. A thread of the receiver at a time.
class ReceiverDoor {
 public:
  virtual ~ReceiverDoor() = default;
  // Up to `size` bytes; 0 at the end, whatever it is.
  virtual size_t read(char* to, size_t size) = 0;
  // False when not all of it went out.
  virtual bool write(std::string_view bytes) = 0;
};

// The object: any thread. A thread a connection; `answer` runs on them, so it may block, and several may run
// at once.
class HttpReceiver {
 public:
  using Answer = std::function<ReceiverAnswer(const ReceivedRequest& request, size_t index)>;
  // For a socket that the door does not own. On the connection's thread; null when it lets nobody in.
  using DoorMaker = std::function<std::unique_ptr<ReceiverDoor>(int fd)>;
  static std::unique_ptr<ReceiverDoor> plain_door(int fd);

  // Port 0 is any free one.
  explicit HttpReceiver(
      Answer answer = [](const ReceivedRequest&, size_t) { return ReceiverAnswer{}; }, uint16_t port = 0,
      DoorMaker door = plain_door);
  HttpReceiver(const HttpReceiver&) = delete;
  HttpReceiver& operator=(const HttpReceiver&) = delete;
  ~HttpReceiver();

  uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/events") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  // Every request so far, in the order they came in.
  std::vector<ReceivedRequest> requests() const;
  bool wait_for_requests(size_t n) const {
    return wait_until([&] { return requests().size() >= n; });
  }
  // Closes every connection that is open now, as a server that is restarted.
  void close_connections();

 private:
  struct Peer;
  void accept_loop();
  void serve(Peer& peer);

  const Answer answer_;
  const DoorMaker door_;
  int listener_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ReceivedRequest> requests_;  // under mutex_
  std::list<Peer> peers_;                  // under mutex_
  std::list<std::jthread> threads_;        // the acceptor's until it has ended
  std::jthread acceptor_;
};

}  // namespace weir::test
