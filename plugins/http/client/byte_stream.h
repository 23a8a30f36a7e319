// A stream of bytes to a server and back: the one place where it matters whether there is TLS.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::http::client {

// One attempt to reach one address, and what becomes of it. Client thread only. A handler is called once, never from
// within the call that it was given to, and after close() too, with any outcome. Each handler keeps the stream alive.
// One write and one read may be under way together; their memory must stay until the handler is called or close() has
// been.
class ByteStream {
 public:
  using Connected = std::function<void(boost::system::error_code)>;
  using Transferred = std::function<void(boost::system::error_code, size_t)>;

  virtual ~ByteStream() = default;
  // Once, first. For TLS the handshake is part of it.
  virtual void connect(const boost::asio::ip::tcp::endpoint& endpoint, Connected connected) = 0;
  // Writes all of the buffers.
  virtual void write(const std::vector<boost::asio::const_buffer>& buffers, Transferred written) = 0;
  // Reads what comes, at least a byte; asio::error::eof at the end.
  virtual void read_some(boost::asio::mutable_buffer buffer, Transferred read) = 0;
  // Ends the connection at once.
  virtual void close() = 0;
  // Why a handler was given a failure, when there is more to say than its code does; else "". One line.
  virtual std::string trouble() const { return ""; }
};

// Makes the stream of a new connection.
using StreamMaker = std::function<std::shared_ptr<ByteStream>(boost::asio::io_context&)>;

std::shared_ptr<ByteStream> make_tcp_stream(boost::asio::io_context& io);

// What the streams have in common: opens the socket and connects it. `connected` is called later, never from within.
void connect_socket(boost::asio::ip::tcp::socket& socket, const boost::asio::ip::tcp::endpoint& endpoint,
                    ByteStream::Connected connected);

}  // namespace weir::http::client
