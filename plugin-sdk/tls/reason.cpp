#include "reason.h"

#include "wolfssl.h"

namespace weir::tls {
namespace {

// RFC 8446 section 6.2, RFC 5246 section 7.2.2.
const char* alert_text(int alert) {
  switch (alert) {
    case close_notify:
      return "that it gives up";
    case handshake_failure:
      return "that there is nothing in common to agree on";
    case bad_certificate:
      return "that our certificate is bad";
    case unsupported_certificate:
      return "that it does not support our certificate";
    case certificate_revoked:
      return "that our certificate is revoked";
    case certificate_expired:
      return "that our certificate has expired";
    case certificate_unknown:
      return "that it does not accept our certificate";
    case unknown_ca:
      return "that it does not know the authority of our certificate";
    case access_denied:
      return "that access is denied";
    case protocol_version:
      return "that it does not speak our TLS versions";
    case insufficient_security:
      return "that our ciphers are too weak";
    case unrecognized_name:
      return "that it does not have the name that was asked for";
    case certificate_required:
      return "that it wants a certificate of ours";
    case user_canceled:
      return "that its user has cancelled";
    default:
      return nullptr;
  }
}

// wolfSSL's own; for a certificate it can also be one of OpenSSL's positive numbers.
std::string words_of(int code) {
  return code < 0 ? wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(code))
                  : wolfSSL_X509_verify_cert_error_string(code);
}

const char* peer_of(Role role) { return role == Role::kServer ? "client" : "server"; }

std::string who(const Failure& failure) {
  std::string text = std::string("the ") + peer_of(failure.role) + "'s certificate";
  if (failure.judged != nullptr && !failure.judged->subject.empty()) text += " " + failure.judged->subject;
  return text;
}

Problem about_certificate(const Failure& failure, int code) {
  const Certificate* judged = failure.judged;
  switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E: {
      std::string text = who(failure) + " is not signed by an authority that is trusted here";
      if (judged != nullptr && !judged->issuer.empty()) text += "; it names " + judged->issuer;
      return {Cause::kUnknownAuthority, text};
    }
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case ASN_SIG_CONFIRM_E:
      return {Cause::kUnknownAuthority,
              who(failure) + " names an authority that is trusted here, but is not signed by it"};
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case ASN_AFTER_DATE_E:
      return {Cause::kExpired, who(failure) + " has expired" +
                                   (judged != nullptr ? " at " + utc_text(judged->not_after) : "")};
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case ASN_BEFORE_DATE_E:
      return {Cause::kNotYetValid,
              who(failure) + " is not valid yet" +
                  (judged != nullptr ? ", but from " + utc_text(judged->not_before) : "") +
                  "; does this machine's clock go right?"};
    case DOMAIN_NAME_MISMATCH:
    case IPADDR_MISMATCH:
      return {Cause::kWrongName, who(failure) + " is not for " + std::string(failure.peer_name)};
    default:
      return {Cause::kBadCertificate, who(failure) + " is refused: " + words_of(code)};
  }
}

}  // namespace

Problem problem_of(const Failure& failure) {
  const std::string peer = std::string("the ") + peer_of(failure.role);
  switch (failure.code) {
    case NO_PEER_CERT:
    case NO_PEER_VERIFY:
      return {Cause::kNoCertificate, peer + " showed no certificate"};
    case VERSION_ERROR:
    case UNSUPPORTED_PROTO_VERSION:
      return {Cause::kOldVersion, peer + " speaks no TLS version that is allowed here"};
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case KEY_SHARE_ERROR:
    case ECC_CURVE_ERROR:
      return {Cause::kNoCipher, peer + " and this side have no cipher suite or key exchange in common"};
    default:
      break;
  }
  const bool by_alert = failure.code == FATAL_ERROR || failure.code == ZERO_RETURN;
  const bool nonsense = failure.code == UNKNOWN_RECORD_TYPE || failure.code == PARSE_ERROR;
  if (by_alert || (nonsense && failure.alert >= 0)) {
    const char* said = alert_text(failure.alert);
    return {Cause::kRefusedByPeer,
            peer + " said " + (said != nullptr ? said : "no, by the alert " + std::to_string(failure.alert))};
  }
  if (nonsense && !failure.answered) return {Cause::kNotTls, peer + " does not speak TLS"};
  if (failure.judgement != 0) return about_certificate(failure, failure.judgement);
  if (failure.code == DOMAIN_NAME_MISMATCH || failure.code == IPADDR_MISMATCH)
    return about_certificate(failure, failure.code);
  if (failure.peer_closed) {
    return {Cause::kClosed, peer + (failure.established ? " ended the connection without saying so"
                                                        : " ended the connection during the handshake")};
  }
  return {Cause::kProtocol, peer + (failure.established ? "'s data" : "'s handshake") +
                                " is refused: " + words_of(failure.code)};
}

}  // namespace weir::tls
