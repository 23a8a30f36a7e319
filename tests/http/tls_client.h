// A blocking HTTPS client on our own session: one connection, kept alive.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "support/http.h"
#include "weir/tls/session.h"

namespace weir::http {

class TlsClient {
 public:
  // Connects and shakes hands. Throws std::runtime_error with the reason when that fails.
  TlsClient(uint16_t port, std::shared_ptr<const tls::Credentials> credentials)
      : connection_(port), session_(std::move(credentials), "127.0.0.1") {
    while (true) {
      const tls::Status status = session_.handshake();
      flush();
      if (status == tls::Status::kDone) return;
      if (status == tls::Status::kFailed) throw std::runtime_error(session_.problem().text);
      receive();
    }
  }

  const std::string& server() const { return session_.peer_subject(); }

  // Sends the bytes of a request and reads its answer: head and body. Nothing when the connection ended
  // first.
  std::optional<std::string> ask(std::string_view request) {
    if (!session_.write(request)) return std::nullopt;
    flush();
    std::string answer;
    while (!whole(answer)) {
      char piece[4096];
      size_t bytes = 0;
      const tls::Status status = session_.read(piece, sizeof piece, &bytes);
      answer.append(piece, bytes);
      if (status == tls::Status::kEnd || status == tls::Status::kFailed) return std::nullopt;
      if (status == tls::Status::kMore) receive();
    }
    return answer;
  }

 private:
  static bool whole(const std::string& answer) {
    const size_t head = answer.find("\r\n\r\n");
    const size_t length = answer.find("Content-Length: ");
    return head != std::string::npos && length < head &&
           answer.size() >= head + 4 + std::stoul(answer.substr(length + 16));
  }

  void flush() {
    const std::string bytes(session_.output());
    session_.sent(bytes.size());
    connection_.send(bytes);
  }

  void receive() {
    char piece[16 * 1024];
    const ssize_t n = ::recv(connection_.fd(), piece, sizeof piece, 0);
    if (n <= 0) return session_.feed_end();
    session_.feed({piece, static_cast<size_t>(n)});
  }

  test::HttpClient connection_;
  tls::Session session_;
};

}  // namespace weir::http
