// One client's connection: reads a request, has it handled, writes its answer, and so on. Server thread only.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <string>

#include "chunked.h"
#include "gate.h"
#include "receive_buffer.h"
#include "request_table.h"
#include "server.h"
#include "weir/tls/session.h"

namespace weir::http {

using Clock = std::chrono::steady_clock;

// What the connections of one server share.
struct ConnectionContext {
  ConnectionContext(const ServerOptions& server_options, Handler& server_handler)
      : options(server_options), handler(server_handler), reader(server_options.max_header_bytes) {}
  virtual ~ConnectionContext() = default;
  // The connection has closed; forget it.
  virtual void closed(Connection& connection) = 0;
  // A request has come to its end: drain() may be waiting for it.
  virtual void request_ended() = 0;
  // True when there are more connections, those in handshakes aside, than there may be.
  virtual bool crowded() const = 0;

  const ServerOptions options;
  Handler& handler;
  HeadReader reader;
  HeadFormatter formatter;
  RequestTable requests;
  size_t buffered_bytes = 0;  // of all receive buffers
  size_t unwritten = 0;       // answers that have not left entirely
  bool retiring = false;      // answers close their connection
  bool draining = false;      // requests are refused

  // TLS; without it `credentials` is null and the rest unused.
  std::unique_ptr<tls::ReloadingCredentials> credentials;
  std::list<Connection*> handshaking;  // the oldest first
  std::unique_ptr<char[]> ciphertext;  // what a connection has just read; kCiphertextBytes
};

inline constexpr size_t kFirstCapacity = 4 * 1024;  // a small request and its head
// Two records and a little: a large body costs one system call in 32 KiB.
inline constexpr size_t kCiphertextBytes = 33 * 1024;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionContext& context, boost::asio::ip::tcp::socket socket);
  ~Connection();

  // Waits for the first request.
  void start();
  // Says no at once and closes.
  void turn_away(const Refusal& refusal);
  // Gives the answer to the request that the handler has.
  void respond(const Answer& answer);
  // Ends what has taken too long; called now and then.
  void sweep(Clock::time_point now);
  void close();

  // Gives up a handshake in favour of newer ones.
  void make_way();

  size_t index = 0;      // the server's: where it keeps this connection
  bool counted = false;  // the handler knows of it

 private:
  enum class State : uint8_t { kHandshake, kHead, kBody, kChunks, kHandled, kWriting, kLingering, kClosed };

  void advance();
  bool step();
  bool read_head();
  bool begin_body();
  bool read_body();
  bool read_chunks();
  bool dispatch();
  void handle(std::string_view body);
  bool refused(std::optional<Refusal> refusal);

  void refuse(const Refusal& refusal);
  void send(const Answer& answer, Persistence persistence);
  void send_continue();
  void write_pending();
  void answer_left();
  void next_request();
  void linger();

  // connection_tls.cpp
  bool reads_request() const {
    return state_ == State::kHead || state_ == State::kBody || state_ == State::kChunks;
  }
  void begin_handshake();
  void receive_ciphertext();
  void on_readable();
  std::string_view read_ciphertext(bool* ended);
  void shake_hands(std::string_view first_bytes, bool ended);
  void established();
  void refuse_handshake(const tls::Problem& problem);
  void end_handshake();
  void decrypt();
  bool write_ciphertext();
  void send_encrypted(std::string_view head, std::string_view body);

  bool make_room(size_t capacity);
  bool need_more();
  void receive();
  void release_request();
  void on_received(size_t bytes);
  void set_capacity(size_t capacity);
  void arm(std::chrono::milliseconds timeout) { deadline_ = Clock::now() + timeout; }

  ConnectionContext& context_;
  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<tls::Session> tls_;              // null: plain, or nothing has come yet
  std::list<Connection*>::iterator in_handshake_;  // kHandshake: where this is in the context's list
  boost::asio::ip::tcp::endpoint peer_;            // with TLS, for the log
  ReceiveBuffer buffer_;
  HeadScanner scanner_;
  Head head_;
  Dechunker dechunker_{0};
  size_t head_size_ = 0;     // where the body begins
  size_t body_size_ = 0;     // kBody: as announced; kChunks: decoded so far
  size_t request_size_ = 0;  // head and body as received
  uint64_t request_ = 0;     // the handler's, 0 when it has none
  std::string pending_;      // what of an answer the socket did not take at once
  size_t pending_at_ = 0;
  Clock::time_point deadline_;
  State state_ = State::kHead;
  Persistence persistence_ = Persistence::kClose;
  bool advancing_ = false;
  bool receiving_ = false;
};

}  // namespace weir::http
