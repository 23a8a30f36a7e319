// How a command reaches the running gateway: HTTP over the Unix socket in its data folder.
#pragma once

#include <string>

#include "base/result.h"

namespace weir::cli {

struct Reply {
  unsigned status = 0;
  std::string body;
};

// What may stand in a path or a query: everything but letters, digits and -._~ is written as %XX.
std::string url_part(const std::string& text);

// The gateway that runs for a manifests folder. Blocking; gives up after three minutes.
class Client {
 public:
  // Finds the socket by the folder's gateway.json.
  static base::Result<Client> find(const std::string& manifests);

  base::Result<Reply> get(const std::string& target) { return call("GET", target); }
  base::Result<Reply> post(const std::string& target) { return call("POST", target); }

 private:
  Client(std::string manifests, std::string path, std::string doubt)
      : manifests_(std::move(manifests)), path_(std::move(path)), doubt_(std::move(doubt)) {}
  base::Result<Reply> call(const std::string& method, const std::string& target);

  std::string manifests_;
  std::string path_;
  std::string doubt_;  // why the path may be wrong, "" when gateway.json could be read
};

}  // namespace weir::cli
