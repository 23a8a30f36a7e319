// TLS before an HttpReceiver, by OpenSSL: a peer that has nothing to do with our own session. It ends without
// close_notify, as a server that is killed.
#pragma once

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>

#include "support/certificates.h"
#include "support/http_receiver.h"

namespace weir::http {

struct TlsDoorOptions {
  test::Pair pair;
  std::string client_authority = {};  // clients must show a certificate of it, when it is there
  int version = 0;                    // the only one, such as TLS1_2_VERSION; 0 for any
};

class TlsDoor final : public test::ReceiverDoor {
 public:
  // Shakes hands. Throws boost::system::system_error when that fails, having sent the alert.
  TlsDoor(int fd, const TlsDoorOptions& options)
      : context_(context_of(options)), socket_(io_, boost::asio::ip::tcp::v4(), ::dup(fd)), stream_(socket_, context_) {
    stream_.handshake(boost::asio::ssl::stream_base::server);
  }
  size_t read(char* to, size_t size) override {
    boost::system::error_code failure;
    const size_t bytes = stream_.read_some(boost::asio::buffer(to, size), failure);
    return failure ? 0 : bytes;
  }
  bool write(std::string_view bytes) override {
    boost::system::error_code failure;
    boost::asio::write(stream_, boost::asio::buffer(bytes), failure);
    return !failure;
  }
  // The client has said that nothing more comes.
  bool announced_end() { return (SSL_get_shutdown(stream_.native_handle()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  std::string version() { return SSL_get_version(stream_.native_handle()); }
  // The name that the client asked for (SNI), "" without.
  std::string asked_for() {
    const char* name = SSL_get_servername(stream_.native_handle(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }

 private:
  static boost::asio::ssl::context context_of(const TlsDoorOptions& options) {
    namespace ssl = boost::asio::ssl;
    ssl::context context(ssl::context::tls_server);
    context.use_certificate_chain_file(options.pair.certificate);
    context.use_private_key_file(options.pair.key, ssl::context::pem);
    if (!options.client_authority.empty()) {
      context.load_verify_file(options.client_authority);
      context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    }
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context.native_handle(), options.version);
      SSL_CTX_set_max_proto_version(context.native_handle(), options.version);
    }
    return context;
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket&> stream_;
};

}  // namespace weir::http
