#include "runtime/draft.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace weir::runtime {
namespace {

constexpr base::Duration kRetryEvery = std::chrono::seconds(2);
constexpr base::Duration kRegisterPatience = std::chrono::seconds(5);
// Whoever overruns it is given up for good: longer than any pause of a loaded machine.
constexpr base::Duration kHealthLimit = std::chrono::seconds(5);
constexpr const char* kUnrouted = "unrouted";

bool exclusive(const manifest::InstanceConfig& config) { return config.component && config.component->exclusive; }

base::Result<graph::Plan> plan_of(const manifest::LoadedSet& set) {
  std::vector<graph::Vertex> vertices;
  for (const auto& [name, config] : set.instances) {
    if (!config.enabled) continue;
    graph::Vertex vertex{name, kind_of(config), {}};
    for (const manifest::Edge& edge : config.from) vertex.from.push_back(edge.instance);
    vertices.push_back(std::move(vertex));
  }
  return graph::plan(vertices);
}

}  // namespace

graph::Kind kind_of(const manifest::InstanceConfig& config) {
  switch (config.component->kind) {
    case manifest::Kind::kSource: return graph::Kind::kSource;
    case manifest::Kind::kSink: return graph::Kind::kSink;
    case manifest::Kind::kTransform: break;
  }
  return config.component->stateful ? graph::Kind::kStateful : graph::Kind::kTransform;
}

std::string path_fingerprint(const manifest::LoadedSet& set, const graph::Path& path) {
  std::string text;
  for (const manifest::Edge& edge : set.instances.at(path.consumer).from) text += edge.instance + '\t' + edge.when + ',';
  for (const std::string& node : path.nodes) {
    const manifest::InstanceConfig& config = set.instances.at(node);
    text += '\n' + node + '\n' + fingerprint(config);
    for (const manifest::Edge& edge : config.from) text += '\n' + edge.instance + '\t' + edge.when;
  }
  return text;
}

Assembly::Assembly(const Context& context) : context_(context) {
  journal::ConsumerState state;
  state.name = kUnrouted;
  state.origin = context.services.journal->oldest();
  state.cursor = journal::Cursor(state.origin);
  for (journal::ConsumerState& known : context.services.journal->state().consumers()) {
    if (known.name == kUnrouted) state = std::move(known);
  }
  unrouted_ = std::make_shared<delivery::Unrouted>(*context.services.journal, std::move(state));
  unrouted_->start();
}

Assembly::~Assembly() { stop(); }

manifest::Problems Assembly::apply(const manifest::LoadedSet& wanted, bool first) {
  manifest::Problems problems;
  {
    Draft draft;
    problems = this->draft(wanted, first, &draft);
    if (problems.empty()) switch_to(wanted, std::move(draft));
  }
  // Those of instances that went or changed their address, or that were prepared for a change which is refused.
  context_.services.sockets->close_unused();
  return problems;
}

manifest::Problems Assembly::draft(const manifest::LoadedSet& wanted, bool first, Draft* draft) {
  auto plan = plan_of(wanted);
  if (!plan) {
    manifest::Problem problem;
    problem.file = wanted.folder.string();
    problem.what = plan.error().text();
    return {problem};
  }
  draft->plan = *plan;
  for (const auto& [name, config] : wanted.instances) {
    if (!config.enabled) continue;
    if (kind_of(config) == graph::Kind::kSource) draft_source(config, first, draft);
  }
  for (const graph::Path& path : plan->paths) {
    const manifest::InstanceConfig& config = wanted.instances.at(path.consumer);
    if (kind_of(config) == graph::Kind::kStateful) {
      draft_stateful(wanted, config, path, first, draft);
    } else {
      draft_sink(wanted, config, path, first, draft);
    }
  }
  // A transform that leads nowhere yet is tried all the same: its mistakes are better found now.
  bool again = first && !set_.instances.empty();
  for (const std::string& name : plan->unused) {
    if (!again) end_transforms(make_transforms(context_, {&wanted.instances.at(name)}, &draft->problems));
  }
  draft_leftover(wanted, draft);
  if (draft->problems.empty()) return {};
  for (auto& [name, path] : draft->paths) end_transforms(std::move(path.transforms));
  if (draft->leftover) end_transforms(std::move(draft->leftover->transforms));
  return std::move(draft->problems);
}

