// What a Gateway is made of; for its own source files only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "runtime/assembly.h"
#include "runtime/component_catalog.h"
#include "runtime/gateway.h"
#include "runtime/sockets.h"

namespace weir::runtime {

// Declared in the order of construction: each part stands on those before it.
struct Gateway::Parts {
  Options options;
  manifest::GatewayConfig config;
  int64_t started_ns = 0;
  base::Monotonic started{};
  std::unique_ptr<plugin::Catalog> plugins;
  std::unique_ptr<journal::Journal> journal;
  Sockets sockets;
  std::unique_ptr<ingress::Budget> budget;
  std::unique_ptr<Assembly> assembly;
  manifest::LoadedSet set;  // what runs; the gateway's thread's
  std::atomic<bool> stopped{false};
  int request_fd = -1;

  std::mutex mutex;  // guards what follows
  std::condition_variable applied;
  uint64_t applies_wanted = 0, applies_done = 0;
  bool runs = true;  // run() has not ended: somebody does what is wanted
  manifest::Problems refused;

  manifest::Problems apply_folder();
};

}  // namespace weir::runtime
