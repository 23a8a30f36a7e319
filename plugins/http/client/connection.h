// One connection to the server: sends a request, reads its answer, and is kept for the next one.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/dynamic_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "byte_stream.h"
#include "name_resolver.h"
#include "reply.h"

namespace weir::http::client {

using Clock = std::chrono::steady_clock;

// Head and body of an answer; more of a body is read no further, and the connection is closed.
inline constexpr size_t kMaxReplyHeadBytes = 16 * 1024;
inline constexpr size_t kMaxReplyBodyBytes = 1024 * 1024;

struct ConnectionOptions {
  std::chrono::milliseconds connect_timeout{5'000};  // for each address
  StreamMaker make_stream = make_tcp_stream;
};

// Client thread only. It is closed when an answer says so, when anything fails or takes too long, and by abandon().
//
// A server may close a kept connection at any moment, also while a request is on its way to it. When such a
// connection fails before any byte of the answer has come, the request is sent again at once on a new one: whoever
// gets it twice sees the same Idempotency-Key.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Done = std::function<void(Outcome)>;

  Connection(boost::asio::io_context& io, NameResolver& resolver, const ConnectionOptions& options);

  // Sends the request, connecting first when needed, and calls `done` once, later. One exchange at a time.
  void exchange(Request request, Clock::time_point until, Done done);
  // Forgets the exchange under way without calling its `done`, and closes.
  void abandon();
  bool busy() const { return static_cast<bool>(done_); }
  // How often it has connected.
  uint64_t opened() const { return opened_; }

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::dynamic_body>;

  void open();
  void connect_to(size_t index, std::string trouble);
  void send();
  void read();
  void on_read(boost::system::error_code failure, size_t bytes);
  bool parse(size_t bytes);
  void expect_reply();
  bool has_status() const;
  void replied();
  void failed(const std::string& trouble);
  void finish(Outcome outcome);
  void wait(boost::asio::steady_timer& timer, Clock::time_point until, void (Connection::*then)());
  void on_deadline();
  void close();
  // Wraps a handler of the stream: it is not called when the stream has been closed meanwhile.
  template <class Handler>
  auto current(Handler handler);

  boost::asio::io_context& io_;
  NameResolver& resolver_;
  const ConnectionOptions options_;
  boost::asio::steady_timer deadline_timer_, connect_timer_;
  std::shared_ptr<ByteStream> stream_;
  uint64_t generation_ = 0;  // counts close(): handlers of an earlier one are late
  NameResolver::Endpoints endpoints_;
  std::string refusal_;  // of the addresses tried: why a server that was reached was not taken

  Request request_;
  Done done_;
  Clock::time_point until_, started_, idle_since_;
  bool connected_ = false;
  bool reused_ = false;   // the request was sent on a connection that had served another
  bool written_ = false;  // the request has left entirely
  std::array<char, 16 * 1024> received_;
  size_t unparsed_ = 0;  // bytes at the front of received_ that the parser did not take yet
  bool any_byte_ = false;
  std::optional<Parser> parser_;
  uint64_t opened_ = 0;
};

}  // namespace weir::http::client
