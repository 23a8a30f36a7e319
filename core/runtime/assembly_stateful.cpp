// Stateful transforms in the assembly. They are consumers as sinks are, with a place in the journal under their name; but
// a changed one, or one behind a changed path, is always a new instance that is given its predecessor's state.
#include "base/log.h"
#include "runtime/draft.h"

namespace weir::runtime {

void Assembly::draft_stateful(const manifest::LoadedSet& wanted, const manifest::InstanceConfig& config,
                              const graph::Path& path, bool first, Draft* draft) {
  std::string path_print = path_fingerprint(wanted, path);
  auto running = stateful_.find(config.name);
  if (running != stateful_.end() && fingerprint(running->second->config) == fingerprint(config) &&
      running->second->path_fingerprint == path_print) {
    return;
  }
  if (const Failure* known = known_failure(config); known != nullptr && known->hangs) {
    draft->failed[config.name] = *known;
    return;
  }
  std::vector<const manifest::InstanceConfig*> nodes;
  for (const std::string& node : path.nodes) nodes.push_back(&wanted.instances.at(node));
  manifest::Problems problems;
  Transforms transforms = make_transforms(context_, nodes, &problems);
  auto fresh = problems.empty() ? StatefulRunner::create(context_, config, &problems) : nullptr;
  if (fresh == nullptr) {
    end_transforms(std::move(transforms));
    return refuse(config, std::move(problems), draft);
  }
  fresh->set_path(path, std::move(transforms), path_print);
  if (auto done = fresh->prepare(); !done.ok()) return note_unprepared(config, done, *fresh->unit, first, draft);
  draft->stateful[config.name] = std::move(fresh);
}

void Assembly::start_stateful(const std::string& name, std::unique_ptr<StatefulRunner> fresh, uint64_t now_origin) {
  std::shared_ptr<StatefulRunner> old;
  if (auto running = stateful_.find(name); running != stateful_.end()) old = running->second;
  // Its last state is posted before the successor asks for it.
  if (old != nullptr) old->stop_engine();
  plugin::CallResult done = fresh->start(context_, take_place(fresh->config, fresh->path, now_origin));
  if (old != nullptr) old->end();
  if (!done.ok()) fail(name, {done.status.error().what, fresh->unit->instance->hung()});
  std::lock_guard lock(mutex_);
  stateful_.erase(name);
  if (!done.ok()) return;
  stateful_[name] = std::move(fresh);
  failed_.erase(name);
}

void Assembly::observe_stateful(std::map<std::string, Observed>* observed) const {
  for (const auto& [name, runner] : stateful_) {
    Observed& own = (*observed)[name];
    observe(runner->unit.get(), &own);
    for (const TransformRunner& transform : runner->transforms) {
      observe(transform.unit.get(), &(*observed)[transform.config.name]);
    }
    if (runner->engine == nullptr) continue;
    auto [bytes, keys] = runner->engine->state_size();
    own.metrics["state_bytes"] = static_cast<double>(bytes);
    own.metrics["state_keys"] = static_cast<double>(keys);
  }
}

}  // namespace weir::runtime
