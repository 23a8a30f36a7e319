// What one side of a TLS connection shows and whom it trusts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "weir/tls/certificate.h"

struct WOLFSSL_CTX;

namespace weir::tls {

enum class Role : uint8_t { kServer, kClient };
enum class PeerCertificate : uint8_t { kNone, kOptional, kRequired };
enum class Version : uint8_t { kTls12, kTls13 };

// As an operator configures it. All files are PEM, relative to the working folder.
struct Settings {
  Role role = Role::kServer;
  std::string certificate;  // the leaf first, then what leads to its authority. A client may have none
  std::string key;          // of the leaf, not encrypted
  std::string authorities;  // who signs the peers. A client without: the system's
  PeerCertificate peer_certificate = PeerCertificate::kNone;  // a server's; a client always wants one
  Version minimum_version = Version::kTls12;
};

// What is wrong with Settings.
struct Fault {
  enum class Where : uint8_t { kCertificate, kKey, kAuthorities, kElsewhere };
  Where where = Where::kElsewhere;
  std::string text;  // names the file and says what to do
};

// Loaded and checked settings. Does not change: sessions keep the one they began with. Any thread.
// There is no resumption, neither by tickets nor by a cache: a resumed session has no client certificate to
// look at, and would go on after the certificate's authority is no longer trusted.
class Credentials {
 public:
  // Null when something is wrong, and then *fault says what.
  static std::shared_ptr<const Credentials> load(const Settings& settings, Fault* fault);
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials();

  Role role() const { return role_; }
  // Of our own leaf; nothing in it when there is none.
  const Certificate& certificate() const { return certificate_; }
  WOLFSSL_CTX* context() const { return context_; }

 private:
  explicit Credentials(Role role);
  bool fill(const Settings& settings, Fault* fault);
  bool set_up(Version minimum_version, Fault* fault);
  bool take_pair(const Settings& settings, Fault* fault);
  static std::string try_pair(const std::string& chain, const std::string& key);
  bool take_authorities(const Settings& settings, Fault* fault);

  const Role role_;
  WOLFSSL_CTX* context_ = nullptr;
  Certificate certificate_;
};

}  // namespace weir::tls
