#include "admin/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <atomic>
#include <optional>
#include <thread>

#include "admin/routes.h"
#include "base/log.h"
#include "base/thread.h"

namespace weir::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

constexpr uint32_t kHeadLimit = 8192;
constexpr uint64_t kBodyLimit = 65536;
constexpr auto kIdleLimit = std::chrono::seconds(10);
// Above any number of monitors; descriptors are the journal's too.
constexpr int kMaxConnections = 64;
// After a connection could not be taken, for want of descriptors usually.
constexpr auto kAcceptPause = std::chrono::milliseconds(200);
constexpr size_t kSlowWorkers = 2;

// What all connections share. Quick requests have a worker of their own, so that an apply or a recount keeps no monitor
// waiting.
struct Shared {
  runtime::Gateway& gateway;
  asio::thread_pool quick{1};
  asio::thread_pool slow{kSlowWorkers};
  std::atomic<int> connections{0};
};

// A page in a browser may send a POST to loopback too, but cannot hide where it comes from.
bool from_a_page(const http::request<http::string_body>& request) {
  return request.method() == http::verb::post && request.find(http::field::origin) != request.end();
}

Answer answer_to(runtime::Gateway& gateway, const http::request<http::string_body>& request) {
  std::string_view target(request.target().data(), request.target().size());
  std::string_view method(request.method_string().data(), request.method_string().size());
  if (from_a_page(request)) return failure(403, "denied", "requests of web pages are not taken");
  try {
    return admin::answer(gateway, method, target);
  } catch (const std::exception& error) {
    base::log_error("gateway", "a request to the admin interface failed: " + std::string(error.what()));
    return failure(500, "failed", error.what());
  }
}

// One connection: requests are answered one after the other.
template <class Protocol>
class Session : public std::enable_shared_from_this<Session<Protocol>> {
 public:
  using Stream = beast::basic_stream<Protocol>;
  Session(typename Protocol::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    ++shared_.connections;
  }
  ~Session() { --shared_.connections; }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeadLimit);
    parser_->body_limit(kBodyLimit);
    stream_.expires_after(kIdleLimit);
    http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](error_code failed, size_t) {
      if (!failed) self->work();
    });
  }

 private:
  void work() {
    stream_.expires_never();
    const auto& target = parser_->get().target();
    auto& workers = is_quick({target.data(), target.size()}) ? shared_.quick : shared_.slow;
    asio::post(workers, [self = this->shared_from_this()] {
      Answer answer = answer_to(self->shared_.gateway, self->parser_->get());
      asio::post(self->stream_.get_executor(), [self, answer = std::move(answer)]() mutable { self->write(answer); });
    });
  }

  void write(Answer& answer) {
    response_ = {};
    response_.version(parser_->get().version());
    response_.result(answer.status);
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, "no-store");
    if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
    response_.keep_alive(parser_->get().keep_alive());
    response_.body() = std::move(answer.body);
    response_.prepare_payload();
    // The length that GET would have, and nothing behind it.
    if (parser_->get().method() == http::verb::head) response_.body().clear();
    stream_.expires_after(kIdleLimit);
    http::async_write(stream_, response_, [self = this->shared_from_this()](error_code failed, size_t) {
      if (failed) return;
      if (self->response_.keep_alive()) return self->read();
      error_code ignored;
      self->stream_.socket().shutdown(Protocol::socket::shutdown_send, ignored);
    });
  }

  Stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

base::Error cannot_listen(const std::string& where, const error_code& failed) {
  return base::error(base::Code::kUnavailable, "the admin interface cannot listen at " + where + ": " + failed.message(),
                     "", "another program has it, or choose another admin.listen in gateway.json");
}

}  // namespace

struct Server::Listener {
  explicit Listener(runtime::Gateway& served) : shared{served} {}

  template <class Protocol>
  void accept(typename Protocol::acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](error_code failed, typename Protocol::socket socket) {
      if (failed == asio::error::operation_aborted) return;
      if (failed) return accept_later<Protocol>(acceptor);
      // The commands come by the local socket, and must come through when the other is crowded.
      bool taken = std::is_same_v<Protocol, Local> || shared.connections < kMaxConnections;
      if (taken) std::make_shared<Session<Protocol>>(std::move(socket), shared)->read();
      accept<Protocol>(acceptor);
    });
  }

  template <class Protocol>
  void accept_later(typename Protocol::acceptor& acceptor) {
    auto timer = std::make_shared<asio::steady_timer>(io, kAcceptPause);
    timer->async_wait([this, &acceptor, timer](error_code failed) {
      if (!failed) accept<Protocol>(acceptor);
    });
  }

  base::Status listen_tcp(const std::string& address) {
    error_code failed;
    size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    auto ip = asio::ip::make_address(host, failed);
    if (failed || colon == std::string::npos) return cannot_listen(address, failed);
    Tcp::endpoint endpoint(ip, static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
    tcp.open(endpoint.protocol(), failed);
    if (!failed) tcp.set_option(Tcp::acceptor::reuse_address(true), failed);
    if (!failed) tcp.bind(endpoint, failed);
    if (!failed) tcp.listen(64, failed);
    if (failed) return cannot_listen(address, failed);
    return {};
  }

  base::Status listen_local(const std::string& path) {
    // sockaddr_un has room for 107 bytes and the end.
    if (path.size() > 107) {
      return base::error(base::Code::kInvalid, "the path of the command socket is longer than 107 bytes: " + path, "",
                         "choose a shorter data_dir in gateway.json");
    }
    unlink(path.c_str());  // of a gateway that was killed: the lock on data_dir says that none is running
    error_code failed;
    local.open(Local(), failed);
    if (!failed) local.bind(Local::endpoint(path), failed);
    if (!failed && chmod(path.c_str(), 0600) != 0) failed = error_code(errno, boost::system::system_category());
    if (!failed) local.listen(16, failed);
    if (failed) return cannot_listen(path, failed);
    socket_path = path;
    return {};
  }

  void run() {
    accept<Tcp>(tcp);
    accept<Local>(local);
    thread = base::start_thread("admin", [this] { io.run(); });
  }

  ~Listener() {
    io.stop();
    if (thread.joinable()) thread.join();
    shared.quick.join();
    shared.slow.join();
    if (!socket_path.empty()) unlink(socket_path.c_str());
  }

  Shared shared;
  asio::io_context io{1};
  Tcp::acceptor tcp{io};
  Local::acceptor local{io};
  std::string socket_path;
  std::thread thread;
};

std::string Server::socket_path(const std::string& data_dir) { return data_dir + "/weir.sock"; }

base::Result<std::unique_ptr<Server>> Server::start(runtime::Gateway& gateway) {
  auto listener = std::make_unique<Listener>(gateway);
  if (auto done = listener->listen_tcp(gateway.config().admin.listen); !done) return done.error();
  if (auto done = listener->listen_local(socket_path(gateway.config().data_dir.string())); !done) return done.error();
  listener->run();
  return std::unique_ptr<Server>(new Server(std::move(listener)));
}

Server::Server(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
Server::~Server() = default;

std::string Server::address() const {
  auto endpoint = listener_->tcp.local_endpoint();
  std::string host = endpoint.address().to_string();
  if (endpoint.address().is_v6()) host = "[" + host + "]";
  return host + ":" + std::to_string(endpoint.port());
}

}  // namespace weir::admin
