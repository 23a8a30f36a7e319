#include "connection.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <cstring>

namespace weir::http::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

// Many servers close a connection that is idle for a minute; an older one is not worth the attempt.
constexpr std::chrono::seconds kLongestIdle{50};

std::string text_of(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = ":" + std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]" + port : address + port;
}

// The failures of a connection in words, the others in the system's.
std::string describe(error_code failure) {
  if (failure == asio::error::eof) return "the server closed the connection before its answer was complete";
  if (failure == asio::error::connection_reset) return "the server broke the connection";
  if (failure == asio::error::broken_pipe) return "the server closed the connection while the request was sent";
  if (failure.category() == beast::http::make_error_code(beast::http::error::bad_version).category()) {
    return "the answer cannot be read as HTTP/1.1: " + failure.message();
  }
  return failure.message();
}

}  // namespace

Connection::Connection(asio::io_context& io, NameResolver& resolver, const ConnectionOptions& options)
    : io_(io), resolver_(resolver), options_(options), deadline_timer_(io), connect_timer_(io) {}

template <class Handler>
auto Connection::current(Handler handler) {
  // The stream lives as long as an operation of it is under way.
  return [self = shared_from_this(), stream = stream_, generation = generation_,
          handler = std::move(handler)](auto... arguments) {
    if (self->generation_ == generation) handler(*self, arguments...);
  };
}

void Connection::exchange(Request request, Clock::time_point until, Done done) {
  request_ = std::move(request);
  done_ = std::move(done);
  until_ = until;
  started_ = Clock::now();
  if (connected_ && started_ - idle_since_ > kLongestIdle) close();
  reused_ = connected_;
  if (connected_) {
    wait(deadline_timer_, until_, &Connection::on_deadline);
    return send();
  }
  open();
}

// From the name to a new connection.
void Connection::open() {
  close();
  wait(deadline_timer_, until_, &Connection::on_deadline);
  resolver_.resolve(current([](Connection& self, const NameResolver::Endpoints& endpoints, const std::string& trouble) {
    if (endpoints.empty()) return self.failed(trouble);
    self.endpoints_ = endpoints;
    self.refusal_.clear();
    self.connect_to(0, "");
  }));
}

// Tries one address after the other; `trouble` is the last one's. What a server was refused for says more than that
// another address was not reached.
void Connection::connect_to(size_t index, std::string trouble) {
  if (index == endpoints_.size()) return failed(refusal_.empty() ? trouble : refusal_);
  close();  // what an attempt that was given up still says is late
  wait(deadline_timer_, until_, &Connection::on_deadline);
  const auto endpoint = endpoints_[index];
  stream_ = options_.make_stream(io_);
  connect_timer_.expires_after(options_.connect_timeout);
  connect_timer_.async_wait(current([index, endpoint](Connection& self, error_code cancelled) {
    if (cancelled || self.connected_) return;
    self.connect_to(index + 1, "no connection to " + text_of(endpoint) + " within " +
                                   std::to_string(self.options_.connect_timeout.count()) + " ms");
  }));
  stream_->connect(endpoint, current([index, endpoint](Connection& self, error_code failure) {
    self.connect_timer_.cancel();
    if (failure) {
      const std::string refusal = self.stream_->trouble();
      const std::string why =
          "no connection to " + text_of(endpoint) + ": " + (refusal.empty() ? failure.message() : refusal);
      if (!refusal.empty()) self.refusal_ = why;
      return self.connect_to(index + 1, why);
    }
    self.connected_ = true;
    ++self.opened_;
    self.send();
  }));
}

// The answer is awaited from the beginning: a server may refuse a request before it has read it.
void Connection::send() {
  written_ = any_byte_ = false;
  unparsed_ = 0;
  expect_reply();
  stream_->write({asio::buffer(request_.head), asio::buffer(request_.body)},
                 current([](Connection& self, error_code failure, size_t) {
                   // The answer, or why there is none, comes from reading.
                   self.written_ = !failure;
                 }));
  read();
}

