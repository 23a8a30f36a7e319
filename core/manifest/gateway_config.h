// gateway.json: what is the gateway's own and no instance's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "manifest/document.h"
#include "manifest/problem.h"

namespace weir::manifest {

struct GatewayConfig {
  std::string gateway_id;          // part of every event's idempotency key; default: the host's name
  std::filesystem::path data_dir;  // absolute; default: "data"
  std::vector<std::filesystem::path>
      plugin_dirs;  // absolute; the built or installed one is added by who loads
  struct {
    std::string listen = "127.0.0.1:9600";  // loopback: this version has neither TLS nor tokens for it
  } admin;
  struct {
    uint64_t max_bytes = uint64_t{1} << 30;             // of all segments; more is refused at the door
    base::Duration retention = std::chrono::hours(24);  // how long what every consumer has settled is kept
    uint64_t segment_bytes = uint64_t{64} << 20;        // default: a quarter of max_bytes when that is less
  } journal;
  struct {
    uint64_t max_bytes = uint64_t{64} << 20;  // of events in memory, whatever the backlog
  } memory;

  std::shared_ptr<const Document> document;  // null when there is no gateway.json

  // A problem at one of the settings, for checks made elsewhere.
  Problem problem(const std::string& file, std::string pointer, std::string what, std::string expected) const;
};

// What holds without a gateway.json. `base`: the folder that holds the manifests' folder; relative paths
// start there.
GatewayConfig default_gateway_config(const std::filesystem::path& base);

// Reads gateway.json; what is wrong is added to `problems` and has its default in the result.
GatewayConfig read_gateway_config(std::shared_ptr<const Document> document, const std::filesystem::path& base,
                                  Problems& problems);

}  // namespace weir::manifest
