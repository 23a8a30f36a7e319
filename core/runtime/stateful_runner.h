// A stateful transform at work: its instance, the pure transforms in front of it, and its engine.
#pragma once

#include <memory>
#include <string>

#include "delivery/stateful.h"
#include "runtime/runners.h"

namespace weir::runtime {

class StatefulRunner {
 public:
  // The instance, not prepared yet; its path comes by set_path, before start.
  static std::unique_ptr<StatefulRunner> create(const Context& context, const manifest::InstanceConfig& config,
                                                manifest::Problems* problems);
  ~StatefulRunner();
  plugin::CallResult prepare();
  void set_path(graph::Path path, Transforms transforms, std::string fingerprint);
  // Gives the transform its state back, starts it, then the engine at `state`. Its predecessor's engine has ended. Fails
  // with the reason when the transform declines the state, which is kept.
  plugin::CallResult start(const Context& context, journal::ConsumerState state);
  // Ends the engine, whose last state is then posted.
  void stop_engine();
  void end();

  const manifest::InstanceConfig config;
  std::unique_ptr<Unit> unit;
  graph::Path path;
  std::string path_fingerprint;
  Transforms transforms;
  std::shared_ptr<delivery::StatefulConsumer> engine;

 private:
  StatefulRunner(const manifest::InstanceConfig& manifest, std::unique_ptr<Unit> made)
      : config(manifest), unit(std::move(made)) {}
  bool engine_stopped_ = false;
  plugin::CallResult restore(const Context& context, const std::shared_ptr<delivery::TransformState>& state);
};

}  // namespace weir::runtime