void Assembly::draft_source(const manifest::InstanceConfig& config, bool first, Draft* draft) {
  auto running = sources_.find(config.name);
  if (running != sources_.end() && fingerprint(running->second->config) == fingerprint(config)) return;
  if (const Failure* known = known_failure(config); known != nullptr && known->hangs) {
    draft->failed[config.name] = *known;
    return;
  }
  manifest::Problems problems;
  auto fresh = SourceRunner::create(context_, config, &problems);
  if (fresh == nullptr) return refuse(config, std::move(problems), draft);
  // An exclusive one can be prepared only when its predecessor has gone.
  if (running == sources_.end() || !exclusive(config)) {
    plugin::CallResult done = fresh->prepare();
    if (!done.ok()) return note_unprepared(config, done, *fresh->unit, first, draft);
  }
  draft->sources[config.name] = std::move(fresh);
}

const Assembly::Failure* Assembly::known_failure(const manifest::InstanceConfig& config) const {
  auto failure = failed_.find(config.name);
  auto before = set_.instances.find(config.name);
  if (failure == failed_.end() || before == set_.instances.end()) return nullptr;
  return fingerprint(before->second) == fingerprint(config) ? &failure->second : nullptr;
}

void Assembly::refuse(const manifest::InstanceConfig& config, manifest::Problems problems, Draft* draft) const {
  if (known_failure(config) != nullptr) {
    draft->failed[config.name] = {problems.front().what, false};
    return;
  }
  draft->problems.insert(draft->problems.end(), problems.begin(), problems.end());
}

void Assembly::note_unprepared(const manifest::InstanceConfig& config, const plugin::CallResult& done,
                               const Unit& unit, bool first, Draft* draft) const {
  // A change is not refused for what could not be started before either and has nothing to do with it.
  if (first || known_failure(config) != nullptr) {
    draft->failed[config.name] = {done.status.error().what, unit.instance->hung()};
  } else {
    draft->problems.push_back(config.config_problem(done.pointer, done.status.error().what));
  }
}

void Assembly::draft_sink(const manifest::LoadedSet& wanted, const manifest::InstanceConfig& config,
                          const graph::Path& path, bool first, Draft* draft) {
  std::string path_print = path_fingerprint(wanted, path);
  auto running = sinks_.find(config.name);
  bool same_sink = running != sinks_.end() && fingerprint(running->second->config) == fingerprint(config);
  if (same_sink && running->second->path_fingerprint == path_print) return;
  if (const Failure* known = known_failure(config); !same_sink && known != nullptr && known->hangs) {
    draft->failed[config.name] = *known;
    return;
  }
  std::vector<const manifest::InstanceConfig*> nodes;
  for (const std::string& node : path.nodes) nodes.push_back(&wanted.instances.at(node));
  manifest::Problems problems;
  Transforms transforms = make_transforms(context_, nodes, &problems);
  if (!problems.empty()) {
    end_transforms(std::move(transforms));
    return refuse(config, std::move(problems), draft);
  }
  if (same_sink) {
    draft->paths[config.name] = {path, edges_of(config), std::move(transforms), path_print};
    return;
  }
  auto fresh = SinkRunner::create(context_, config, &problems);
  if (fresh == nullptr) {
    end_transforms(std::move(transforms));
    return refuse(config, std::move(problems), draft);
  }
  fresh->set_path(path, edges_of(config), std::move(transforms), path_print);
  if (running == sinks_.end() || !exclusive(config)) {
    plugin::CallResult done = fresh->prepare();
    if (!done.ok()) return note_unprepared(config, done, *fresh->unit, first, draft);
  }
  draft->sinks[config.name] = std::move(fresh);
}

