// The addresses of a host's name.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weir::http::client {

// Looks up one host. An address is its own answer; a name is looked up by the system on a thread of its own, because
// that blocks and cannot be cancelled. Who asks while a lookup is under way gets its answer, so there is never more
// than one. Client thread; the constructor and stop() by whoever owns it.
class NameResolver {
 public:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  // The addresses, or why there are none (one line).
  using Resolved = std::function<void(const Endpoints&, const std::string& trouble)>;

  NameResolver(boost::asio::io_context& io, std::string host, uint16_t port);
  ~NameResolver() { stop(); }
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // Calls `resolved` later, from the client's loop.
  void resolve(Resolved resolved);
  // Waits for the lookup under way: 2 s for each name server that does not answer.
  void stop();

 private:
  void look_up();  // the lookup's thread
  void answer(const Endpoints& endpoints, const std::string& trouble);

  boost::asio::io_context& io_;
  const std::string host_;
  const uint16_t port_;
  std::vector<Resolved> waiting_;
  std::optional<boost::asio::thread_pool> lookups_;  // made when a name is looked up
};

}  // namespace weir::http::client
