// weir-bare-handler: the HTTP source's own connection code with nothing behind it. It answers every request at once
// with 202 and a body of a given length: the floor for what connections, limits and answers cost.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "http/server.h"

namespace {

class BareHandler final : public weir::http::Handler {
 public:
  explicit BareHandler(size_t answer_bytes) : body_(answer_bytes, ' ') {}
  void serve(weir::http::Server& server) { server_ = &server; }
  void handle(const weir::http::Request&, uint64_t id) override { server_->respond(id, {202, body_, ""}); }

 private:
  std::string body_;
  weir::http::Server* server_ = nullptr;
};

int listen_on(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 4096) != 0) return -1;
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  uint16_t port = 0;
  size_t answer_bytes = 64;
  CLI::App app{"The HTTP source's connection code, answering 202 at once. SIGTERM or SIGINT ends it."};
  app.add_option("--port", port, "on 127.0.0.1")->required();
  app.add_option("--answer-bytes", answer_bytes, "length of an answer's body")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  int fd = listen_on(port);
  if (fd < 0) {
    std::perror("weir-bare-handler: listen");
    return 1;
  }
  BareHandler handler(answer_bytes);
  weir::http::Server server(weir::http::ServerOptions{}, handler, fd);
  handler.serve(server);
  server.start();
  int signal = 0;
  sigwait(&signals, &signal);
  server.stop();
  return 0;
}
