#include "manifest/file_text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace weir::manifest {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

base::Error failed(int number) {
  const base::Code code = number == ENOENT || number == ENOTDIR ? base::Code::kNotFound : base::Code::kDenied;
  return base::error(code, "cannot be read: " + std::generic_category().message(number));
}

}  // namespace

base::Result<std::string> read_file_text(const std::filesystem::path& path, size_t max_bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return failed(errno);
  // Before it is opened: opening a device can already do something.
  if (!S_ISREG(status.st_mode)) return base::error(base::Code::kInvalid, "is not a regular file");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return failed(errno);
  if (::fstat(file.get(), &status) != 0) return failed(errno);
  if (!S_ISREG(status.st_mode)) return base::error(base::Code::kInvalid, "is not a regular file");
  std::string text;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(errno);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > max_bytes) {
      return base::error(base::Code::kInvalid, "is larger than " + std::to_string(max_bytes / 1024) + " KiB");
    }
  }
}

}  // namespace weir::manifest
