// What the gateway shows of itself, as values: `weir status`, /metrics and /health are made of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "delivery/consumer.h"
#include "ingress/door.h"
#include "journal/journal.h"
#include "manifest/problem.h"
#include "plugin/instance.h"

namespace weir::runtime {

enum class InstanceState { kRunning, kFailed, kDisabled };

struct InstanceStatus {
  std::string name;
  std::string kind;     // "source", "transform", "sink"
  std::string plugin;   // "http.source"
  std::string version;  // of the plugin; "" while it is not loaded
  InstanceState state = InstanceState::kRunning;
  std::string reason;   // why it failed, what its health says; "" when all is well
  std::vector<std::string> from;
  std::string durability;                       // sources: "strict" or "relaxed"
  uint32_t flush_ms = 0;                        // relaxed: the loss window
  std::optional<ingress::DoorCounts> door;      // sources
  std::optional<weir::plugin::ProcessInfo> process;  // isolated instances
  uint64_t overruns = 0;                        // calls of the plugin that took far longer than they may
  std::map<std::string, double> metrics;        // the plugin's own, by name; counters and gauges
};

// A sink's side of the ledger, or that of a stateful transform (delivered: absorbed), of `unrouted`, or of a detached cursor.
struct ConsumerView {
  delivery::ConsumerStatus status;
  std::string role;     // "sink", "transform", "unrouted", "detached", "waiting" (it could not be started)
  bool balanced = true; // committed == counts.sum() + pending, and the cursor says the same
};

struct Status {
  std::string gateway_id;
  std::string manifests;     // the folder
  std::string admin_listen;  // where the admin port really is, "127.0.0.1:9600"
  int64_t started_ns = 0;
  base::Duration uptime{};
  bool ready = false;        // every enabled instance runs and the journal can be written
  journal::Statistics journal;
  uint64_t memory_max_bytes = 0;
  uint64_t memory_in_flight_bytes = 0;  // on its way into the journal
  std::vector<InstanceStatus> instances;  // by name
  std::vector<ConsumerView> consumers;    // by name
  std::vector<journal::LostRange> lost;
  bool balanced = true;                   // every consumer and every door
  manifest::Problems refused;             // of the last change of the manifests, when it was not applied
};

}  // namespace weir::runtime
