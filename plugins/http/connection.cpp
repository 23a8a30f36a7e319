#include "connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/buffer.hpp>
#include <cerrno>

namespace weir::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kBodyStep = 64 * 1024;  // an announced body gets memory as it comes, not as it is promised
constexpr size_t kKeptCapacity = 32 * 1024;  // what an idle connection may hold on to: about 250 events
constexpr auto kNoDeadline = Clock::time_point::max();
// After a refusal the rest of what the client sends is read and thrown away, because closing with unread
// bytes resets the connection and the client may never see the answer (RFC 9112 section 9.6).
constexpr std::chrono::milliseconds kLingerTime{5'000};

Refusal slow(const char* what, std::chrono::milliseconds timeout) {
  return {408,
          "request_timeout",
          std::string("the ") + what + " did not arrive within " + std::to_string(timeout.count()) + " ms",
          {}};
}

}  // namespace

Connection::Connection(ConnectionContext& context, asio::ip::tcp::socket socket)
    : context_(context), socket_(std::move(socket)) {
  // With TLS memory comes after the handshake: who says nothing costs none.
  if (context_.credentials == nullptr) set_capacity(kFirstCapacity);
}

Connection::~Connection() { context_.buffered_bytes -= buffer_.capacity(); }

void Connection::start() {
  if (context_.credentials != nullptr) return begin_handshake();
  arm(context_.options.header_timeout);
  receive();
}

void Connection::turn_away(const Refusal& refusal) { refuse(refusal); }

// Goes through what has been received until more bytes are needed or the handler's answer is awaited.
void Connection::advance() {
  advancing_ = true;
  try {
    while (step()) {
    }
  } catch (const std::bad_alloc&) {
    context_.handler.on_trouble("no memory for a request; its connection was closed");
    close();
  }
  advancing_ = false;
}

// True when the next step can be taken at once.
bool Connection::step() {
  switch (state_) {
    case State::kHead:
      return read_head();
    case State::kBody:
      return read_body();
    case State::kChunks:
      return read_chunks();
    default:
      return false;
  }
}

bool Connection::read_head() {
  // An empty line before a request is skipped (RFC 9112 section 2.2).
  while (!scanner_.past_request_line() && buffer_.view().starts_with("\r\n")) {
    buffer_.consume(2);
    scanner_ = {};
  }
  if (buffer_.size() == 0) arm(context_.options.idle_timeout);
  if (buffer_.size() == 0 || buffer_.view() == "\r") return need_more();
  if (refused(check_first_byte(buffer_.view().front()))) return false;
  const HeadScanner::State found = scanner_.scan(buffer_.view());
  const size_t head_bytes = found == HeadScanner::State::kEnd ? scanner_.size() : buffer_.size();
  if (found == HeadScanner::State::kBareLineFeed) return refuse(bare_line_feed()), false;
  if (head_bytes > context_.options.max_header_bytes) {
    return refuse(head_too_large(scanner_, context_.options.max_header_bytes)), false;
  }
  return found == HeadScanner::State::kEnd ? begin_body() : need_more();
}

bool Connection::begin_body() {
  head_size_ = scanner_.size();
  const size_t max_body = context_.options.max_body_bytes;
  if (refused(check_head(buffer_.view().substr(0, head_size_), max_body, &head_))) return false;
  arm(context_.options.body_timeout);
  body_size_ = head_.framing == Framing::kLength ? head_.content_length : 0;
  dechunker_ = Dechunker(max_body);
  state_ = head_.framing == Framing::kChunked ? State::kChunks : State::kBody;
  const bool more_to_come = state_ == State::kChunks || buffer_.size() < head_size_ + body_size_;
  if (head_.expects_continue && !head_.http_1_0 && more_to_come) send_continue();
  return true;
}

bool Connection::read_body() {
  request_size_ = head_size_ + body_size_;
  if (buffer_.size() >= request_size_) return dispatch();
  const size_t step = std::max(2 * buffer_.capacity(), kBodyStep);
  if (buffer_.capacity() < request_size_ && buffer_.free_bytes() < kFirstCapacity &&
      !make_room(std::min(request_size_, step))) {
    return false;
  }
  return need_more();
}

