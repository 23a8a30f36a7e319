// What the assembly shows of itself. Any thread: runners are held by shared pointers while they are asked.
#include <utility>

#include "runtime/assembly.h"

namespace weir::runtime {
namespace {

// A cursor and its counts tell the same story: this is what "the ledger balances" means.
bool balances(const delivery::ConsumerStatus& status) {
  const journal::ConsumerState& state = status.state;
  uint64_t settled = state.cursor.floor() - state.origin + state.cursor.settled_above();
  return state.counts.sum() == settled && status.committed == state.counts.sum() + status.pending;
}

ConsumerView view_of(delivery::ConsumerStatus status, std::string role) {
  ConsumerView view{std::move(status), std::move(role), true};
  view.balanced = balances(view.status);
  return view;
}

ConsumerView idle_view(const journal::ConsumerState& state, uint64_t head, std::string role) {
  delivery::ConsumerStatus status;
  status.state = state;
  status.committed = head + 1 - std::min(head + 1, state.origin);
  status.pending = head + 1 - std::min(head + 1, state.cursor.floor()) - state.cursor.settled_above();
  return view_of(std::move(status), std::move(role));
}

const char* durability_name(manifest::Durability durability) {
  return durability == manifest::Durability::kRelaxed ? "relaxed" : "strict";
}

}  // namespace

std::vector<InstanceStatus> Assembly::instances() const {
  std::lock_guard lock(mutex_);
  std::vector<InstanceStatus> out;
  for (const auto& [name, config] : set_.instances) {
    InstanceStatus status;
    status.name = name;
    status.plugin = config.plugin;
    for (const manifest::Edge& edge : config.from) status.from.push_back(edge.instance);
    if (config.component) {
      status.kind = manifest::name(config.component->kind);
      status.version = config.component->version;
    }
    if (!config.enabled) status.state = InstanceState::kDisabled;
    if (auto source = sources_.find(name); source != sources_.end()) {
      status.door = source->second->door->counts();
      status.durability = durability_name(config.durability);
      status.flush_ms = config.durability == manifest::Durability::kRelaxed ? config.flush_ms : 0;
    }
    if (auto seen = observed_.find(name); seen != observed_.end()) {
      status.metrics = seen->second.metrics;
      status.process = seen->second.process;
      status.overruns = seen->second.overruns;
      status.reason = seen->second.reason;
      if (seen->second.failed) status.state = InstanceState::kFailed;
    }
    if (auto failure = failed_.find(name); failure != failed_.end()) {
      status.state = InstanceState::kFailed;
      status.reason = failure->second.reason;
    }
    out.push_back(std::move(status));
  }
  return out;
}

std::vector<ConsumerView> Assembly::consumers() const {
  std::map<std::string, ConsumerView> views;
  uint64_t head = context_.services.journal->head();
  auto known = context_.services.journal->state().consumers();
  std::lock_guard lock(mutex_);
  for (const journal::ConsumerState& state : known) {
    views[state.name] = idle_view(state, head, state.detached ? "detached" : "waiting");
  }
  views["unrouted"] = view_of(unrouted_->status(), "unrouted");
  for (const auto& [name, sink] : sinks_) {
    if (sink->consumer != nullptr) views[name] = view_of(sink->consumer->status(), "sink");
  }
  for (const auto& [name, transform] : stateful_) {
    if (transform->engine != nullptr) views[name] = view_of(transform->engine->status(), "transform");
  }
  std::vector<ConsumerView> out;
  for (auto& [name, view] : views) out.push_back(std::move(view));
  return out;
}

}  // namespace weir::runtime
