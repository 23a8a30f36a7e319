#include "check/trial.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace weir::check {
namespace {

// More of the same kind helps nobody.
constexpr size_t kMaxFindings = 8;
// The parent keeps the time.
constexpr base::Duration kForever = std::chrono::hours(1);

}  // namespace

bool Trial::load() {
  auto note = plugin::read_note(job_.file);
  if (!note) {
    find(note.error().what);
    return false;
  }
  Doing loading(board_, "loading (constructors, init, descriptors)", job_.call_limit);
  auto opened = plugin::Library::open(job_.file, *note, kForever);
  if (!opened) {
    find(opened.error().what + (opened.error().hint.empty() ? "" : " (" + opened.error().hint + ")"));
    return false;
  }
  library_ = std::move(*opened);
  if (!job_.component.empty()) component_ = library_->find(job_.component);
  return true;
}

base::Status Trial::unload() {
  Doing closing(board_, "unloading (deinit, destructors)", job_.call_limit);
  auto closed = library_->close();
  library_.reset();
  component_ = nullptr;
  return closed;
}

void Trial::find(std::string_view check, std::string what) {
  std::lock_guard lock(mutex_);
  auto& said = found_[std::string(check)];
  if (said.size() >= kMaxFindings || !said.insert(what).second) return;
  write({{"check", std::string(check)}, {"what", std::move(what)}});
}

void Trial::not_run(const std::string& why) {
  std::lock_guard lock(mutex_);
  write({{"not_run", why}});
}

void Trial::note(const std::string& text) {
  std::lock_guard lock(mutex_);
  write({{"note", text}});
}

void Trial::tell(const std::string& key, const std::string& value) {
  std::lock_guard lock(mutex_);
  write({{"tell", key}, {"value", value}});
}

bool Trial::clean() const {
  std::lock_guard lock(mutex_);
  return !found_.contains(job_.check);
}

void Trial::write(const std::map<std::string, std::string>& line) {
  std::string text =
      nlohmann::json(line).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  for (size_t at = 0; at < text.size();) {
    ssize_t n = ::write(fd_, text.data() + at, text.size() - at);
    if (n <= 0) return;  // nobody listens any more
    at += static_cast<size_t>(n);
  }
}

}  // namespace weir::check
