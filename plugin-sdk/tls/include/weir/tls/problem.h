// Why a handshake or a connection failed, in words for an operator.
#pragma once

#include <cstdint>
#include <string>

namespace weir::tls {

enum class Cause : uint8_t {
  kNone,
  kNoCertificate,     // the peer showed none
  kUnknownAuthority,  // the peer's is signed by nobody we trust
  kExpired,
  kNotYetValid,
  kBadCertificate,  // anything else that is wrong with the peer's
  kWrongName,       // the server is not the one that was asked for
  kOldVersion,      // no protocol version in common
  kNoCipher,        // no cipher suite or key exchange in common
  kRefusedByPeer,   // it sent an alert
  kNotTls,          // what came is no TLS; plain HTTP, for example
  kClosed,          // the peer ended the connection before the handshake was over
  kTooSlow,         // the handshake was not over at its deadline
  kCrowded,         // given up in favour of newer handshakes
  kProtocol         // anything else; the text has wolfSSL's word for it
};
inline constexpr size_t kCauses = static_cast<size_t>(Cause::kProtocol) + 1;

struct Problem {
  Cause cause = Cause::kNone;
  std::string text;  // one line
};

}  // namespace weir::tls
