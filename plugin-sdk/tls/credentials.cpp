#include "weir/tls/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "callbacks.h"
#include "weir/tls/session.h"
#include "wolfssl.h"

namespace weir::tls {
namespace {

constexpr size_t kMaxFileBytes = 4 * 1024 * 1024;  // the system's authorities are a tenth of it
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

// Forward secrecy and authenticated encryption only. ChaCha20 first: this wolfSSL has no AES instructions,
// and then it is two to three times as fast. The server's order counts.
constexpr const char* kCiphers =
    "TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

// One line, whatever the files are called.
bool fail(Fault* fault, Fault::Where where, std::string text) {
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  *fault = {where, std::move(text)};
  return false;
}

// Once a library or program, and given back when it is unloaded: each beginning anew was seen to leave some 30 bytes
// behind.
void use_library() {
  struct Library {
    Library() {
      if (wolfSSL_Init() != WOLFSSL_SUCCESS) throw std::bad_alloc();
    }
    ~Library() { wolfSSL_Cleanup(); }
  };
  static const Library library;
}

std::string why(int result) {
  char text[WOLFSSL_MAX_ERROR_SZ] = "";
  wolfSSL_ERR_error_string_n(static_cast<unsigned long>(result), text, sizeof text);
  wolfSSL_ERR_clear_error();  // the queue belongs to the thread, and nobody else empties it
  return text;
}

std::optional<std::string> read_file(const std::string& path, Fault::Where where, Fault* fault) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    fail(fault, where, path + " cannot be read: " + std::strerror(errno));
    return std::nullopt;
  }
  std::string content;
  char piece[16 * 1024];
  ssize_t n = 0;
  while (content.size() <= kMaxFileBytes && (n = ::read(fd, piece, sizeof piece)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    content.append(piece, static_cast<size_t>(n));
  }
  const int number = errno;
  ::close(fd);
  if (n < 0) {
    fail(fault, where, path + " cannot be read: " + std::strerror(number));
    return std::nullopt;
  }
  if (content.size() > kMaxFileBytes) {
    fail(fault, where, path + " is over 4 MiB, which no certificate or key is");
    return std::nullopt;
  }
  return content;
}

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
long size(const std::string& text) { return static_cast<long>(text.size()); }

}  // namespace

std::shared_ptr<const Credentials> Credentials::load(const Settings& settings, Fault* fault) {
  std::shared_ptr<Credentials> made(new Credentials(settings.role));
  return made->fill(settings, fault) ? made : nullptr;
}

Credentials::Credentials(Role role) : role_(role) {
  use_library();
  context_ = wolfSSL_CTX_new(role == Role::kServer ? wolfTLS_server_method() : wolfTLS_client_method());
  if (context_ == nullptr) throw std::bad_alloc();
}

Credentials::~Credentials() { wolfSSL_CTX_free(context_); }

bool Credentials::fill(const Settings& settings, Fault* fault) {
  return set_up(settings.minimum_version, fault) && take_pair(settings, fault) &&
         take_authorities(settings, fault);
}

bool Credentials::set_up(Version minimum_version, Fault* fault) {
  const int oldest = minimum_version == Version::kTls13 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2;
  wolfSSL_CTX_set_session_cache_mode(context_, WOLFSSL_SESS_CACHE_OFF);
  bool done = wolfSSL_CTX_SetMinVersion(context_, oldest) == WOLFSSL_SUCCESS &&
              wolfSSL_CTX_set_cipher_list(context_, kCiphers) == WOLFSSL_SUCCESS;
  if (role_ == Role::kServer) {
    done = done && wolfSSL_CTX_NoTicketTLSv12(context_) == WOLFSSL_SUCCESS &&
           wolfSSL_CTX_no_ticket_TLSv13(context_) == 0;
  }
  if (!done) return fail(fault, Fault::Where::kElsewhere, "this wolfSSL cannot do what TLS 1.2 and 1.3 need");
  wolfSSL_CTX_SetIORecv(context_, &receive_callback);
  wolfSSL_CTX_SetIOSend(context_, &send_callback);
  return true;
}

