#include "byte_stream.h"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace weir::http::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TcpStream final : public ByteStream {
 public:
  explicit TcpStream(asio::io_context& io) : socket_(io) {}

  void connect(const tcp::endpoint& endpoint, Connected connected) override {
    connect_socket(socket_, endpoint, std::move(connected));
  }
  void write(const std::vector<asio::const_buffer>& buffers, Transferred written) override {
    asio::async_write(socket_, buffers, std::move(written));
  }
  void read_some(asio::mutable_buffer buffer, Transferred read) override {
    socket_.async_read_some(buffer, std::move(read));
  }
  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
};

}  // namespace

std::shared_ptr<ByteStream> make_tcp_stream(asio::io_context& io) { return std::make_shared<TcpStream>(io); }

void connect_socket(tcp::socket& socket, const tcp::endpoint& endpoint, ByteStream::Connected connected) {
  error_code failure;
  socket.open(endpoint.protocol(), failure);
  // A request is written in one piece: nothing is gained by waiting for more.
  if (!failure) socket.set_option(tcp::no_delay(true), failure);
  if (failure) {
    return asio::post(socket.get_executor(), [failure, connected = std::move(connected)] { connected(failure); });
  }
  socket.async_connect(endpoint, std::move(connected));
}

}  // namespace weir::http::client
