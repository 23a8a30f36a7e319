#include "support/http_receiver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sstream>
#include <stdexcept>

namespace weir::test {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr size_t kMostDecompressed = 64u << 20;

std::string gunzip(const std::string& body) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) throw std::runtime_error("zlib");
  std::string out;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  int code = Z_OK;
  while (code == Z_OK && out.size() < kMostDecompressed) {
    char piece[64 * 1024];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    code = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("the body is no gzip");
  return out;
}

std::string unzstd(const std::string& body) {
  const auto size = ::ZSTD_getFrameContentSize(body.data(), body.size());
  if (size > kMostDecompressed) throw std::runtime_error("the body is no zstd of a known size");
  std::string out(size, '\0');
  if (::ZSTD_decompress(out.data(), out.size(), body.data(), body.size()) != size) {
    throw std::runtime_error("the body is no zstd");
  }
  return out;
}

ReceivedRequest received(const http::request<http::string_body>& message, size_t connection) {
  ReceivedRequest request;
  request.method = message.method_string();
  request.target = message.target();
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers[name] = field.value();
  }
  request.wire_bytes = message.body().size();
  request.connection = connection;
  const std::string encoding = request.header("content-encoding");
  request.body = encoding == "gzip"   ? gunzip(message.body())
                 : encoding == "zstd" ? unzstd(message.body())
                                      : message.body();
  return request;
}

std::string bytes_of(const ReceiverAnswer& answer) {
  if (!answer.raw.empty()) return answer.raw;
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " Told So\r\n" + answer.headers;
  if (answer.status != 204) out += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  return out + "\r\n" + answer.body;
}

class PlainDoor final : public ReceiverDoor {
 public:
  explicit PlainDoor(int fd) : fd_(fd) {}
  size_t read(char* to, size_t size) override {
    const ssize_t n = ::recv(fd_, to, size, 0);
    return static_cast<size_t>(std::max<ssize_t>(n, 0));
  }
  bool write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

 private:
  const int fd_;
};

// A door as Beast reads from it.
struct DoorStream {
  ReceiverDoor& door;

  template <class Buffers>
  size_t read_some(const Buffers& buffers, error_code& failure) {
    const asio::mutable_buffer first = *asio::buffer_sequence_begin(buffers);
    const size_t bytes = door.read(static_cast<char*>(first.data()), first.size());
    failure = bytes > 0 || first.size() == 0 ? error_code() : error_code(asio::error::eof);
    return bytes;
  }
  template <class Buffers>
  size_t read_some(const Buffers& buffers) {
    error_code failure;
    const size_t bytes = read_some(buffers, failure);
    if (failure) throw boost::system::system_error(failure);
    return bytes;
  }
};

}  // namespace

std::unique_ptr<ReceiverDoor> HttpReceiver::plain_door(int fd) { return std::make_unique<PlainDoor>(fd); }

std::vector<nlohmann::json> ReceivedRequest::events() const {
  if (header("content-type") == "application/json") return nlohmann::json::parse(body);
  std::vector<nlohmann::json> events;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
  return events;
}

struct HttpReceiver::Peer {
  Peer(asio::ip::tcp::socket connected, size_t count) : socket(std::move(connected)), number(count) {}
  asio::ip::tcp::socket socket;
  const size_t number;
};

HttpReceiver::HttpReceiver(Answer answer, uint16_t port, DoorMaker door)
    : answer_(std::move(answer)), door_(std::move(door)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 1024) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the receiver cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_loop(); });
}

HttpReceiver::~HttpReceiver() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close_connections();
  threads_.clear();
  ::close(listener_);
}

std::vector<ReceivedRequest> HttpReceiver::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpReceiver::close_connections() {
  const std::lock_guard lock(mutex_);
  for (Peer& peer : peers_) ::shutdown(peer.socket.native_handle(), SHUT_RDWR);
}

void HttpReceiver::accept_loop() {
  asio::io_context io;
  size_t count = 0;
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) break;
    Peer* peer = nullptr;
    {
      const std::lock_guard lock(mutex_);
      peer = &peers_.emplace_back(asio::ip::tcp::socket(io, asio::ip::tcp::v4(), fd), count++);
    }
    threads_.emplace_back([this, peer] {
      try {
        serve(*peer);
      } catch (const std::exception&) {
        // What it read was no request: the peer sees a closed connection.
      }
      const std::lock_guard lock(mutex_);
      error_code ignored;
      peer->socket.close(ignored);
      peers_.remove_if([&](const Peer& one) { return &one == peer; });
    });
  }
  close_connections();
  threads_.clear();  // before io
}

void HttpReceiver::serve(Peer& peer) {
  const auto door = door_(peer.socket.native_handle());
  if (!door) return;
  DoorStream stream{*door};
  boost::beast::flat_buffer buffer;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    error_code failure;
    http::read(stream, buffer, parser, failure);
    if (failure) return;
    const ReceivedRequest request = received(parser.get(), peer.number);
    size_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      index = requests_.size();
      requests_.push_back(request);
    }
    const ReceiverAnswer answer = answer_(request, index);
    if (answer.hang_up) return;
    if (!door->write(bytes_of(answer)) || answer.then_close || !parser.keep_alive()) return;
  }
}

}  // namespace weir::test
