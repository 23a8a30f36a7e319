// The admin port: HTTP on loopback for people and monitors, and on a Unix socket for the commands.
#pragma once

#include <memory>
#include <string>

#include "runtime/gateway.h"

namespace weir::admin {

// A thread for the connections and three for the answers. There are at most 64 connections; a request holds at most 8 KiB
// of head and 64 KiB of body and must be whole within ten seconds. Else the connection is closed.
class Server {
 public:
  // Listens at admin.listen and at DATA_DIR/weir.sock. Fails when one of them is taken.
  static base::Result<std::unique_ptr<Server>> start(runtime::Gateway& gateway);
  ~Server();

  // Where the TCP port really is.
  std::string address() const;
  static std::string socket_path(const std::string& data_dir);

 private:
  struct Listener;
  explicit Server(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace weir::admin
