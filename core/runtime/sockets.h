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
  // A duplicate of the socket of this instance and spec, made when there is none yet. Any thread. `use` is set to what
  // end_use() takes back.
  base::Result<int> listen(const std::string& instance, uint32_t protocol, const std::string& address,
                           uint32_t backlog, uint64_t* use = nullptr);
  // One who listened has gone. The socket stays, for a successor to find, until close_unused().
  void end_use(uint64_t use);
  // Closes what had users and has none any more: nobody would accept what connects there.
  void close_unused();
  // Closes what the instance had; those who have duplicates keep them.
  void release(const std::string& instance);

 private:
  struct Key {
    std::string instance;
    uint32_t protocol;
    std::string address;
    auto operator<=>(const Key&) const = default;
  };
  struct Socket {
    int fd = -1;
    uint64_t number = 0;  // never used twice
    uint32_t users = 0;
    bool used = false;
  };
  std::mutex mutex_;
  uint64_t next_ = 1;
  std::map<Key, Socket> sockets_;
};

}  // namespace weir::runtime
