#include "server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>

#include "connection.h"

namespace weir::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Deadlines are looked at this often: a client is cut off at most this much late.
constexpr std::chrono::milliseconds kSweepPeriod{100};
// Clients over max_connections that are being told so; over that they are closed without a word.
constexpr size_t kMaxTurnedAway = 64;
// Accepted in one go, so that a flood of connections does not hold up those that are open.
constexpr int kAcceptsAtOnce = 64;

}  // namespace

// All of the server that lives on its thread, and how the other threads reach it.
class Server::Loop final : public ConnectionContext {
 public:
  Loop(const ServerOptions& server_options, Handler& server_handler, int listening_fd,
       std::unique_ptr<tls::ReloadingCredentials> server_credentials)
      : ConnectionContext(server_options, server_handler),
        listener_(io_, listening_fd),
        sweeper_(io_),
        certificate_watch_(io_) {
    credentials = std::move(server_credentials);
    if (credentials != nullptr) ciphertext = std::make_unique_for_overwrite<char[]>(kCiphertextBytes);
  }

  // --- the control thread ---
  void start() {
    // The host's signals are not for this thread.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_setname_np(thread_.native_handle(), "weir-http");
    call([this] {
      if (credentials != nullptr) watch_certificates();
      wait_for_clients();
    });
  }

  void pause() {
    call([this] { stop_accepting(); });
  }

  void resume() {
    call([this] {
      retiring = draining = false;
      wait_for_clients();
    });
  }

  bool drain(Clock::time_point deadline) {
    call([this] {
      stop_accepting();
      draining = true;
      set_drained(requests.open_count() == 0 && unwritten == 0);
    });
    std::unique_lock lock(mutex_);
    return drained_changed_.wait_until(lock, deadline, [this] { return drained_; });
  }

  void stop() {
    if (!thread_.joinable()) return;
    call([this] {
      error_code ignored;
      listener_.close(ignored);
      accepting_ = false;
      sweeper_.cancel();
      certificate_watch_.cancel();
      while (!connections_.empty()) std::shared_ptr(connections_.back())->close();
      guard_.reset();
    });
    thread_.join();
  }

  // --- any thread ---
  void post(std::function<void()> work) { asio::post(io_, std::move(work)); }

  // --- the server's thread ---
  void respond(uint64_t id, const Answer& answer) {
    Connection* connection = nullptr;
    if (!requests.close(id, &connection)) return;
    if (connection == nullptr) return request_ended();
    const auto kept = connection->shared_from_this();
    connection->respond(answer);
  }

  void closed(Connection& connection) override {
    if (connection.counted) handler.on_connections(-1);
    const auto kept = connection.shared_from_this();
    connections_[connection.index] = std::move(connections_.back());
    connections_[connection.index]->index = connection.index;
    connections_.pop_back();
  }

  bool crowded() const override { return connections_.size() - handshaking.size() > options.max_connections; }

  void request_ended() override {
    if (draining && requests.open_count() == 0 && unwritten == 0) set_drained(true);
  }

 private:
  void run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& error) {
        handler.on_trouble(std::string("the server's loop goes on after: ") + error.what());
      }
    }
  }

  // Runs `work` on the server's thread and waits for its end; here when there is no such thread.
  void call(std::function<void()> work) {
    if (!thread_.joinable()) return work();
    std::promise<void> done;
    post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  void set_drained(bool drained) {
    const std::lock_guard lock(mutex_);
    drained_ = drained;
    if (drained) drained_changed_.notify_all();
  }

  void stop_accepting() {
    retiring = true;
    accepting_ = accept_again_ = false;
    error_code ignored;
    listener_.cancel(ignored);
  }

  void wait_for_clients() {
    accepting_ = true;
    if (std::exchange(waiting_, true)) return;
    listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code failure) {
      waiting_ = false;
      if (!accepting_) return;
      if (failure) return wait_for_clients();  // cancelled by pause(), and resume() came before this
      accept_clients();
    });
  }

  void accept_clients() {
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      const int fd = ::accept4(listener_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        admit(fd, peer.ss_family);
      } else if (errno == EAGAIN) {
        break;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        handler.on_trouble(std::string("cannot accept a client, trying again soon: ") + std::strerror(errno));
        accept_again_ = true;  // waiting for the listener would come back at once, and again
        return start_sweeping();
      }  // any other error is that client's own
    }
    wait_for_clients();
  }

  void admit(int fd, int family) {
    if (connections_.size() - handshaking.size() >= options.max_connections + kMaxTurnedAway) {
      ::close(fd);
      return;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    tcp::socket socket(io_, family == AF_INET6 ? tcp::v6() : tcp::v4(), fd);
    const auto connection = std::make_shared<Connection>(*this, std::move(socket));
    connection->index = connections_.size();
    connections_.push_back(connection);
    start_sweeping();
    if (credentials != nullptr) {
      if (handshaking.size() >= options.max_handshakes) handshaking.front()->make_way();
      return connection->start();  // whether there is room for it is looked at after the handshake
    }
    connection->counted = true;
    handler.on_connections(+1);
    if (!crowded()) return connection->start();
    connection->turn_away(too_many_connections());
  }

  void watch_certificates() {
    certificate_watch_.expires_after(std::chrono::seconds(tls::ReloadingCredentials::kLookSeconds));
    certificate_watch_.async_wait([this](error_code failure) {
      if (failure) return;
      using Change = tls::ReloadingCredentials::Change;
      tls::Fault fault;
      const Change change = credentials->look(&fault);
      if (change != Change::kNone) {
        handler.on_certificates(*credentials->current(), change == Change::kRefused ? &fault : nullptr);
      }
      watch_certificates();
    });
  }

  void start_sweeping() {
    if (sweeping_) return;
    sweeping_ = true;
    sweeper_.expires_after(kSweepPeriod);
    sweeper_.async_wait([this](error_code failure) {
      sweeping_ = false;
      if (!failure) sweep();
    });
  }

  void sweep() {
    const auto now = Clock::now();
    for (size_t i = connections_.size(); i-- > 0;) {
      // A connection that closes is replaced by the last one, which has been seen.
      if (i < connections_.size()) std::shared_ptr(connections_[i])->sweep(now);
    }
    if (std::exchange(accept_again_, false) && accepting_) wait_for_clients();
    if (!connections_.empty()) start_sweeping();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_ = asio::make_work_guard(io_);
  asio::posix::stream_descriptor listener_;
  asio::steady_timer sweeper_, certificate_watch_;
  std::vector<std::shared_ptr<Connection>> connections_;
  bool accepting_ = false;
  bool waiting_ = false;       // for the listener
  bool accept_again_ = false;  // at the next sweep
  bool sweeping_ = false;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable drained_changed_;
  bool drained_ = false;  // under mutex_
};

Server::Server(const ServerOptions& options, Handler& handler, int listening_fd,
               std::unique_ptr<tls::ReloadingCredentials> credentials)
    : loop_(std::make_unique<Loop>(options, handler, listening_fd, std::move(credentials))) {}
Server::~Server() { stop(); }

void Server::start() { loop_->start(); }
void Server::pause() { loop_->pause(); }
void Server::resume() { loop_->resume(); }
bool Server::drain(std::chrono::steady_clock::time_point deadline) { return loop_->drain(deadline); }
void Server::stop() { loop_->stop(); }
void Server::respond(uint64_t id, const Answer& answer) { loop_->respond(id, answer); }
void Server::post(std::function<void()> work) { loop_->post(std::move(work)); }

}  // namespace weir::http
