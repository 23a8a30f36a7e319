#include "client.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <string>

namespace weir::http::client {

namespace asio = boost::asio;

Client::Client(const Url& url, const ConnectionOptions& options, std::function<void(std::string_view)> on_trouble)
    : guard_(asio::make_work_guard(io_)),
      options_(options),
      on_trouble_(std::move(on_trouble)),
      resolver_(io_, url.host, url.port),
      repeat_timer_(io_) {}

Client::~Client() { stop(); }

void Client::start() {
  // The host's signals are not for this thread, nor for those it starts.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "weir-http-out");
}

void Client::stop() {
  if (!thread_.joinable()) return;
  post([this] {
    for (const auto& connection : connections_) connection->abandon();
    connections_.clear();
    repeated_ = nullptr;
    repeat_timer_.cancel();
    guard_.reset();
  });
  thread_.join();
  // Its last answer finds nobody who waits.
  resolver_.stop();
}

void Client::repeat(std::chrono::seconds period, std::function<void()> work) {
  repeat_period_ = period;
  repeated_ = std::move(work);
  wait_for_next();
}

void Client::wait_for_next() {
  repeat_timer_.expires_after(repeat_period_);
  repeat_timer_.async_wait([this](boost::system::error_code) {
    if (!repeated_) return;  // stopped, perhaps after the time had come
    wait_for_next();         // first: the work may throw
    repeated_();
  });
}

void Client::post(std::function<void()> work) { asio::post(io_, std::move(work)); }

std::shared_ptr<Connection> Client::send(Request request, Clock::time_point until, Connection::Done done) {
  auto found = std::find_if(connections_.begin(), connections_.end(), [](const auto& one) { return !one->busy(); });
  if (found == connections_.end()) {
    connections_.push_back(std::make_shared<Connection>(io_, resolver_, options_));
    found = std::prev(connections_.end());
  }
  const std::shared_ptr<Connection> connection = *found;
  connection->exchange(std::move(request), until, std::move(done));
  return connection;
}

uint64_t Client::opened() const {
  uint64_t opened = 0;
  for (const auto& connection : connections_) opened += connection->opened();
  return opened;
}

void Client::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      on_trouble_(std::string("the client's loop goes on after: ") + error.what());
    }
  }
}

}  // namespace weir::http::client
