// Names of certificates as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::tls {

// The text of a Name by RFC 4514, the last part first, as LDAP and `openssl -nameopt RFC2253` have it.
// `rdns`: what the outer SEQUENCE holds, DER. The text is UTF-8; control characters are escaped. Nothing when
// it is malformed.
std::optional<std::string> name_text(std::string_view rdns);

}  // namespace weir::tls
