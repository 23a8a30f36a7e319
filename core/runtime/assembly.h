// What runs, and how one set of manifests becomes another: create and prepare everything new, then switch.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "delivery/unrouted.h"
#include "manifest/folder.h"
#include "runtime/runners.h"
#include "runtime/stateful_runner.h"
#include "runtime/status.h"

namespace weir::runtime {

// apply, retry_failed, tick and stop are called by one thread, the gateway's; the rest by any.
class Assembly {
 public:
  explicit Assembly(const Context& context);
  ~Assembly();

  // Makes `wanted`, which has been checked and is ok, what runs. On a problem nothing has changed, unless `first`: then
  // what could not be prepared is left as failed, and the others run.
  manifest::Problems apply(const manifest::LoadedSet& wanted, bool first);
  // Tries again what failed, when its time has come.
  void retry_failed();
  // A few times a second: credit of the sources, health and metrics of the instances.
  void tick();
  void stop();

  std::vector<InstanceStatus> instances() const;
  std::vector<ConsumerView> consumers() const;
  // Gives up a detached cursor, or what `unrouted` holds now.
  base::Status forget(const std::string& consumer);
  bool any_failed() const;

 private:
  // What an apply has made and not switched to yet.
  struct Draft;
  // A sink that goes on with other transforms.
  struct NewPath {
    graph::Path path;
    std::vector<graph::Edge> edges;
    Transforms transforms;
    std::string fingerprint;
  };
  // How `unrouted` finds out which events no condition lets through: its own instances of the transforms in front.
  struct Leftover {
    std::set<std::string, std::less<>> sources;
    Transforms transforms;
    std::shared_ptr<graph::Pipeline> pipeline;  // null when there are no sources
    std::string fingerprint;
  };
  struct Failure {
    std::string reason;
    bool hangs = false;  // in a call: each try would leave a thread and a library behind, so there is none
  };

  // What was seen of an instance at the last tick: only the gateway's thread may touch the instances themselves.
  struct Observed {
    bool failed = false;
    std::string reason;
    std::map<std::string, double> metrics;
    std::optional<plugin::ProcessInfo> process;
    uint64_t overruns = 0;  // calls that took far longer than they may
  };
  static void observe(Unit* unit, Observed* observed);

  manifest::Problems draft(const manifest::LoadedSet& wanted, bool first, Draft* draft);
  void draft_sink(const manifest::LoadedSet& wanted, const manifest::InstanceConfig& config, const graph::Path& path,
                  bool first, Draft* draft);
  void draft_source(const manifest::InstanceConfig& config, bool first, Draft* draft);
  // What is wrong with one instance refuses the whole set, unless it was wrong before and has not changed.
  void refuse(const manifest::InstanceConfig& config, manifest::Problems problems, Draft* draft) const;
  void note_unprepared(const manifest::InstanceConfig& config, const plugin::CallResult& done, const Unit& unit,
                       bool first, Draft* draft) const;
  const Failure* known_failure(const manifest::InstanceConfig& config) const;
  void switch_to(const manifest::LoadedSet& wanted, Draft draft);
  void change_path(const std::string& name, NewPath fresh);
  void start_sink(const std::string& name, std::unique_ptr<SinkRunner> fresh, size_t sinks, uint64_t now_origin);
  void start_source(const std::string& name, std::unique_ptr<SourceRunner> fresh);
  void fail(const std::string& name, const Failure& failure);
  journal::ConsumerState take_place(const manifest::InstanceConfig& config, const graph::Path& path,
                                    uint64_t now_origin);
  void detach(journal::ConsumerState place);

  // assembly_stateful.cpp
  void draft_stateful(const manifest::LoadedSet& wanted, const manifest::InstanceConfig& config, const graph::Path& path,
                      bool first, Draft* draft);
  void start_stateful(const std::string& name, std::unique_ptr<StatefulRunner> fresh, uint64_t now_origin);
  void observe_stateful(std::map<std::string, Observed>* observed) const;

  // assembly_routes.cpp
  void owe(const graph::Path& path, uint64_t since, bool anew);
  void route(std::optional<Leftover> fresh);

  // assembly_leftover.cpp
  void draft_leftover(const manifest::LoadedSet& wanted, Draft* draft) const;
  void tell_unrouted(delivery::Unrouted::Routes routes, std::optional<Leftover> fresh);
  void stop_unrouted();

  const Context context_;
  base::Monotonic retry_at_{};
  delivery::Unrouted::Routes routes_;  // as `unrouted` knows them
  Leftover leftover_;                  // as `unrouted` has it
  std::vector<Transforms> old_leftovers_;  // of an `unrouted` that hung when they were replaced

  mutable std::mutex mutex_;  // guards what follows; never held while a plugin is called
  manifest::LoadedSet set_;
  graph::Plan plan_;
  std::map<std::string, std::shared_ptr<SourceRunner>> sources_;
  std::map<std::string, std::shared_ptr<SinkRunner>> sinks_;
  std::map<std::string, std::shared_ptr<StatefulRunner>> stateful_;
  std::map<std::string, Failure> failed_;
  std::map<std::string, Observed> observed_;
  std::shared_ptr<delivery::Unrouted> unrouted_;
};

}  // namespace weir::runtime
