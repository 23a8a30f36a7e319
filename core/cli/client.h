// How a command reaches the running gateway: HTTP over the Unix socket in its data folder.
#pragma once

#include <string>

#include "base/result.h"

namespace weir::cli {

struct Reply {
  unsigned status = 0;
  std::string body;
};

// The gateway that runs for a manifests folder. Blocking; gives up after two minutes.
class Client {
 public:
  // Finds the socket by the folder's gateway.json.
  static base::Result<Client> find(const std::string& manifests);

  base::Result<Reply> get(const std::string& target) { return call("GET", target); }
  base::Result<Reply> post(const std::string& target) { return call("POST", target); }

 private:
  Client(std::string manifests, std::string path) : manifests_(std::move(manifests)), path_(std::move(path)) {}
  base::Result<Reply> call(const std::string& method, const std::string& target);

  std::string manifests_;
  std::string path_;
};

}  // namespace weir::cli