// Decodes in place: the body grows from head_size_, what is not decoded yet begins where it ends.
bool Connection::read_chunks() {
  const size_t from = head_size_ + body_size_;
  char* const at = buffer_.data() + from;
  const Dechunker::Step step = dechunker_.decode(at, buffer_.size() - from, at);
  body_size_ += step.produced;
  switch (step.status) {
    case Dechunker::Status::kDone:
      request_size_ = from + step.consumed;
      return dispatch();
    case Dechunker::Status::kMore:
      buffer_.truncate(head_size_ + body_size_);
      return need_more();
    case Dechunker::Status::kTooLarge:
      refuse({413,
              "body_too_large",
              "the body is over the limit of " + std::to_string(context_.options.max_body_bytes) +
                  " bytes; send fewer events in one request",
              {}});
      return false;
    case Dechunker::Status::kMalformed:
      break;
  }
  refuse({400, "bad_chunk", "the chunked body is malformed (RFC 9112 section 7.1)", {}});
  return false;
}

bool Connection::dispatch() {
  if (context_.draining) {
    refuse({503, "shutting_down", "the server is about to stop; send the request again on a new connection",
            retry_after(0)});
    return false;
  }
  const auto refusal = context_.reader.read(head_.filtered);
  if (refusal && refusal->status != 415) return refuse(*refusal), false;
  state_ = State::kHandled;
  deadline_ = kNoDeadline;
  if (refusal) {
    respond({refusal->status, error_body(*refusal), refusal->headers});
  } else {
    handle({buffer_.data() + head_size_, body_size_});
  }
  release_request();
  return state_ == State::kHead;
}

void Connection::handle(std::string_view body) {
  request_ = context_.requests.open(this);
  const uint64_t id = request_;
  try {
    const std::string_view subject = tls_ ? std::string_view(tls_->peer_subject()) : std::string_view();
    context_.handler.handle(Request{context_.reader.request(), body, subject}, id);
    return;
  } catch (const std::exception& error) {
    context_.handler.on_trouble(std::string("a request could not be handled: ") + error.what());
  }
  Connection* connection = nullptr;
  if (!context_.requests.close(id, &connection)) return;  // it has been answered before it threw
  request_ = 0;
  refuse({500, "internal_error", "the server failed to handle the request; it was not accepted", {}});
}

// The handler has copied what it needs: the request's memory is free while its answer is awaited.
void Connection::release_request() {
  if (receiving_) return;  // lingering: the buffer is only a place to read into
  buffer_.consume(request_size_);
  if (buffer_.capacity() > kKeptCapacity && buffer_.size() <= kFirstCapacity) set_capacity(kFirstCapacity);
}

void Connection::respond(const Answer& answer) {
  request_ = 0;
  const bool keep = head_.keep_alive && !context_.retiring;
  send(answer, !keep ? Persistence::kClose : head_.http_1_0 ? Persistence::kKeepHttp10 : Persistence::kKeep);
}

void Connection::refuse(const Refusal& refusal) {
  const std::string body = error_body(refusal);
  send({refusal.status, body, refusal.headers}, Persistence::kClose);
}

// Refuses when there is something to refuse, and says so.
bool Connection::refused(std::optional<Refusal> refusal) {
  if (refusal) refuse(*refusal);
  return refusal.has_value();
}

