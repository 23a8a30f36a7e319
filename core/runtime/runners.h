// Instances at work: a source with its door, a sink with its consumer and the transforms in front of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/edge.h"
#include "graph/plan.h"
#include "manifest/instance_config.h"
#include "manifest/problem.h"
#include "plugin/catalog.h"
#include "plugin/instance.h"
#include "runtime/instance_host.h"

namespace weir::runtime {

// How long a life-cycle call of a plugin may take.
inline constexpr base::Duration kPrepareLimit = std::chrono::seconds(5);
inline constexpr base::Duration kStartLimit = std::chrono::seconds(5);
inline constexpr base::Duration kDrainLimit = std::chrono::seconds(10);
inline constexpr base::Duration kStopLimit = std::chrono::seconds(5);

// What all runners stand on. Outlives them.
struct Context {
  Services services;
  plugin::Catalog* plugins = nullptr;
  std::string program;  // runs as `PROGRAM host`, for isolated instances
  ingress::Budget* budget = nullptr;
  uint64_t memory_max_bytes = 0;
};

// One plugin instance and the host that it sees.
struct Unit {
  base::CallClock clock;  // of its data calls
  int64_t overran_ns = 0;  // when the call began that was seen to overrun last
  uint64_t overruns = 0;
  std::shared_ptr<InstanceHost> host;
  std::unique_ptr<plugin::Instance> instance;

  // Loads and creates it. A wrong configuration is added to `problems` with its place in the manifest.
  static std::unique_ptr<Unit> create(const Context& context, const manifest::InstanceConfig& config,
                                      manifest::Problems* problems);
  std::string version() const { return instance->version(); }
  // Of a transform.
  graph::TransformCall call() {
    return {instance->transform(), instance->self(), &clock, instance->interruptible()};
  }
  // stop, destroy; what hangs is left behind and logged.
  void end();
};

// What tells two manifests of one component apart, as far as the running instance is concerned.
std::string fingerprint(const manifest::InstanceConfig& config);

class SourceRunner {
 public:
  static std::unique_ptr<SourceRunner> create(const Context& context, const manifest::InstanceConfig& config,
                                              manifest::Problems* problems);
  ~SourceRunner();
  plugin::CallResult prepare();
  plugin::CallResult start();
  // Takes nothing new; what was taken is settled and answered.
  void quiesce();
  void end();

  const manifest::InstanceConfig config;
  std::unique_ptr<Unit> unit;
  std::shared_ptr<ingress::Door> door;

 private:
  SourceRunner(const manifest::InstanceConfig& manifest, std::unique_ptr<Unit> made)
      : config(manifest), unit(std::move(made)) {}
};

// A transform instance that belongs to one sink's path: two sinks behind one transform have one each.
struct TransformRunner {
  manifest::InstanceConfig config;
  std::unique_ptr<Unit> unit;
};
using Transforms = std::vector<TransformRunner>;

class SinkRunner {
 public:
  // The sink instance; its transforms come by set_path.
  static std::unique_ptr<SinkRunner> create(const Context& context, const manifest::InstanceConfig& config,
                                            manifest::Problems* problems);
  ~SinkRunner();
  plugin::CallResult prepare();
  // Starts the sink, then the consumer at `state`.
  plugin::CallResult start(const Context& context, journal::ConsumerState state, size_t sinks);
  // Before start, or while it runs: then the old transforms are ended once they are no longer used. False when the sink
  // hangs, and the old ones are in use until it comes back.
  bool set_path(graph::Path path, std::vector<graph::Edge> edges, Transforms transforms, std::string fingerprint);
  // Ends the consumer, whose last state is then posted; what is in flight is given `patience`.
  void stop_consumer(base::Duration patience);
  void end();

  const manifest::InstanceConfig config;
  std::unique_ptr<Unit> unit;
  graph::Path path;
  std::vector<graph::Edge> edges;  // its own
  std::string path_fingerprint;
  Transforms transforms;
  std::shared_ptr<delivery::Consumer> consumer;

 private:
  SinkRunner(const manifest::InstanceConfig& manifest, std::unique_ptr<Unit> made)
      : config(manifest), unit(std::move(made)) {}
  // Plugin and version of each transform, for the consumer's thread.
  struct NodeNames {
    std::mutex mutex;
    std::map<std::string, std::pair<std::string, std::string>> names;
  };
  std::shared_ptr<NodeNames> names_ = std::make_shared<NodeNames>();
  std::vector<Transforms> old_transforms_;  // of a sink that hung when they were replaced
  bool consumer_stopped_ = false;
};

// The transform instances of a path, created and started. Empty with `problems` when one is wrong.
Transforms make_transforms(const Context& context, const std::vector<const manifest::InstanceConfig*>& configs,
                           manifest::Problems* problems);
void end_transforms(Transforms transforms);
// Before whoever calls them is stopped: see plugin::Instance::interrupt.
void interrupt_transforms(const Transforms& transforms);
// An instance's edges, with their conditions, which have been checked.
std::vector<graph::Edge> edges_of(const manifest::InstanceConfig& config);
// What stands in front of a consumer that reads `from`, made of running transforms, which must outlive it.
std::unique_ptr<graph::Pipeline> make_pipeline(std::vector<graph::Edge> from, const Transforms& transforms);

}  // namespace weir::runtime
