#include "tls_stream.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "weir/tls/session.h"

namespace weir::http::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Encrypted at once of a body: memory stays small, and the next piece is ready before the socket has sent this one.
constexpr size_t kPieceBytes = 64 * 1024;
constexpr size_t kCiphertextBytes = 16 * 1024;  // about a record

// As a certificate has it: no dot at the end of a name, no zone in an address (fe80::1%eth0).
std::string name_of(const std::string& host) {
  std::string name = host.substr(0, host.find('%'));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

// The handlers are in those of the socket, never in members, so nothing keeps itself alive.
class TlsStream final : public ByteStream, public std::enable_shared_from_this<TlsStream> {
 public:
  TlsStream(asio::io_context& io, std::shared_ptr<const tls::Credentials> credentials, const std::string& host)
      : socket_(io), session_(std::move(credentials), name_of(host)) {}

  void connect(const tcp::endpoint& endpoint, Connected connected) override {
    connect_socket(socket_, endpoint, [self = shared_from_this(), connected = std::move(connected)](error_code failure) {
      // What a session says while nobody waits for it is sent as far as the socket takes it.
      if (!failure) self->socket_.non_blocking(true, failure);
      if (failure) return connected(failure);
      self->shake_hands(connected);
    });
  }

  void write(const std::vector<asio::const_buffer>& buffers, Transferred written) override {
    unwritten_ = buffers;
    writing_ = true;
    write_next(std::move(written), asio::buffer_size(buffers));
  }

  void read_some(asio::mutable_buffer buffer, Transferred read) override {
    asio::post(socket_.get_executor(), [self = shared_from_this(), buffer, read = std::move(read)] {
      self->decrypt(buffer, read);
    });
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    // In the middle of a write the socket has part of a record, and nothing can follow it.
    if (session_.established() && !writing_ && trouble_.empty()) {
      session_.close();
      say();
    }
    error_code ignored;
    socket_.close(ignored);
  }

  std::string trouble() const override { return trouble_; }

 private:
  // The session has failed; the code is for who looks at nothing else.
  error_code session_failed() {
    trouble_ = session_.problem().text;
    return boost::system::errc::make_error_code(boost::system::errc::protocol_error);
  }

  void shake_hands(Connected connected) {
    if (closed_) return connected(asio::error::operation_aborted);
    const tls::Status status = session_.handshake();
    if (session_.output().empty()) return after_handshake_step(status, std::move(connected));
    take_output();
    asio::async_write(socket_, asio::buffer(outgoing_),
                      [self = shared_from_this(), status, connected = std::move(connected)](error_code failure, size_t) {
                        // A server that hangs up may have said why before: reading tells.
                        if (failure && status == tls::Status::kDone) return connected(failure);
                        self->after_handshake_step(status, connected);
                      });
  }

  void after_handshake_step(tls::Status status, Connected connected) {
    if (status == tls::Status::kFailed) return connected(session_failed());
    if (status == tls::Status::kDone) return connected({});
    receive([this, connected = std::move(connected)](error_code failure) {
      if (failure) return connected(failure);
      shake_hands(connected);
    });
  }

  void decrypt(asio::mutable_buffer buffer, Transferred read) {
    if (closed_) return read(asio::error::operation_aborted, 0);
    size_t bytes = 0;
    const tls::Status status = session_.read(static_cast<char*>(buffer.data()), buffer.size(), &bytes);
    say();  // a new key, or an alert
    if (status == tls::Status::kDone) return read({}, bytes);
    if (status == tls::Status::kEnd) return read(asio::error::eof, 0);
    if (status == tls::Status::kFailed) return read(session_failed(), 0);
    receive([this, buffer, read = std::move(read)](error_code failure) {
      if (failure) return read(failure, 0);
      decrypt(buffer, read);
    });
  }

  // Feeds the session. `then` is called later, and this outlives it; an end is the session's to judge.
  template <class Then>
  void receive(Then then) {
    socket_.async_read_some(asio::buffer(ciphertext_),
                            [self = shared_from_this(), then = std::move(then)](error_code failure, size_t bytes) {
                              if (failure && failure != asio::error::eof) return then(failure);
                              if (failure) self->session_.feed_end();
                              self->session_.feed({self->ciphertext_.data(), bytes});
                              then(error_code());
                            });
  }

  void write_next(Transferred written, size_t all) {
    while (!unwritten_.empty() && session_.output().size() < kPieceBytes) {
      asio::const_buffer& front = unwritten_.front();
      const size_t bytes = std::min(front.size(), kPieceBytes);
      if (!session_.write({static_cast<const char*>(front.data()), bytes})) {
        return end_write(std::move(written), session_failed(), 0);
      }
      front += bytes;
      if (front.size() == 0) unwritten_.erase(unwritten_.begin());
    }
    if (session_.output().empty()) return end_write(std::move(written), {}, all);
    take_output();
    asio::async_write(socket_, asio::buffer(outgoing_),
                      [self = shared_from_this(), written = std::move(written), all](error_code failure, size_t) {
                        if (self->closed_) failure = asio::error::operation_aborted;
                        if (failure) return self->end_write(written, failure, 0);
                        self->write_next(written, all);
                      });
  }

  void end_write(Transferred written, error_code failure, size_t bytes) {
    writing_ = false;
    asio::post(socket_.get_executor(),
               [self = shared_from_this(), written = std::move(written), failure, bytes] { written(failure, bytes); });
  }

  // The session's memory may move, so what is on its way has a place of its own.
  void take_output() {
    outgoing_ = session_.output();
    session_.sent(outgoing_.size());
  }

  // Sends what the session has to say beside a write. What the socket does not take waits for the next write.
  void say() {
    if (writing_ || session_.output().empty()) return;
    error_code failure;
    session_.sent(socket_.send(asio::buffer(session_.output()), 0, failure));
  }

  tcp::socket socket_;
  tls::Session session_;
  std::array<char, kCiphertextBytes> ciphertext_;
  std::string outgoing_;  // under way while a write or the handshake is
  std::vector<asio::const_buffer> unwritten_;
  std::string trouble_;
  bool writing_ = false, closed_ = false;
};

}  // namespace

std::shared_ptr<ByteStream> make_tls_stream(asio::io_context& io, std::shared_ptr<const tls::Credentials> credentials,
                                            const std::string& host) {
  return std::make_shared<TlsStream>(io, std::move(credentials), host);
}

}  // namespace weir::http::client
