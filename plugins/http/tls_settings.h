// The part "tls" of a configuration, as far as source and sink have it alike, and the credentials that come of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config_keys.h"
#include "weir/tls/reloading.h"

namespace weir::http {

// Reads certificate, key and minimum_version, and the authorities under the key `authorities`.
void read_tls(ConfigKeys& keys, const char* authorities, tls::Settings* settings);

// Null without settings. Throws sdk::Failure that names the key whose file is wrong; `authorities` as for read_tls.
std::unique_ptr<tls::ReloadingCredentials> load_credentials(const std::optional<tls::Settings>& settings,
                                                            const char* authorities);

// When the certificate of our own ends, Unix seconds; 0 without one. For a metric.
double not_after(const tls::Credentials& credentials);

// What the log says of certificates that were replaced on disk: they are in use now, or they are not, because of *fault.
std::string replaced_text(const tls::Credentials& in_use, const tls::Fault* fault);

}  // namespace weir::http
