#include "support/certificates.h"

#include <stdexcept>
#include <vector>

#include "support/process.h"

namespace weir::test {
namespace {

void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const Finished done = run(arguments);
  if (done.exit.code != 0) throw std::runtime_error("openssl " + arguments[1] + ": " + done.errors);
}

}  // namespace

Authority::Authority(std::string name) : name_(std::move(name)) {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
           "-subj", "/O=Weir/CN=" + name_, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout",
           path("authority.key"), "-out", file()});
}

Pair Authority::issue(const std::string& name, const CertificateWish& wish) const {
  const Pair pair{path(name + ".pem"), path(name + ".key")};
  const std::string request = path(name + ".csr");
  std::vector<std::string> ask = {"req",  "-new",  "-utf8",   "-nodes", "-subj",  wish.subject,
                                  "-out", request, "-keyout", pair.key, "-newkey"};
  if (wish.rsa) {
    ask.push_back("rsa:2048");
  } else {
    ask.insert(ask.end(), {"ec", "-pkeyopt", "ec_paramgen_curve:P-256"});
  }
  openssl(ask);
  const std::string extensions =
      folder_.write(name + ".ext", "basicConstraints=CA:FALSE\n" +
                                       (wish.names.empty() ? "" : "subjectAltName=" + wish.names + "\n"));
  openssl({"x509", "-req", "-in", request, "-CA", file(), "-CAkey", path("authority.key"), "-CAcreateserial",
           "-days", std::to_string(wish.days), "-extfile", extensions, "-out", pair.certificate});
  return pair;
}

}  // namespace weir::test
