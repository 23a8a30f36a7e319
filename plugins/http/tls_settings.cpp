#include "tls_settings.h"

namespace weir::http {

void read_tls(ConfigKeys& keys, const char* authorities, tls::Settings* settings) {
  settings->certificate = keys.text("certificate", "");
  settings->key = keys.text("key", "");
  settings->authorities = keys.text(authorities, "");
  settings->minimum_version =
      keys.word("minimum_version", {"1.2", "1.3"}, 0) == 0 ? tls::Version::kTls12 : tls::Version::kTls13;
}

std::unique_ptr<tls::ReloadingCredentials> load_credentials(const std::optional<tls::Settings>& settings,
                                                            const char* authorities) {
  if (!settings) return nullptr;
  tls::Fault fault;
  auto loaded = tls::ReloadingCredentials::load(*settings, &fault);
  if (loaded != nullptr) return loaded;
  using Where = tls::Fault::Where;
  const std::string key = fault.where == Where::kCertificate   ? "/certificate"
                          : fault.where == Where::kKey         ? "/key"
                          : fault.where == Where::kAuthorities ? "/" + std::string(authorities)
                                                               : "";
  fail_config("/tls" + key, fault.text);
}

double not_after(const tls::Credentials& credentials) {
  return static_cast<double>(credentials.certificate().not_after);
}

std::string replaced_text(const tls::Credentials& in_use, const tls::Fault* fault) {
  if (fault != nullptr) return "replaced certificates are not taken, the old ones stay in use: " + fault->text;
  const tls::Certificate& own = in_use.certificate();
  if (own.not_after == 0) return "took up replaced certificates of authorities";
  return "took up replaced certificates: " + own.subject + ", valid until " + tls::utc_text(own.not_after);
}

}  // namespace weir::http
