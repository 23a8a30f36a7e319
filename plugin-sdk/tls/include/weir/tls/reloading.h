// Credentials whose files are replaced while they are in use.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "weir/tls/credentials.h"

namespace weir::tls {

// New sessions get the newest credentials that were sound, old ones go on with theirs. One thread.
class ReloadingCredentials {
 public:
  // How often to look(): new files are in use after two looks.
  static constexpr int kLookSeconds = 1;

  enum class Change : uint8_t { kNone, kReplaced, kRefused };

  // Null when the files are not sound now, and then *fault says why.
  static std::unique_ptr<ReloadingCredentials> load(const Settings& settings, Fault* fault);

  const std::shared_ptr<const Credentials>& current() const { return current_; }
  // Looks whether the files have changed. A change is taken when it has stood still from one look to the
  // next, because a certificate and its key are replaced one after the other. When what is there then is
  // wrong, the old one stays in use until the files change again. *fault belongs to kRefused.
  Change look(Fault* fault);

 private:
  struct Stamp {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified_ns = 0, changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::array<Stamp, 3>;
  explicit ReloadingCredentials(const Settings& settings) : settings_(settings) {}
  Stamps stamps() const;

  const Settings settings_;
  std::shared_ptr<const Credentials> current_;
  Stamps tried_;  // what current_ was read from, or what was refused
  Stamps seen_;   // at the last look
};

}  // namespace weir::tls
