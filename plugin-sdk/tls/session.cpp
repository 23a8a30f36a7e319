#include "weir/tls/session.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "callbacks.h"
#include "reason.h"
#include "wolfssl.h"

namespace weir::tls {
namespace {

// A buffer that has been emptied keeps this much for the next record.
constexpr size_t kKeptBytes = 4 * 1024;

void drop_front(std::string& buffer, size_t& at, size_t bytes) {
  at += bytes;
  if (at < buffer.size()) return;
  at = 0;
  if (buffer.capacity() > kKeptBytes) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

bool is_address(const std::string& name) {
  unsigned char address[16];
  return ::inet_pton(AF_INET, name.c_str(), address) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), address) == 1;
}

// As wolfSSL writes the addresses of a certificate, which it compares as text: an IPv6 one in full, in capitals.
std::string certificate_form(const std::string& address) {
  unsigned char bytes[16];
  if (::inet_pton(AF_INET6, address.c_str(), bytes) != 1) return address;
  std::string text;
  for (size_t i = 0; i < sizeof bytes; ++i) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    if (i > 0 && i % 2 == 0) text += ':';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::optional<Certificate> facts_of(WOLFSSL_X509* x509) {
  int size = 0;
  const unsigned char* der = x509 != nullptr ? wolfSSL_X509_get_der(x509, &size) : nullptr;
  if (der == nullptr || size <= 0) return std::nullopt;
  return read_certificate({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
}

}  // namespace

int receive_callback(WOLFSSL*, char* to, int size, void* self) {
  Session& session = *static_cast<Session*>(self);
  const size_t bytes = std::min(session.input_.size() - session.input_at_, static_cast<size_t>(size));
  if (bytes == 0) return session.ended_ ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_WANT_READ;
  std::memcpy(to, session.input_.data() + session.input_at_, bytes);
  drop_front(session.input_, session.input_at_, bytes);
  return static_cast<int>(bytes);
}

int send_callback(WOLFSSL*, char* from, int size, void* self) {
  try {
    static_cast<Session*>(self)->output_.append(from, static_cast<size_t>(size));
    return size;
  } catch (const std::bad_alloc&) {
    return WOLFSSL_CBIO_ERR_GENERAL;
  }
}

// Called for every certificate of the peer's chain. Only remembers what wolfSSL thinks of it.
int verify_callback(int sound, WOLFSSL_X509_STORE_CTX* store) {
  if (sound == 1) return 1;
  Session& session = *static_cast<Session*>(store->userCtx);
  session.judgement_ = store->error;
  try {
    if (auto facts = facts_of(store->current_cert)) session.judged_ = std::move(*facts);
  } catch (const std::bad_alloc&) {
  }
  return 0;
}

Session::Session(std::shared_ptr<const Credentials> credentials, std::string_view peer_name)
    : credentials_(std::move(credentials)),
      peer_name_(peer_name),
      ssl_(wolfSSL_new(credentials_->context())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  wolfSSL_SetIOReadCtx(ssl_, this);
  wolfSSL_SetIOWriteCtx(ssl_, this);
  wolfSSL_SetCertCbCtx(ssl_, this);
  if (peer_name_.empty() || is_address(peer_name_)) return;
  const auto size = static_cast<unsigned short>(std::min<size_t>(peer_name_.size(), 255));
  const bool done = wolfSSL_UseSNI(ssl_, WOLFSSL_SNI_HOST_NAME, peer_name_.data(), size) == WOLFSSL_SUCCESS &&
                    wolfSSL_check_domain_name(ssl_, peer_name_.c_str()) == WOLFSSL_SUCCESS;
  if (done) return;
  wolfSSL_free(ssl_);
  throw std::bad_alloc();
}

Session::~Session() { wolfSSL_free(ssl_); }

void Session::feed(std::string_view ciphertext) {
  input_.append(ciphertext);
  if (!established_) note_open_alert(ciphertext);
}

// A client of OpenSSL's that refuses our certificate in TLS 1.3 says so by an alert that is not encrypted
// yet, which wolfSSL takes for nonsense (RFC 8446 section 5.1: type, version, length 2, level, description).
// Only for the log.
void Session::note_open_alert(std::string_view ciphertext) {
  constexpr size_t kAlertBytes = 7;
  if (ciphertext.size() < kAlertBytes) return;
  const std::string_view last = ciphertext.substr(ciphertext.size() - kAlertBytes);
  if (last.starts_with("\x15\x03") && last[3] == 0 && last[4] == 2)
    open_alert_ = static_cast<uint8_t>(last[6]);
}

void Session::sent(size_t bytes) {
  answered_ = answered_ || bytes > 0;
  drop_front(output_, output_at_, bytes);
}

Status Session::handshake() {
  if (established_) return Status::kDone;
  if (problem_.cause != Cause::kNone) return Status::kFailed;
  const int result = credentials_->role() == Role::kServer ? wolfSSL_accept(ssl_) : wolfSSL_connect(ssl_);
  if (result != WOLFSSL_SUCCESS) return failed(result);
  return finish() ? Status::kDone : Status::kFailed;
}

// What is looked at once the handshake is over. False when the peer is not who it should be.
bool Session::finish() {
  WOLFSSL_X509* peer = wolfSSL_get_peer_certificate(ssl_);
  const auto facts = facts_of(peer);
  const bool wrong_address =
      is_address(peer_name_) &&
      (peer == nullptr || wolfSSL_X509_check_ip_asc(peer, certificate_form(peer_name_).c_str(), 0) != 1);
  if (peer != nullptr) wolfSSL_X509_free(peer);
  if (wrong_address) {
    if (facts) judged_ = *facts;
    judgement_ = IPADDR_MISMATCH;
    failed(0);
    close();
    return false;
  }
  if (facts) peer_subject_ = facts->subject;
  established_ = true;
  return true;
}

Status Session::read(char* to, size_t capacity, size_t* bytes) {
  *bytes = 0;
  if (problem_.cause != Cause::kNone) return Status::kFailed;
  constexpr size_t kMost = std::numeric_limits<int>::max();
  const int result = wolfSSL_read(ssl_, to, static_cast<int>(std::min(capacity, kMost)));
  if (result <= 0) return failed(result);
  *bytes = static_cast<size_t>(result);
  return Status::kDone;
}

bool Session::readable() const { return input_at_ < input_.size() || wolfSSL_pending(ssl_) > 0; }

bool Session::write(std::string_view plain) {
  if (problem_.cause != Cause::kNone) return false;
  constexpr size_t kMost = 1u << 30;
  while (!plain.empty()) {
    const int result = wolfSSL_write(ssl_, plain.data(), static_cast<int>(std::min(plain.size(), kMost)));
    if (result <= 0) return failed(result), false;
    plain.remove_prefix(static_cast<size_t>(result));
  }
  return true;
}

void Session::close() {
  if (std::exchange(closed_, true)) return;
  wolfSSL_shutdown(ssl_);  // says it, and does not wait for the peer's
  wolfSSL_ERR_clear_error();
}

std::string_view Session::version() const { return wolfSSL_get_version(ssl_); }

Status Session::failed(int result) {
  const int code = judgement_ == IPADDR_MISMATCH ? IPADDR_MISMATCH : wolfSSL_get_error(ssl_, result);
  wolfSSL_ERR_clear_error();  // the queue belongs to the thread, and nobody else empties it
  if (code == WOLFSSL_ERROR_WANT_READ) return Status::kMore;
  if (established_ && code == WOLFSSL_ERROR_ZERO_RETURN) return Status::kEnd;
  WOLFSSL_ALERT_HISTORY history{};
  wolfSSL_get_alert_history(ssl_, &history);
  Failure failure;
  failure.role = credentials_->role();
  failure.code = code;
  failure.judgement = judgement_;
  failure.alert = history.last_rx.code >= 0 ? history.last_rx.code : open_alert_;
  failure.answered = answered_;
  failure.established = established_;
  failure.peer_closed = ended_ && !readable();
  failure.peer_name = peer_name_;
  if (judgement_ != 0 && judged_.not_after != 0) failure.judged = &judged_;
  problem_ = problem_of(failure);
  return Status::kFailed;
}

}  // namespace weir::tls
