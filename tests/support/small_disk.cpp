#include "support/small_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>

#include "support/temp_dir.h"

namespace weir::test {
namespace {

constexpr int kPassedCode = 0, kFailedCode = 1, kNotPermittedCode = 77;

bool write_file(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

// A user namespace in which this process may mount; user_namespaces(7).
bool enter_namespaces() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", "0 " + user + " 1") &&
         write_file("/proc/self/gid_map", "0 " + group + " 1");
}

int run_body(uint64_t bytes, const std::string& folder, const std::function<void(const std::string&)>& body) {
  const std::string options = "size=" + std::to_string(bytes);
  if (!enter_namespaces() || ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    return kNotPermittedCode;
  }
  try {
    body(folder);
  } catch (const std::exception& exception) {
    ADD_FAILURE() << "the body threw: " << exception.what();
  }
  return ::testing::Test::HasFailure() ? kFailedCode : kPassedCode;
}

}  // namespace

OnSmallDisk run_on_small_disk(uint64_t bytes, const std::function<void(const std::string& folder)>& body) {
  const TempDir mount_point;
  const pid_t child = ::fork();
  if (child == 0) {
    const int code = run_body(bytes, mount_point.path().string(), body);
    std::fflush(nullptr);
    ::_exit(code);  // no destructors: they are the parent's
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == kPassedCode) return OnSmallDisk::kPassed;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotPermittedCode) return OnSmallDisk::kNotPermitted;
  return OnSmallDisk::kFailed;
}

}  // namespace weir::test
