#include "runtime/runners.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "isolation/remote.h"
#include "runtime/leave_behind.h"

namespace weir::runtime {
namespace {

base::Monotonic in(base::Duration limit) { return base::now() + limit; }

// Memory that all sinks' windows share; the rest is for the door, the journal's tail and SQLite.
constexpr uint64_t kWindowShare = 2;

delivery::Options queue_options(const Context& context, const manifest::InstanceConfig& config,
                                const weir_sink_limits& limits, size_t sinks) {
  delivery::Options options;
  auto lower = [](auto wanted, uint32_t own, auto fallback) {
    uint64_t value = own != 0 ? own : fallback;
    return wanted ? std::min<uint64_t>(*wanted, value) : value;
  };
  delivery::Limits& to = options.limits;
  to.max_batch_events = static_cast<uint32_t>(lower(config.limits.batch_events, limits.max_batch_events, to.max_batch_events));
  to.max_batch_bytes = lower(config.limits.batch_bytes, limits.max_batch_bytes, to.max_batch_bytes);
  to.linger = std::chrono::milliseconds(limits.linger_ms);
  to.max_in_flight = std::max(limits.max_in_flight, uint32_t{1});
  to.window_bytes = std::max<uint64_t>(context.memory_max_bytes / kWindowShare / std::max<size_t>(sinks, 1), 1 << 20);
  to.window_events = static_cast<uint32_t>(std::clamp<uint64_t>(to.window_bytes / 256, 1024, 65536));
  options.backoff = {config.retry.initial, config.retry.max, config.retry.multiplier, config.retry.jitter};
  options.breaker.backoff = options.backoff;
  options.give_up_after = config.retry.give_up_after;
  if (config.on_error == manifest::OnError::kRetry) options.give_up_after.reset();
  options.seed = event::random_u64();
  return options;
}

auto accepts(const manifest::InstanceConfig& config) {
  return [&config](std::string_view version) { return config.version.contains(version); };
}

base::Result<plugin::Binding> bind_here(const Context& context, const manifest::InstanceConfig& config) {
  auto library = context.plugins->load(config.plugin, accepts(config));
  if (!library) return library.error();
  return plugin::bind_library(*library, config.plugin);
}

base::Result<plugin::Binding> bind_isolated(const Context& context, const manifest::InstanceConfig& config) {
  auto offer = context.plugins->offer(config.plugin, accepts(config));
  if (!offer) return offer.error();
  isolation::RemoteOptions options;
  options.name = config.name;
  options.program = context.program;
  options.library = offer->library;
  options.version = offer->note.version;
  options.component = offer->component;
  options.gateway_id = context.services.gateway_id;
  options.memory_bytes = config.limits.memory_bytes.value_or(options.memory_bytes);
  return isolation::bind_remote(options);
}

}  // namespace

std::string fingerprint(const manifest::InstanceConfig& config) {
  std::string text = config.plugin + '\n' + (config.component ? config.component->artifact : "") + '\n' + config.config;
  auto add = [&](auto number) { text += '\n' + std::to_string(number); };
  add(static_cast<int>(config.durability));
  add(config.flush_ms);
  add(static_cast<int>(config.on_error));
  add(config.retry.initial.count());
  add(config.retry.max.count());
  add(config.retry.multiplier);
  add(config.retry.jitter);
  add(config.retry.give_up_after ? config.retry.give_up_after->count() : -1);
  add(config.isolated ? 1 : 0);
  for (const auto& limit : {config.limits.events_per_second, config.limits.bytes_in_flight, config.limits.batch_events,
                            config.limits.batch_bytes, config.limits.memory_bytes}) {
    add(limit.value_or(0));
  }
  return text;
}

std::unique_ptr<Unit> Unit::create(const Context& context, const manifest::InstanceConfig& config,
                                   manifest::Problems* problems) {
  auto refuse = [&](const std::string& pointer, const std::string& what) {
    problems->push_back(config.config_problem(pointer, what));
    return nullptr;
  };
  auto bound = config.isolated ? bind_isolated(context, config) : bind_here(context, config);
  if (!bound) return refuse("", bound.error().text());
  auto unit = std::make_unique<Unit>();
  unit->host = std::make_shared<InstanceHost>(context.services, config.name,
                                              static_cast<weir_kind>(bound->component.kind));
  unit->instance = std::make_unique<plugin::Instance>(config.name, std::move(*bound), unit->host);
  plugin::CallResult made = unit->instance->create(config.config);
  if (!made.ok()) return refuse(made.pointer, made.status.error().what);
  return unit;
}

void Unit::end() {
  if (instance == nullptr || instance->hung()) return;
  using State = plugin::Instance::State;
  State state = instance->state();
  if (state == State::kRunning || state == State::kPaused || state == State::kDrained) {
    if (auto done = instance->stop(in(kStopLimit)); !done.ok()) base::log_error(host->name(), done.status.error().text());
  }
  if (instance->hung() || state == State::kNew || state == State::kDestroyed) return;
  if (!host->end_events(kStopLimit)) {
    base::log_error(host->name(), "hangs in a timer's or a descriptor's call; it is left behind");
    leave_behind(std::move(host), std::move(instance));
    return;
  }
  if (auto done = instance->destroy(); !done.ok()) base::log_error(host->name(), done.status.error().text());
}

std::unique_ptr<SourceRunner> SourceRunner::create(const Context& context, const manifest::InstanceConfig& config,
                                                   manifest::Problems* problems) {
  auto unit = Unit::create(context, config, problems);
  if (unit == nullptr) return nullptr;
  std::unique_ptr<SourceRunner> runner(new SourceRunner(config, std::move(unit)));
  ingress::Door::Options options;
  options.relaxed = config.durability == manifest::Durability::kRelaxed;
  options.flush = std::chrono::milliseconds(config.flush_ms);
  options.events_per_second = config.limits.events_per_second.value_or(0);
  options.bytes_in_flight = config.limits.bytes_in_flight.value_or(context.budget->max_bytes);
  runner->door = std::make_shared<ingress::Door>(*context.services.journal, *context.budget, config.name, options);
  runner->unit->host->attach(runner->door);
  return runner;
}

SourceRunner::~SourceRunner() { end(); }

plugin::CallResult SourceRunner::prepare() { return unit->instance->prepare(in(kPrepareLimit)); }

plugin::CallResult SourceRunner::start() {
  door->open(unit->instance->source(), unit->instance->self(), &unit->clock);
  return unit->instance->start(in(kStartLimit));
}

void SourceRunner::quiesce() {
  if (unit->instance->state() != plugin::Instance::State::kRunning || unit->instance->hung()) return;
  auto paused = unit->instance->pause(in(kStopLimit));
  if (!paused.ok()) base::log_warn(config.name, paused.status.error().text());
  if (unit->instance->hung()) return;
  auto drained = unit->instance->drain(in(kDrainLimit));
  if (!drained.ok()) base::log_warn(config.name, "not everything was answered: " + drained.status.error().text());
}

void SourceRunner::end() {
  if (unit == nullptr) return;
  bool runs = unit->instance->state() == plugin::Instance::State::kRunning;
  if (runs) quiesce();
  // The plugin may be called until the door is closed, and must live until then.
  if (!door->close(kStopLimit)) {
    base::log_error(config.name, "hangs in settled(), or the disk does; it is left behind");
    leave_behind(door, std::move(unit));
    return;
  }
  unit->end();
  unit.reset();
}

std::unique_ptr<SinkRunner> SinkRunner::create(const Context& context, const manifest::InstanceConfig& config,
                                               manifest::Problems* problems) {
  auto unit = Unit::create(context, config, problems);
  if (unit == nullptr) return nullptr;
  return std::unique_ptr<SinkRunner>(new SinkRunner(config, std::move(unit)));
}

SinkRunner::~SinkRunner() { end(); }

plugin::CallResult SinkRunner::prepare() { return unit->instance->prepare(in(kPrepareLimit)); }

plugin::CallResult SinkRunner::start(const Context& context, journal::ConsumerState state, size_t sinks) {
  // Shared with the call, which may come back after it was given up.
  auto limits = std::make_shared<weir_sink_limits>();
  auto asked = unit->instance->call("limits", in(kStartLimit),
                                    [limits, table = unit->instance->sink()](void* self, weir_error*) {
                                      table->limits(self, limits.get());
                                      return weir_status{WEIR_OK};
                                    });
  if (!asked.ok()) return asked;
  delivery::Consumer::Options options;
  options.queue = queue_options(context, config, *limits, sinks);
  options.plugin = config.plugin;
  options.version = unit->version();
  options.drop_rejected = config.on_error == manifest::OnError::kDrop;
  options.retry_rejected = config.on_error == manifest::OnError::kRetry;
  options.gateway_id = context.services.gateway_id;
  options.describe = [names = names_](const std::string& node) {
    std::lock_guard lock(names->mutex);
    return names->names[node];
  };
  consumer = std::make_shared<delivery::Consumer>(
      *context.services.journal, std::move(state), make_pipeline(edges, transforms),
      delivery::SinkCall{unit->instance->sink(), unit->instance->self(), &unit->clock}, std::move(options));
  unit->host->attach(consumer);
  plugin::CallResult started = unit->instance->start(in(kStartLimit));
  if (!started.ok()) {
    unit->host->attach(std::shared_ptr<delivery::Consumer>());
    consumer.reset();
    return started;
  }
  consumer->start();
  return started;
}

std::vector<graph::Edge> edges_of(const manifest::InstanceConfig& config) {
  std::vector<graph::Edge> edges;
  for (const manifest::Edge& edge : config.from) {
    if (edge.when.empty()) {
      edges.emplace_back(edge.instance);
    } else {
      edges.emplace_back(edge.instance, std::get<condition::Condition>(condition::Condition::compile(edge.when)));
    }
  }
  return edges;
}

std::unique_ptr<graph::Pipeline> make_pipeline(std::vector<graph::Edge> from, const Transforms& transforms) {
  std::vector<graph::NodeSpec> nodes;
  for (const TransformRunner& transform : transforms) {
    graph::NodeSpec node;
    node.name = transform.config.name;
    node.transform = transform.unit->call();
    node.from = edges_of(transform.config);
    node.drop_rejected = transform.config.on_error == manifest::OnError::kDrop;
    nodes.push_back(std::move(node));
  }
  return std::make_unique<graph::Pipeline>(std::move(nodes), std::move(from));
}

bool SinkRunner::set_path(graph::Path new_path, std::vector<graph::Edge> new_edges, Transforms new_transforms, std::string new_fingerprint) {
  path = std::move(new_path);
  edges = std::move(new_edges);
  path_fingerprint = std::move(new_fingerprint);
  std::swap(transforms, new_transforms);
  {
    std::lock_guard lock(names_->mutex);
    for (const TransformRunner& transform : transforms) {
      names_->names[transform.config.name] = {transform.config.plugin, transform.unit->version()};
    }
  }
  interrupt_transforms(new_transforms);  // the old ones, which give back what they cannot finish
  bool unused = consumer == nullptr || consumer->replace(make_pipeline(edges, transforms), kStopLimit);
  if (unused) {
    end_transforms(std::move(new_transforms));
    return true;
  }
  base::log_error(config.name, "is busy in its sink; its old transforms are kept until it answers");
  old_transforms_.push_back(std::move(new_transforms));
  return false;
}

void SinkRunner::stop_consumer(base::Duration patience) {
  if (consumer == nullptr || std::exchange(consumer_stopped_, true)) return;
  interrupt_transforms(transforms);
  consumer->pause(true);
  (void)consumer->wait_idle(patience);
  if (consumer->stop(kStopLimit)) return;
  base::log_error(config.name, "hangs in submit(); it is left behind");
  // Its thread may come back to the consumer, the transforms and the plugin at any time: all of them stay.
  leave_behind(consumer, std::move(unit), std::move(transforms), std::move(old_transforms_));
  transforms.clear();
  old_transforms_.clear();
}

void SinkRunner::end() {
  stop_consumer(kDrainLimit);
  if (unit != nullptr) {
    unit->end();
    unit.reset();
  }
  end_transforms(std::move(transforms));
  for (Transforms& old : old_transforms_) end_transforms(std::move(old));
  old_transforms_.clear();
}

Transforms make_transforms(const Context& context, const std::vector<const manifest::InstanceConfig*>& configs,
                           manifest::Problems* problems) {
  Transforms transforms;
  for (const manifest::InstanceConfig* config : configs) {
    TransformRunner runner{*config, Unit::create(context, *config, problems)};
    if (runner.unit == nullptr) break;
    plugin::CallResult done = runner.unit->instance->prepare(in(kPrepareLimit));
    if (done.ok()) done = runner.unit->instance->start(in(kStartLimit));
    if (!done.ok()) problems->push_back(config->config_problem(done.pointer, done.status.error().what));
    transforms.push_back(std::move(runner));
    if (!done.ok()) break;
  }
  return transforms;
}

void interrupt_transforms(const Transforms& transforms) {
  for (const TransformRunner& transform : transforms) {
    if (transform.unit != nullptr) transform.unit->instance->interrupt();
  }
}

void end_transforms(Transforms transforms) {
  for (TransformRunner& transform : transforms) {
    if (transform.unit != nullptr) transform.unit->end();
  }
}

}  // namespace weir::runtime