void Connection::send(const Answer& answer, Persistence persistence) {
  persistence_ = persistence;
  state_ = State::kWriting;
  ++context_.unwritten;
  context_.handler.on_answer(answer.status);
  const std::string_view head = context_.formatter.format(answer, persistence);
  const std::string_view body = head_.wants_no_body ? std::string_view() : answer.body;
  if (tls_) return send_encrypted(head, body);
  iovec parts[] = {{const_cast<char*>(head.data()), head.size()},
                   {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = body.empty() ? 1 : 2;
  const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return close();
  const auto sent = static_cast<size_t>(std::max<ssize_t>(n, 0));
  if (sent == head.size() + body.size()) return answer_left();
  pending_.assign(head.substr(std::min(sent, head.size())));
  pending_.append(body.substr(sent > head.size() ? sent - head.size() : 0));
  pending_at_ = 0;
  arm(context_.options.write_timeout);
  write_pending();
}

void Connection::write_pending() {
  socket_.async_wait(asio::ip::tcp::socket::wait_write, [self = shared_from_this()](error_code failure) {
    if (self->state_ != State::kWriting) return;
    const std::string_view rest = std::string_view(self->pending_).substr(self->pending_at_);
    const ssize_t n = failure ? -1
                              : ::send(self->socket_.native_handle(), rest.data(), rest.size(),
                                       MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (failure || (errno != EAGAIN && errno != EINTR))) return self->close();
    self->pending_at_ += static_cast<size_t>(std::max<ssize_t>(n, 0));
    if (self->pending_at_ < self->pending_.size()) return self->write_pending();
    std::string().swap(self->pending_);
    self->answer_left();
  });
}

// Every earlier answer has left, so there is room for these bytes; a client that does not get them waits a
// second and sends its body all the same.
void Connection::send_continue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (tls_) {
    if (tls_->write(kContinue)) write_ciphertext();
    return;
  }
  if (::send(socket_.native_handle(), kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return;
}

void Connection::answer_left() {
  --context_.unwritten;
  if (persistence_ == Persistence::kClose) {
    linger();
  } else {
    next_request();
  }
  context_.request_ended();
}

void Connection::next_request() {
  state_ = State::kHead;
  scanner_ = {};
  head_.wants_no_body = false;
  arm(context_.options.header_timeout);
  if (!advancing_) advance();
}

void Connection::linger() {
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  state_ = State::kLingering;
  arm(kLingerTime);
  if (!receiving_) receive();
}

bool Connection::need_more() {
  receive();
  return false;
}

void Connection::receive() {
  if (state_ == State::kLingering) buffer_.truncate(0);
  if (buffer_.free_bytes() == 0 && !make_room(2 * buffer_.capacity())) return;
  receiving_ = true;
  if (tls_) return receive_ciphertext();
  socket_.async_read_some(asio::buffer(buffer_.end(), buffer_.free_bytes()),
                          [self = shared_from_this()](error_code failure, size_t bytes) {
                            self->receiving_ = false;
                            if (!failure) return self->on_received(bytes);
                            // While an answer is being written the client may have closed its sending half.
                            if (self->state_ != State::kWriting) self->close();
                          });
}

void Connection::on_received(size_t bytes) {
  context_.handler.on_received(bytes);
  switch (state_) {
    case State::kHead:
      if (buffer_.size() == 0) arm(context_.options.header_timeout);
      break;
    case State::kBody:
    case State::kChunks:
      break;
    case State::kLingering:
      return receive();
    case State::kHandshake:
    case State::kHandled:
    case State::kWriting:
    case State::kClosed:
      return;  // refused in the meantime
  }
  buffer_.commit(bytes);
  advance();
}

bool Connection::make_room(size_t capacity) {
  if (context_.buffered_bytes - buffer_.capacity() + capacity > context_.options.max_buffered_bytes) {
    refuse(
        {503, "overloaded", "too many requests are being received at once; try again later", retry_after(0)});
    return false;
  }
  set_capacity(capacity);
  return true;
}

void Connection::set_capacity(size_t capacity) {
  const size_t before = buffer_.capacity();
  buffer_.resize(capacity);
  context_.buffered_bytes += capacity - before;
}

void Connection::sweep(Clock::time_point now) {
  if (now < deadline_) return;
  switch (state_) {
    case State::kHandshake:
      refuse_handshake({tls::Cause::kTooSlow, "it was not over within " +
                                                  std::to_string(context_.options.handshake_timeout.count()) +
                                                  " ms (tls.handshake_timeout_ms)"});
      return close();
    case State::kHead:
      if (buffer_.size() == 0) return close();
      return refuse(slow("head of the request", context_.options.header_timeout));
    case State::kBody:
    case State::kChunks:
      return refuse(slow("body of the request", context_.options.body_timeout));
    case State::kWriting:
    case State::kLingering:
      return close();
    case State::kHandled:
    case State::kClosed:
      return;
  }
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kWriting) --context_.unwritten;
  if (request_ != 0) context_.requests.detach(request_);
  if (state_ == State::kHandshake) end_handshake();
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  context_.closed(*this);
  context_.request_ended();
}

}  // namespace weir::http
