// One TLS connection over memory: ciphertext goes in by feed() and comes out by output(); the socket is the
// owner's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "weir/tls/credentials.h"
#include "weir/tls/problem.h"

struct WOLFSSL;
struct WOLFSSL_X509_STORE_CTX;

namespace weir::tls {

enum class Status : uint8_t {
  kDone,    // handshake: over. read: there are bytes
  kMore,    // feed() more, and come again
  kEnd,     // read: the peer has said that nothing more comes
  kFailed,  // problem() says why; send what is in output(), then close
};

// After every call send what is in output(): even reading can make something to say. One thread at a time.
class Session {
 public:
  // `peer_name`: a client's: the host name or the IP address that the server's certificate must be for, also
  // sent as SNI. Throws std::bad_alloc.
  explicit Session(std::shared_ptr<const Credentials> credentials, std::string_view peer_name = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Bytes from the peer. What read() does not get to is kept: feed only after kMore, and memory stays at one
  // record.
  void feed(std::string_view ciphertext);
  // The peer has closed its side. Calls that need more fail from now on (an end that was announced is kEnd).
  void feed_end() { ended_ = true; }
  // Bytes for the peer, valid until the next call. sent(n) drops the first n.
  std::string_view output() const { return std::string_view(output_).substr(output_at_); }
  void sent(size_t bytes);

  // Once kDone the other calls work. A client of TLS 1.3 is done before the server has looked at its
  // certificate: a refusal comes as kFailed of read().
  Status handshake();
  bool established() const { return established_; }
  // Decrypts up to `capacity` bytes into `to`.
  Status read(char* to, size_t capacity, size_t* bytes);
  // True when read() may have something without being fed.
  bool readable() const;
  // Encrypts all of it into output(). False: failed.
  bool write(std::string_view plain);
  // Says that nothing more comes (close_notify).
  void close();

  const Problem& problem() const { return problem_; }
  // Of the peer's certificate, RFC 4514; "" when it showed none. Once established.
  const std::string& peer_subject() const { return peer_subject_; }
  // "TLSv1.3". Once established.
  std::string_view version() const;

 private:
  friend int receive_callback(WOLFSSL*, char* to, int size, void* self);
  friend int send_callback(WOLFSSL*, char* from, int size, void* self);
  friend int verify_callback(int sound, WOLFSSL_X509_STORE_CTX* store);

  Status failed(int result);
  bool finish();
  void note_open_alert(std::string_view ciphertext);

  const std::shared_ptr<const Credentials> credentials_;
  const std::string peer_name_;
  WOLFSSL* ssl_;
  std::string input_, output_;
  size_t input_at_ = 0, output_at_ = 0;
  int open_alert_ = -1;    // the peer's last word during the handshake, when it was an alert
  bool answered_ = false;  // something of ours has been sent
  bool ended_ = false, established_ = false, closed_ = false;
  Certificate judged_;  // the peer's certificate that was refused
  int judgement_ = 0;   // wolfSSL's code for why
  Problem problem_;
  std::string peer_subject_;
};

}  // namespace weir::tls
