// Listening sockets belong to the host: an instance gets a duplicate, so the accept queue outlives a swap.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/result.h"
#include "weir/socket.h"

namespace weir::runtime {

class Sockets {
 public:
  ~Sockets();
  // A duplicate of the socket of this instance and spec, made when there is none yet. Any thread.
  base::Result<int> listen(const std::string& instance, uint32_t protocol, const std::string& address,
                           uint32_t backlog);
  // Closes what the instance had; those who have duplicates keep them.
  void release(const std::string& instance);

 private:
  struct Key {
    std::string instance;
    uint32_t protocol;
    std::string address;
    auto operator<=>(const Key&) const = default;
  };
  std::mutex mutex_;
  std::map<Key, int> sockets_;
};

}  // namespace weir::runtime