// The sink's place in the journal, which is its own from now on: the one kept under its name, or a new one. Posted at
// once, so that nothing it is owed is trimmed while it starts.
journal::ConsumerState Assembly::take_place(const manifest::InstanceConfig& config, const graph::Path& path,
                                            uint64_t now_origin) {
  journal::Journal& journal = *context_.services.journal;
  std::lock_guard lock(mutex_);  // `weir forget` must not come in between
  journal::ConsumerState state;
  bool anew = true;
  for (journal::ConsumerState& known : journal.state().consumers()) {
    if (known.name != config.name) continue;
    state = std::move(known);
    anew = false;
  }
  if (anew) {
    state.name = config.name;
    state.origin = config.start == manifest::Start::kOldest ? journal.oldest() : now_origin;
    state.cursor = journal::Cursor(state.origin);
  }
  state.detached = false;
  journal.state().post(state, {});
  // What is settled ahead of the floor may have been passed over because its source did not lead here.
  uint64_t unread = state.cursor.floor();
  state.cursor.for_each_unsettled(UINT64_MAX - 1, [&](uint64_t first, uint64_t) { unread = first; });
  owe(path, unread, anew);
  return state;
}

void Assembly::detach(journal::ConsumerState place) {
  std::string name = place.name;
  place.detached = true;
  context_.services.journal->state().post(std::move(place), {});
  base::log_info(name, "removed; its place in the journal is kept until `weir forget " + name + "`");
}

void Assembly::fail(const std::string& name, const Failure& failure) {
  bool news;
  {
    std::lock_guard lock(mutex_);
    auto [known, fresh] = failed_.try_emplace(name);
    news = fresh || known->second.reason != failure.reason;
    known->second = failure;
  }
  const char* then = failure.hangs ? "; it is not tried again until its manifest changes" : "; it will be tried again";
  if (news) base::log_error(name, "cannot be started: " + failure.reason + then);
}

// Order: sources that go or change stop taking; consumers change; new sources begin. So nothing that a new source
// brings is missed by a consumer of the same change.
void Assembly::switch_to(const manifest::LoadedSet& wanted, Draft draft) {
  uint64_t now_origin = context_.services.journal->head() + 1;
  auto is_wanted = [&](const std::string& name, graph::Kind kind) {
    auto found = wanted.instances.find(name);
    return found != wanted.instances.end() && found->second.enabled && kind_of(found->second) == kind;
  };
  {
    // What is tried again stays failed until it runs.
    std::lock_guard lock(mutex_);
    std::erase_if(failed_, [&](const auto& entry) {
      const std::string& name = entry.first;
      return !draft.failed.contains(name) && !draft.sources.contains(name) && !draft.sinks.contains(name) &&
             !draft.stateful.contains(name);
    });
  }
  for (const auto& [name, failure] : draft.failed) fail(name, failure);
  for (const auto& [name, source] : std::map(sources_)) {
    if (is_wanted(name, graph::Kind::kSource)) continue;
    source->quiesce();
    source->end();
    context_.services.sockets->release(name);
    std::lock_guard lock(mutex_);
    sources_.erase(name);
  }
  for (const auto& [name, sink] : std::map(sinks_)) {
    if (is_wanted(name, graph::Kind::kSink)) continue;
    sink->end();
    std::lock_guard lock(mutex_);
    sinks_.erase(name);
  }
  for (const auto& [name, transform] : std::map(stateful_)) {
    if (is_wanted(name, graph::Kind::kStateful)) continue;
    transform->end();
    std::lock_guard lock(mutex_);
    stateful_.erase(name);
  }
  // Also of a consumer that never ran, or whose manifest went while the gateway was stopped.
  for (const journal::ConsumerState& place : context_.services.journal->state().consumers()) {
    bool wanted_here = is_wanted(place.name, graph::Kind::kSink) || is_wanted(place.name, graph::Kind::kStateful);
    if (place.name != kUnrouted && !place.detached && !wanted_here) detach(place);
  }
  for (auto& [name, path] : draft.paths) {
    change_path(name, std::move(path));
  }
  size_t sinks = draft.plan.paths.size();
  for (auto& [name, fresh] : draft.sinks) start_sink(name, std::move(fresh), sinks, now_origin);
  for (auto& [name, fresh] : draft.stateful) start_stateful(name, std::move(fresh), now_origin);
  // A consumer that could not be prepared is owed its events all the same.
  for (const graph::Path& path : draft.plan.paths) {
    if (draft.failed.contains(path.consumer)) take_place(wanted.instances.at(path.consumer), path, now_origin);
  }
  {
    std::lock_guard lock(mutex_);
    set_ = wanted;
    plan_ = std::move(draft.plan);
  }
  route(std::move(draft.leftover));
  // What a new sink is owed must outlive a crash: its place is on disk before a source brings anything.
  if (auto done = context_.services.journal->state().sync(kRegisterPatience); !done) {
    base::log_warn("gateway", "places in the journal are not on disk yet: " + done.error().text());
  }
  for (auto& [name, fresh] : draft.sources) start_source(name, std::move(fresh));
}

