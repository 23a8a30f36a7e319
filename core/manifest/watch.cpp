#include "manifest/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "manifest/folder.h"

namespace weir::manifest {
namespace {

// A file that was written (CLOSE_WRITE), exchanged by a rename (MOVED_TO), taken away (DELETE, MOVED_FROM),
// or came as a link (CREATE: a link is never written). A new file's CREATE comes early and its CLOSE_WRITE
// after it.
constexpr uint32_t kFileEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE;
constexpr uint32_t kFolderGone = IN_DELETE_SELF | IN_MOVE_SELF;
// In the parent: the folder comes back, or is a link that is led elsewhere. ATTRIB tells of a deleted parent.
constexpr uint32_t kParentEvents = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;

std::filesystem::path without_slash(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto path = std::filesystem::absolute(folder, ignored).lexically_normal();
  return path.filename().empty() ? path.parent_path() : path;
}

}  // namespace

FolderWatch::FolderWatch(int fd, std::filesystem::path folder) : fd_(fd), folder_(std::move(folder)) {}

FolderWatch::~FolderWatch() { ::close(fd_); }

base::Result<std::unique_ptr<FolderWatch>> FolderWatch::open(const std::filesystem::path& folder) {
  const auto failed = [&](const char* what) {
    return base::error(base::Code::kUnavailable,
                       std::string(what) + ": " + std::generic_category().message(errno), folder.string(),
                       "changes are not noticed; see fs.inotify.max_user_instances and max_user_watches");
  };
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return failed("cannot watch folders");
  std::unique_ptr<FolderWatch> watch(new FolderWatch(fd, without_slash(folder)));
  watch->parent_watch_ =
      ::inotify_add_watch(fd, watch->folder_.parent_path().c_str(), kParentEvents | IN_ONLYDIR);
  if (watch->parent_watch_ < 0) return failed("cannot watch the folder around it");
  watch->watch_folder();
  if (!watch->folder_exists() && errno != ENOENT && errno != ENOTDIR) return failed("cannot watch it");
  return watch;
}

void FolderWatch::watch_folder() {
  folder_watch_ = ::inotify_add_watch(fd_, folder_.c_str(), kFileEvents | kFolderGone | IN_ONLYDIR);
}

bool FolderWatch::handle(int watch, uint32_t mask, const std::string& name) {
  if ((mask & IN_Q_OVERFLOW) != 0) return true;  // some were lost: anything may have happened
  if (watch == parent_watch_) {
    if (name != folder_.filename()) return false;
    // The place was taken by another folder or link, or emptied. Watching the same folder again changes
    // nothing.
    const int before = folder_watch_;
    watch_folder();
    if (before >= 0 && before != folder_watch_) ::inotify_rm_watch(fd_, before);
    return true;
  }
  if (watch != folder_watch_) return false;  // the rest of a folder that has gone
  if ((mask & (kFolderGone | IN_IGNORED)) != 0) {
    // Moved away it is still watched, which would tell of the wrong folder; or already another is at its
    // place.
    if ((mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(fd_, folder_watch_);
    watch_folder();
    return true;
  }
  return !is_passing_file(name);
}

bool FolderWatch::drain() {
  alignas(inotify_event) char buffer[16 * 1024];
  bool changed = false;
  while (true) {
    const ssize_t count = ::read(fd_, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return changed;
    for (const char* at = buffer; at < buffer + count;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* name = at + sizeof event;
      if (handle(event.wd, event.mask, event.len > 0 ? name : "")) changed = true;
      at += sizeof event + event.len;
    }
  }
}

}  // namespace weir::manifest