void Connection::expect_reply() {
  parser_.emplace();
  parser_->header_limit(kMaxReplyHeadBytes);
  parser_->body_limit(boost::none);  // counted in parse(): a long body is not an error
  parser_->eager(true);
}

void Connection::read() {
  stream_->read_some(asio::buffer(received_.data() + unparsed_, received_.size() - unparsed_),
                     current([](Connection& self, error_code failure, size_t bytes) { self.on_read(failure, bytes); }));
}

void Connection::on_read(error_code failure, size_t bytes) {
  if (!failure) {
    any_byte_ = true;
    if (parse(bytes)) read();
    return;
  }
  error_code ignored;
  if (failure == asio::error::eof && any_byte_ && parser_->is_header_done() && parser_->need_eof()) {
    parser_->put_eof(ignored);
    return replied();
  }
  if (has_status()) return replied();
  if (reused_ && !any_byte_) {
    reused_ = false;
    return open();
  }
  const std::string more = stream_->trouble();
  failed(more.empty() ? describe(failure) : more);
}

// The status is an answer, whatever becomes of its body.
bool Connection::has_status() const {
  return connected_ && parser_->is_header_done() && parser_->get().result_int() >= 200;
}

// Gives the parser what has come. True when more has to be read.
bool Connection::parse(size_t bytes) {
  unparsed_ += bytes;
  error_code failure;
  size_t used = 0;
  while (used < unparsed_ && !parser_->is_done()) {
    const size_t taken = parser_->put(asio::buffer(received_.data() + used, unparsed_ - used), failure);
    used += taken;
    if (failure == beast::http::error::need_more) failure = {};
    if (failure || taken == 0) break;
  }
  unparsed_ -= used;
  std::memmove(received_.data(), received_.data() + used, unparsed_);
  if (failure) {
    has_status() ? replied() : failed(describe(failure));
    return false;
  }
  if (parser_->is_header_done() && parser_->get().body().size() > kMaxReplyBodyBytes) return replied(), false;
  if (parser_->is_done()) {
    if (parser_->get().result_int() >= 200) return replied(), false;
    // An interim answer (RFC 9110 section 15.2): the real one follows.
    expect_reply();
    return unparsed_ == 0 || parse(0);
  }
  if (unparsed_ == received_.size()) return failed("a line of the answer's head is too long"), false;
  return true;
}

void Connection::replied() {
  const auto& message = parser_->get();
  Reply reply;
  reply.status = static_cast<int>(message.result_int());
  reply.reason = message.reason();
  reply.retry_after = message[beast::http::field::retry_after];
  reply.date = message[beast::http::field::date];
  reply.location = message[beast::http::field::location];
  reply.body = beast::buffers_to_string(message.body().data());
  if (reply.body.size() > kMaxReplyBodyBytes) reply.body.resize(kMaxReplyBodyBytes);
  // Bytes that nobody asked for make the next answer doubtful.
  const bool keep = parser_->is_done() && parser_->keep_alive() && written_ && unparsed_ == 0;
  if (!keep) close();
  finish({std::move(reply), ""});
}

void Connection::failed(const std::string& trouble) {
  close();
  finish({std::nullopt, trouble});
}

void Connection::finish(Outcome outcome) {
  deadline_timer_.cancel();
  connect_timer_.cancel();
  idle_since_ = Clock::now();
  const Done done = std::exchange(done_, nullptr);
  if (done) done(std::move(outcome));
}

void Connection::wait(asio::steady_timer& timer, Clock::time_point until, void (Connection::*then)()) {
  timer.expires_at(until);
  timer.async_wait(current([then](Connection& self, error_code cancelled) {
    if (!cancelled) (self.*then)();
  }));
}

void Connection::on_deadline() {
  if (!busy() || Clock::now() < until_) return;  // an earlier exchange's
  if (has_status()) return replied();
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
  failed("no answer within " + std::to_string(waited.count()) + " ms");
}

void Connection::abandon() {
  done_ = nullptr;
  close();
}

void Connection::close() {
  ++generation_;
  connected_ = false;
  deadline_timer_.cancel();
  connect_timer_.cancel();
  if (stream_) stream_->close();
  stream_.reset();
}

}  // namespace weir::http::client