void Assembly::change_path(const std::string& name, NewPath fresh) {
  SinkRunner& sink = *sinks_.at(name);
  bool replaced = sink.set_path(fresh.path, std::move(fresh.edges), std::move(fresh.transforms), std::move(fresh.fingerprint));
  // A source that is new to it: what came before has been passed over already, and stays with `unrouted`.
  uint64_t since = replaced ? sink.consumer->status().position : context_.services.journal->head() + 1;
  owe(fresh.path, since, false);
}

void Assembly::start_sink(const std::string& name, std::unique_ptr<SinkRunner> fresh, size_t sinks,
                          uint64_t now_origin) {
  std::shared_ptr<SinkRunner> old;
  if (auto running = sinks_.find(name); running != sinks_.end()) old = running->second;
  if (old != nullptr) {
    // Its last state is posted before the successor asks for it.
    if (exclusive(fresh->config)) {
      old->end();
    } else {
      old->stop_consumer(kDrainLimit);
    }
  }
  plugin::CallResult done;
  if (old != nullptr && exclusive(fresh->config)) done = fresh->prepare();
  journal::ConsumerState state = take_place(fresh->config, fresh->path, now_origin);
  if (done.ok()) done = fresh->start(context_, std::move(state), sinks);
  if (old != nullptr) old->end();
  if (!done.ok()) fail(name, {done.status.error().what, fresh->unit->instance->hung()});
  std::lock_guard lock(mutex_);
  sinks_.erase(name);
  if (!done.ok()) return;
  sinks_[name] = std::move(fresh);
  failed_.erase(name);
}

void Assembly::start_source(const std::string& name, std::unique_ptr<SourceRunner> fresh) {
  std::shared_ptr<SourceRunner> old;
  if (auto running = sources_.find(name); running != sources_.end()) old = running->second;
  plugin::CallResult done;
  if (old != nullptr && exclusive(fresh->config)) {
    old->end();
    done = fresh->prepare();
  }
  // The successor listens at the same socket of the host before the predecessor lets go of it.
  if (done.ok()) done = fresh->start();
  if (!done.ok()) {
    fail(name, {done.status.error().what, fresh->unit->instance->hung()});
    // The old one goes on, unless it had to go first.
    if (old == nullptr || !exclusive(fresh->config)) return;
  }
  if (old != nullptr) {
    old->end();
    fresh->door->inherit(old->door->counts());
  }
  std::lock_guard lock(mutex_);
  sources_.erase(name);
  if (!done.ok()) return;
  sources_[name] = std::move(fresh);
  failed_.erase(name);
}

