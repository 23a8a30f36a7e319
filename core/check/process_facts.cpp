#include "check/process_facts.h"

#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <cstring>
#include <filesystem>
#include <fstream>

extern char** environ;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEIR_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_SANITIZED 1
#endif
#endif
#ifdef WEIR_SANITIZED
// Of the sanitizers' run time, which has an allocator of its own.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace weir::check {

size_t count_threads() {
  size_t n = 0;
  std::error_code gone;
  for (auto it = std::filesystem::directory_iterator("/proc/self/task", gone); it != std::filesystem::directory_iterator();
       it.increment(gone)) {
    ++n;
  }
  return n;
}

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> all;
  std::error_code gone;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", gone); it != std::filesystem::directory_iterator();
       it.increment(gone)) {
    std::error_code failed;
    const std::string target = std::filesystem::read_symlink(it->path(), failed);
    // The one of this listing is closed by now.
    if (!failed && !target.ends_with("/fd")) all[std::stoi(it->path().filename())] = target;
  }
  return all;
}

size_t heap_bytes() {
#ifdef WEIR_SANITIZED
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

bool is_sanitized() {
#ifdef WEIR_SANITIZED
  return true;
#else
  return false;
#endif
}

std::map<std::string, std::string> shared_state() {
  std::map<std::string, std::string> all;
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (::sigaction(number, nullptr, &action) != 0) continue;
    const char* name = ::sigabbrev_np(number);
    all[std::string("the action of SIG") + (name != nullptr ? name : std::to_string(number))] =
        action.sa_handler == SIG_DFL ? "default" : action.sa_handler == SIG_IGN ? "ignored" : "a handler";
  }
  std::error_code gone;
  all["the working folder"] = std::filesystem::current_path(gone);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  all["the umask"] = std::to_string(mask);
  all["the locale"] = std::setlocale(LC_ALL, nullptr);
  all["the rounding of numbers"] = std::to_string(std::fegetround());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    all["the environment variable " + text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
  }
  return all;
}

}  // namespace weir::check
