#include "weir/tls/reloading.h"

#include <sys/stat.h>

namespace weir::tls {

std::unique_ptr<ReloadingCredentials> ReloadingCredentials::load(const Settings& settings, Fault* fault) {
  std::unique_ptr<ReloadingCredentials> made(new ReloadingCredentials(settings));
  // Before the files are read: what changes after that is seen at the next look.
  made->tried_ = made->seen_ = made->stamps();
  made->current_ = Credentials::load(settings, fault);
  return made->current_ != nullptr ? std::move(made) : nullptr;
}

ReloadingCredentials::Change ReloadingCredentials::look(Fault* fault) {
  const Stamps now = stamps();
  const bool stands_still = now == seen_;
  seen_ = now;
  if (now == tried_ || !stands_still) return Change::kNone;
  tried_ = now;
  auto loaded = Credentials::load(settings_, fault);
  if (loaded == nullptr) return Change::kRefused;
  current_ = std::move(loaded);
  return Change::kReplaced;
}

ReloadingCredentials::Stamps ReloadingCredentials::stamps() const {
  constexpr int64_t kSecond = 1'000'000'000;
  Stamps all;
  size_t i = 0;
  for (const std::string* file : {&settings_.certificate, &settings_.key, &settings_.authorities}) {
    Stamp& stamp = all[i++];
    struct stat found {};
    if (file->empty() || ::stat(file->c_str(), &found) != 0) continue;
    stamp = {found.st_dev, found.st_ino, static_cast<uint64_t>(found.st_size),
             found.st_mtim.tv_sec * kSecond + found.st_mtim.tv_nsec,
             found.st_ctim.tv_sec * kSecond + found.st_ctim.tv_nsec};
  }
  return all;
}

}  // namespace weir::tls