bool Credentials::take_pair(const Settings& settings, Fault* fault) {
  using Where = Fault::Where;
  if (settings.certificate.empty() && settings.key.empty() && role_ == Role::kClient) return true;
  if (settings.certificate.empty()) return fail(fault, Where::kCertificate, "a certificate file is missing");
  if (settings.key.empty())
    return fail(fault, Where::kKey, "the file with the certificate's private key is missing");
  const auto chain = read_file(settings.certificate, Where::kCertificate, fault);
  if (!chain) return false;
  const auto key = read_file(settings.key, Where::kKey, fault);
  if (!key) return false;
  if (const int result = wolfSSL_CTX_use_certificate_chain_buffer(context_, bytes(*chain), size(*chain));
      result != WOLFSSL_SUCCESS) {
    return fail(fault, Where::kCertificate,
                settings.certificate + " holds no certificate in PEM form (" + why(result) + ")");
  }
  if (key->find("ENCRYPTED") != std::string::npos) {
    return fail(fault, Where::kKey,
                settings.key + " is encrypted; store the key without a pass phrase, readable by Weir only");
  }
  if (const int result =
          wolfSSL_CTX_use_PrivateKey_buffer(context_, bytes(*key), size(*key), WOLFSSL_FILETYPE_PEM);
      result != WOLFSSL_SUCCESS) {
    return fail(fault, Where::kKey, settings.key + " holds no private key in PEM form (" + why(result) + ")");
  }
  if (const std::string reason = try_pair(*chain, *key); !reason.empty()) {
    return fail(
        fault, Where::kKey,
        settings.key + " is not the key of the certificate in " + settings.certificate + " (" + reason + ")");
  }
  if (auto leaf = read_certificate_pem(*chain)) certificate_ = std::move(*leaf);
  return true;
}

// Shakes hands with itself: wolfSSL_CTX_check_private_key was seen to say yes to a wrong elliptic key. Gives
// what went wrong, "" when nothing did.
std::string Credentials::try_pair(const std::string& chain, const std::string& key) {
  std::shared_ptr<Credentials> server(new Credentials(Role::kServer)), client(new Credentials(Role::kClient));
  Fault unused;
  if (!server->set_up(Version::kTls13, &unused) || !client->set_up(Version::kTls13, &unused))
    return unused.text;
  wolfSSL_CTX_use_certificate_chain_buffer(server->context_, bytes(chain), size(chain));
  wolfSSL_CTX_use_PrivateKey_buffer(server->context_, bytes(key), size(key), WOLFSSL_FILETYPE_PEM);
  wolfSSL_CTX_set_verify(client->context_, WOLFSSL_VERIFY_NONE, nullptr);
  Session asking(client), answering(server);
  asking.handshake();
  answering.feed(asking.output());
  answering.handshake();
  asking.feed(answering.output());
  if (asking.handshake() == Status::kDone) return "";
  return (asking.problem().cause != Cause::kNone ? asking : answering).problem().text;
}

bool Credentials::take_authorities(const Settings& settings, Fault* fault) {
  const bool client = role_ == Role::kClient;
  if (!client && settings.peer_certificate == PeerCertificate::kNone) {
    wolfSSL_CTX_set_verify(context_, WOLFSSL_VERIFY_NONE, nullptr);
    return true;
  }
  std::string path = settings.authorities;
  if (path.empty() && client) path = kSystemAuthorities;
  if (path.empty())
    return fail(fault, Fault::Where::kAuthorities, "the file with the clients' authorities is missing");
  const auto authorities = read_file(path, Fault::Where::kAuthorities, fault);
  if (!authorities) return false;
  // Of the system's many some may be out of date; of the operator's own none should be.
  const word32 flags =
      settings.authorities.empty() ? WOLFSSL_LOAD_FLAG_IGNORE_ERR | WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY : 0;
  if (const int result = wolfSSL_CTX_load_verify_buffer_ex(context_, bytes(*authorities), size(*authorities),
                                                           WOLFSSL_FILETYPE_PEM, 0, flags);
      result != WOLFSSL_SUCCESS) {
    return fail(fault, Fault::Where::kAuthorities,
                path + " holds no sound certificate in PEM form (" + why(result) + ")");
  }
  const bool required = client || settings.peer_certificate == PeerCertificate::kRequired;
  wolfSSL_CTX_set_verify(context_, WOLFSSL_VERIFY_PEER | (required ? WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                         &verify_callback);
  return true;
}

}  // namespace weir::tls
