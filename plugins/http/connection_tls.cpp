// A connection's way through TLS: the handshake, and ciphertext between socket and session. Plain connections
// never come here.
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cerrno>

#include "connection.h"

namespace weir::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr char kHandshakeRecord = 0x16;

std::string name_of(const asio::ip::tcp::endpoint& peer) {
  const std::string address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(peer.port());
}

}  // namespace

void Connection::begin_handshake() {
  state_ = State::kHandshake;
  error_code ignored;
  peer_ = socket_.remote_endpoint(ignored);  // now: a client that resets its connection has no name any more
  in_handshake_ = context_.handshaking.insert(context_.handshaking.end(), this);
  arm(context_.options.handshake_timeout);
  receiving_ = true;
  receive_ciphertext();
}

void Connection::end_handshake() {
  context_.handshaking.erase(in_handshake_);
  state_ = State::kHead;
}

void Connection::make_way() {
  refuse_handshake({tls::Cause::kCrowded, "it was the oldest of " +
                                              std::to_string(context_.options.max_handshakes) +
                                              " under way (tls.max_handshakes), and another client came"});
  close();
}

// Counts and logs. A client that went away before it had said anything only looked whether the port is open.
void Connection::refuse_handshake(const tls::Problem& problem) {
  if (problem.cause == tls::Cause::kClosed && tls_ == nullptr) return;
  context_.handler.on_refused_handshake(name_of(peer_), problem);
}

void Connection::receive_ciphertext() {
  // What has been decrypted already, or can be, comes by itself. Not from here: this may be inside of
  // advance().
  if (reads_request() && tls_->readable()) {
    return asio::post(socket_.get_executor(), [self = shared_from_this()] {
      self->receiving_ = false;
      self->decrypt();
    });
  }
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](error_code failure) {
    self->receiving_ = false;
    if (self->state_ == State::kClosed) return;
    if (!failure) return self->on_readable();
    if (self->state_ != State::kWriting) self->close();
  });
}

void Connection::on_readable() {
  bool ended = false;
  const std::string_view bytes = read_ciphertext(&ended);
  if (state_ == State::kHandshake) return shake_hands(bytes, ended);
  if (state_ == State::kLingering) return ended ? close() : receive();
  tls_->feed(bytes);
  if (ended) tls_->feed_end();
  decrypt();
}

// What the socket has, in the memory that all connections share: valid until the next one reads.
std::string_view Connection::read_ciphertext(bool* ended) {
  const ssize_t n =
      ::recv(socket_.native_handle(), context_.ciphertext.get(), kCiphertextBytes, MSG_DONTWAIT);
  *ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  return {context_.ciphertext.get(), static_cast<size_t>(std::max<ssize_t>(n, 0))};
}

void Connection::shake_hands(std::string_view bytes, bool ended) {
  try {
    if (tls_ == nullptr && !bytes.empty() && bytes.front() != kHandshakeRecord) {
      refuse_handshake({tls::Cause::kNotTls, "the client does not speak TLS; it should use https://"});
      end_handshake();
      set_capacity(kFirstCapacity);
      return refuse({400, "plain_on_tls_port", "this port speaks TLS; use https:// instead of http://", {}});
    }
    if (tls_ == nullptr && !bytes.empty())
      tls_ = std::make_unique<tls::Session>(context_.credentials->current());
    if (tls_ == nullptr && ended) return close();
    if (tls_ != nullptr) {
      tls_->feed(bytes);
      if (ended) tls_->feed_end();
      const tls::Status status = tls_->handshake();
      if (status == tls::Status::kFailed) {
        refuse_handshake(tls_->problem());
        end_handshake();
        set_capacity(kFirstCapacity);
        // Or the alert that says why may be lost on its way.
        if (write_ciphertext()) linger();
        return;
      }
      if (!write_ciphertext()) return;
      if (status == tls::Status::kDone) return established();
    }
    receiving_ = true;
    receive_ciphertext();
  } catch (const std::bad_alloc&) {
    context_.handler.on_trouble("no memory for a TLS handshake; its connection was closed");
    close();
  }
}

void Connection::established() {
  end_handshake();
  counted = true;
  context_.handler.on_connections(+1);
  set_capacity(kFirstCapacity);
  if (context_.crowded()) return turn_away(too_many_connections());
  arm(context_.options.header_timeout);
  receive();
}

// Brings what the session has decrypted on its way, as a plain socket's bytes.
void Connection::decrypt() {
  if (state_ == State::kLingering) return receive();
  if (!reads_request()) return;
  size_t bytes = 0;
  const tls::Status status = tls_->read(buffer_.end(), buffer_.free_bytes(), &bytes);
  // Reading can make something to say: a new key, or an alert.
  if (!write_ciphertext()) return;
  switch (status) {
    case tls::Status::kDone:
      return on_received(bytes);
    case tls::Status::kMore:
      return receive();
    case tls::Status::kEnd:
    case tls::Status::kFailed:
      return close();
  }
}

// Sends what the session has to say while no answer is on its way: little, and the socket has room for it. A
// client that has let it run full is cut off.
bool Connection::write_ciphertext() {
  const std::string_view out = tls_->output();
  if (out.empty()) return true;
  const ssize_t n = ::send(socket_.native_handle(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n == static_cast<ssize_t>(out.size())) return tls_->sent(out.size()), true;
  if (state_ == State::kHandshake) {
    refuse_handshake({tls::Cause::kClosed, "the client ended the connection during the handshake"});
  }
  close();
  return false;
}

// The end of send() for an encrypted answer; state_ is kWriting.
void Connection::send_encrypted(std::string_view head, std::string_view body) {
  bool done = tls_->write(head) && tls_->write(body);
  if (done && persistence_ == Persistence::kClose) tls_->close();
  if (!done) return close();
  const std::string_view out = tls_->output();
  const ssize_t n = ::send(socket_.native_handle(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return close();
  const auto sent = static_cast<size_t>(std::max<ssize_t>(n, 0));
  pending_.assign(out.substr(sent));
  tls_->sent(out.size());
  if (pending_.empty()) return answer_left();
  pending_at_ = 0;
  arm(context_.options.write_timeout);
  write_pending();
}

}  // namespace weir::http