void Assembly::retry_failed() {
  bool worth_it = std::any_of(failed_.begin(), failed_.end(), [](const auto& entry) { return !entry.second.hangs; });
  if (!worth_it || base::now() < retry_at_) return;
  manifest::LoadedSet set = set_;
  for (const manifest::Problem& problem : apply(set, true)) base::log_error("gateway", problem.text());
  retry_at_ = base::now() + kRetryEvery;
}

void Assembly::tick() {
  std::map<std::string, Observed> observed;
  for (const auto& [name, source] : sources_) {
    source->door->update_credit();
    observe(source->unit.get(), &observed[name]);
  }
  for (const auto& [name, sink] : sinks_) {
    observe(sink->unit.get(), &observed[name]);
    for (const TransformRunner& transform : sink->transforms) {
      observe(transform.unit.get(), &observed[transform.config.name]);
    }
  }
  observe_stateful(&observed);
  std::lock_guard lock(mutex_);
  observed_ = std::move(observed);
}

void Assembly::observe(Unit* unit, Observed* observed) {
  if (unit == nullptr) return;
  for (const auto& [name, value] : unit->host->metrics()) observed->metrics[name] += value;
  observed->process = unit->instance->process();
  plugin::Health health;
  if (!unit->instance->hung()) {
    // On its control thread and with a deadline: a plugin that hangs here must not take the gateway along.
    auto answer = std::make_shared<plugin::Health>();
    auto asked = unit->instance->call("health", base::now() + kHealthLimit,
                                      [answer, instance = unit->instance.get()](void*, weir_error*) {
                                        *answer = instance->health();
                                        return weir_status{WEIR_OK};
                                      });
    if (asked.ok()) health = *answer;
  }
  if (unit->instance->hung()) health = {WEIR_HEALTH_FAILED, "hangs in a call and was left behind"};
  observed->failed |= health.state == WEIR_HEALTH_FAILED;
  if (health.state != WEIR_HEALTH_OK) observed->reason = health.text;
  if (auto overrun = unit->clock.overrun()) {
    observed->reason = std::string(overrun->call) + "() has not returned for " + base::human_duration(overrun->lasted);
    if (overrun->began_ns != unit->overran_ns) {
      unit->overran_ns = overrun->began_ns;
      ++unit->overruns;
      base::log_warn(unit->host->name(), observed->reason + "; the plugin holds up what waits for it");
    }
  }
  observed->overruns += unit->overruns;
}

bool Assembly::any_failed() const {
  std::lock_guard lock(mutex_);
  return !failed_.empty();
}

void Assembly::stop() {
  for (const auto& [name, source] : sources_) source->end();
  for (const auto& [name, transform] : stateful_) transform->end();
  for (const auto& [name, sink] : sinks_) sink->end();
  stop_unrouted();
  std::lock_guard lock(mutex_);
  sources_.clear();
  stateful_.clear();
  sinks_.clear();
}

base::Status Assembly::forget(const std::string& consumer) {
  journal::State& state = context_.services.journal->state();
  if (consumer == kUnrouted) {
    unrouted_->discard(context_.services.journal->head());
    return {};
  }
  std::lock_guard lock(mutex_);  // its sink may be coming back just now
  for (const journal::ConsumerState& known : state.consumers()) {
    if (known.name != consumer) continue;
    if (!known.detached) {
      return base::error(base::Code::kInvalid, "'" + consumer + "' is wanted", "",
                         "remove its manifest first; only a detached place in the journal can be forgotten");
    }
    state.forget(consumer);
    for (const auto& [key, since] : state.key_values(kUnrouted)) {
      if (key.starts_with(consumer + '\n')) state.put({kUnrouted, key, std::nullopt});
    }
    context_.services.journal->maintain();
    return {};
  }
  return base::error(base::Code::kNotFound, "nothing in the journal is kept for '" + consumer + "'");
}

}  // namespace weir::runtime
