#include "base/thread.h"

#include <pthread.h>

#include <utility>

namespace weir::base {

std::thread start_thread(const std::string& name, std::function<void()> body) {
  constexpr size_t kLongest = 15;
  return std::thread([name = name.substr(0, kLongest), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    body();
  });
}

}  // namespace weir::base
