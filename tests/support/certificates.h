// Certificates of a test, made by the openssl command as an operator would make them.
#pragma once

#include <string>
#include <string_view>

#include "support/temp_dir.h"

namespace weir::test {

// The files of one certificate.
struct Pair {
  std::string certificate, key;
};

// What to put into a certificate.
struct CertificateWish {
  std::string subject = "/O=Weir/CN=someone";  // as `openssl -subj` wants it
  std::string names = "DNS:localhost,IP:127.0.0.1";
  int days = 30;  // negative: it has expired
  bool rsa = false;
};

// A certificate authority with a folder of its own. Throws std::runtime_error when openssl refuses.
class Authority {
 public:
  explicit Authority(std::string name = "Weir Test Authority");

  // The certificate to trust.
  std::string file() const { return folder_ / "authority.pem"; }
  // A new certificate, in files called NAME.pem and NAME.key of this folder.
  Pair issue(const std::string& name, const CertificateWish& wish = {}) const;
  std::string path(std::string_view name) const { return folder_ / name; }

 private:
  TempDir folder_;
  std::string name_;
};

}  // namespace weir::test
