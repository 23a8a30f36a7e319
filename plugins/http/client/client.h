// An HTTP/1.1 client for one server: its thread, and the connections it keeps.
//
//   One request at a time on a connection (HTTP/1.1 answers in order, so a second one behind it would only wait), and
//   as many connections as there are requests under way. A connection that is free is used again; redirects are not
//   followed. Name, connections and limits are in the files beside this one.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "connection.h"
#include "url.h"

namespace weir::http::client {

class Client {
 public:
  // `on_trouble` gets one line that an operator should know, on the client's thread.
  Client(const Url& url, const ConnectionOptions& options, std::function<void(std::string_view)> on_trouble);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();  // stops

  // --- the control thread ---
  void start();
  // Closes every connection and joins the thread. No `done` is called afterwards.
  void stop();
  // Runs `work` on the client's thread again and again, until stop(). Once, before start().
  void repeat(std::chrono::seconds period, std::function<void()> work);

  // Runs `work` on the client's thread soon; never after stop(). [any thread]
  void post(std::function<void()> work);

  // --- the client's thread ---
  // Sends a request and calls `done` once, later. The connection is the exchange's handle: abandon() ends it.
  std::shared_ptr<Connection> send(Request request, Clock::time_point until, Connection::Done done);
  // How many connections were opened so far.
  uint64_t opened() const;

 private:
  void run();
  void wait_for_next();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  const ConnectionOptions options_;
  const std::function<void(std::string_view)> on_trouble_;
  NameResolver resolver_;
  boost::asio::steady_timer repeat_timer_;
  std::chrono::seconds repeat_period_{};
  std::function<void()> repeated_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::thread thread_;
};

}  // namespace weir::http::client
