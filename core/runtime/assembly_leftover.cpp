// What no condition lets through anywhere is held by `unrouted`, which has the conditions and the transforms in front of
// them for itself: other consumers go at their own pace, and may not even be started.
#include "base/log.h"
#include "runtime/draft.h"
#include "runtime/leave_behind.h"
#include "runtime/leftover.h"

namespace weir::runtime {
namespace {

constexpr base::Duration kPatience = std::chrono::seconds(5);

}  // namespace

graph::Leftover leftover_of(const manifest::LoadedSet& set) {
  std::vector<graph::Reader> readers;
  for (const auto& [name, config] : set.instances) {
    if (config.enabled) readers.push_back({name, kind_of(config), edges_of(config)});
  }
  return graph::leftover(readers);
}

void Assembly::draft_leftover(const manifest::LoadedSet& wanted, Draft* draft) const {
  if (!draft->problems.empty()) return;
  graph::Leftover plan = leftover_of(wanted);
  Leftover fresh;
  std::vector<const manifest::InstanceConfig*> nodes;
  for (const std::string& source : plan.sources) fresh.fingerprint += source + '\n';
  for (const std::string& name : plan.nodes) nodes.push_back(&wanted.instances.at(name));
  // Everything that has a say in it: the edges of all, and the transforms.
  for (const auto& [name, config] : wanted.instances) {
    if (plan.sources.empty() || !config.enabled) continue;
    fresh.fingerprint += name + '\n';
    for (const manifest::Edge& edge : config.from) fresh.fingerprint += edge.instance + '\t' + edge.when + '\n';
  }
  for (const manifest::InstanceConfig* config : nodes) fresh.fingerprint += runtime::fingerprint(*config) + '\n';
  if (fresh.fingerprint == leftover_.fingerprint) return;
  fresh.sources = {plan.sources.begin(), plan.sources.end()};
  if (!plan.sources.empty()) {
    fresh.transforms = make_transforms(context_, nodes, &draft->problems);
    if (!draft->problems.empty()) return end_transforms(std::move(fresh.transforms));
    fresh.pipeline = make_pipeline(std::move(plan.taken), fresh.transforms);
  }
  draft->leftover = std::move(fresh);
}

void Assembly::tell_unrouted(delivery::Unrouted::Routes routes, std::optional<Leftover> fresh) {
  routes_ = routes;
  Leftover old;
  if (fresh) {
    old = std::exchange(leftover_, std::move(*fresh));
    interrupt_transforms(old.transforms);
  }
  delivery::Unrouted::Graph graph{std::move(routes), leftover_.sources, leftover_.pipeline};
  if (unrouted_->route(std::move(graph), kPatience)) return end_transforms(std::move(old.transforms));
  if (old.transforms.empty()) return;
  base::log_error("unrouted", "is busy in a transform; the old ones are kept until it answers");
  old_leftovers_.push_back(std::move(old.transforms));
}

void Assembly::stop_unrouted() {
  interrupt_transforms(leftover_.transforms);
  if (!unrouted_->stop(kPatience)) {
    base::log_error("unrouted", "hangs in a transform; it is left behind");
    leave_behind(unrouted_, std::move(leftover_.transforms), std::move(old_leftovers_));
  }
  leftover_.pipeline.reset();
  end_transforms(std::move(leftover_.transforms));
  for (Transforms& old : old_leftovers_) end_transforms(std::move(old));
  leftover_.transforms.clear();
  old_leftovers_.clear();
}

}  // namespace weir::runtime
