#include "name_resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cstring>

namespace weir::http::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// A name server on the same network answers within milliseconds; a lookup must not hold up stop() for long.
constexpr int kNameServerSeconds = 2;
constexpr int kNameServerAttempts = 1;

}  // namespace

NameResolver::NameResolver(asio::io_context& io, std::string host, uint16_t port)
    : io_(io), host_(std::move(host)), port_(port) {}

void NameResolver::resolve(Resolved resolved) {
  boost::system::error_code no_address;
  const auto address = asio::ip::make_address(host_, no_address);
  if (!no_address) {
    return asio::post(io_, [resolved = std::move(resolved), endpoint = tcp::endpoint(address, port_)] {
      resolved({endpoint}, "");
    });
  }
  waiting_.push_back(std::move(resolved));
  if (waiting_.size() > 1) return;
  if (!lookups_) lookups_.emplace(1);  // its thread has the signal mask of this one
  asio::post(*lookups_, [this] { look_up(); });
}

void NameResolver::look_up() {
  // Of this thread alone.
  if (::res_init() == 0) {
    _res.retrans = kNameServerSeconds;
    _res.retry = kNameServerAttempts;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host_.c_str(), nullptr, &hints, &found);
  Endpoints endpoints;
  for (const addrinfo* one = failure == 0 ? found : nullptr; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, one->ai_addr, sizeof address);
      endpoints.emplace_back(asio::ip::address_v4(ntohl(address.sin_addr.s_addr)), port_);
    } else if (one->ai_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, one->ai_addr, sizeof address);
      asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      endpoints.emplace_back(asio::ip::address_v6(bytes, address.sin6_scope_id), port_);
    }
  }
  if (failure == 0) ::freeaddrinfo(found);
  std::string trouble;
  if (endpoints.empty()) {
    trouble = "the name " + host_ + " is not known: " + (failure != 0 ? ::gai_strerror(failure) : "it has no address");
  }
  asio::post(io_, [this, endpoints = std::move(endpoints), trouble = std::move(trouble)] { answer(endpoints, trouble); });
}

void NameResolver::answer(const Endpoints& endpoints, const std::string& trouble) {
  const std::vector<Resolved> waiting = std::exchange(waiting_, {});
  for (const Resolved& resolved : waiting) resolved(endpoints, trouble);
}

void NameResolver::stop() {
  if (lookups_) lookups_->join();
}

}  // namespace weir::http::client
