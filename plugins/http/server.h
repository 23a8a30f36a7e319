// An HTTP/1.1 server for small JSON requests whose answers come later, from another thread's work.
//
// Connections, limits, deadlines, order and answers are ours on Boost.Asio; each request goes gate.h ->
// Pistache's parser (request.h) -> Handler. It knows nothing of events or of Weir's ABI.
//
//   Requests of a connection are answered in the order they came: the next one is not read before the answer
//   is out, so a client that pipelines is held back by TCP. A client may close its sending half and still
//   gets its answer. Whoever sends its head or body too slowly gets 408, whoever does not read its answer is
//   cut off. Over max_connections a client gets 503 with Retry-After and is closed. Bodies being received
//   share max_buffered_bytes; over that 503 as well, so memory is bounded whatever the clients do.
//
//   With TLS a connection begins with its handshake, which has a deadline and costs no more than a descriptor
//   until the client says something. Over max_handshakes the oldest is given up for the newest, so who
//   connects and says nothing keeps nobody out. Certificates that are replaced on disk serve the next
//   handshake.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "answer.h"
#include "request.h"
#include "weir/tls/problem.h"
#include "weir/tls/reloading.h"

namespace weir::http {

struct ServerOptions {
  size_t max_connections = 1000;
  size_t max_header_bytes = 16 * 1024;
  size_t max_body_bytes = 1024 * 1024;
  size_t max_buffered_bytes = 32 * 1024 * 1024;
  std::chrono::milliseconds header_timeout{10'000};    // first byte (or accept) to end of head
  std::chrono::milliseconds body_timeout{30'000};      // end of head to end of body
  std::chrono::milliseconds idle_timeout{60'000};      // between two requests
  std::chrono::milliseconds write_timeout{10'000};     // for one answer
  std::chrono::milliseconds handshake_timeout{5'000};  // TLS: accept to end of handshake
  size_t max_handshakes = 256;                         // TLS: under way at one time
};

// What the server's user does with requests. All calls come on the server's thread and must not block.
class Handler {
 public:
  virtual ~Handler() = default;

  // One request. Answer it with Server::respond(id, ...), exactly once, in this call or later. May throw: the
  // client then gets 500.
  virtual void handle(const Request& request, uint64_t id) = 0;

  // For counting: an answer was given (also those of the server itself), bytes came, connections opened (+1)
  // and closed (-1).
  virtual void on_answer(int /*status*/) {}
  virtual void on_received(size_t /*bytes*/) {}
  virtual void on_connections(int /*change*/) {}
  // A TLS handshake came to nothing. `peer`: "192.0.2.7:51234".
  virtual void on_refused_handshake(const std::string& /*peer*/, const tls::Problem& /*problem*/) {}
  // Certificates were replaced: they are in use now; or they are not, because of *fault.
  virtual void on_certificates(const tls::Credentials& /*in_use*/, const tls::Fault* /*fault*/) {}
  // Something an operator should know. One line.
  virtual void on_trouble(std::string_view /*text*/) {}
};

// The server and its one thread. Life: construct, start, (pause, resume)*, drain, stop. Those calls, and only
// they, block; make them from one thread.
class Server {
 public:
  // Takes over `listening_fd`: non-blocking, bound, listening. `handler` must outlive the server. Without
  // `credentials` it speaks plain HTTP. Throws std::system_error when the machine has no descriptors left.
  Server(const ServerOptions& options, Handler& handler, int listening_fd,
         std::unique_ptr<tls::ReloadingCredentials> credentials = nullptr);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stops

  // Begins to accept.
  void start();
  // Stops accepting; who waits in the listening socket's queue is left there. What comes on connections that
  // are open is still served, and its answer closes them.
  void pause();
  void resume();
  // pause(), and requests from now on get 503. Returns true when every request given to the handler has been
  // answered and the answers have left, false when that had not happened at `deadline`.
  bool drain(std::chrono::steady_clock::time_point deadline);
  // Closes everything and joins the thread. Requests without an answer are cut off.
  void stop();

  // Answers the request `id`; does nothing when its client has gone. On the server's thread.
  void respond(uint64_t id, const Answer& answer);
  // Runs `work` on the server's thread soon; never after stop(). [any thread]
  void post(std::function<void()> work);

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::http
