#include "runtime/stateful_runner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "runtime/leave_behind.h"

namespace weir::runtime {
namespace {

// All of a large state, and state.db written before it.
constexpr base::Duration kRestoreLimit = std::chrono::seconds(30);
constexpr base::Duration kSyncPatience = std::chrono::seconds(5);

base::Monotonic in(base::Duration limit) { return base::now() + limit; }

void copy_text(std::string_view text, weir_error* error) {
  if (error == nullptr || error->text == nullptr || error->text_capacity == 0) return;
  size_t size = std::min<size_t>(text.size(), error->text_capacity - 1);
  std::memcpy(error->text, text.data(), size);
  error->text[size] = '\0';
}

}  // namespace

std::unique_ptr<StatefulRunner> StatefulRunner::create(const Context& context, const manifest::InstanceConfig& config,
                                                       manifest::Problems* problems) {
  auto unit = Unit::create(context, config, problems);
  if (unit == nullptr) return nullptr;
  return std::unique_ptr<StatefulRunner>(new StatefulRunner(config, std::move(unit)));
}

StatefulRunner::~StatefulRunner() { end(); }

plugin::CallResult StatefulRunner::prepare() { return unit->instance->prepare(in(kPrepareLimit)); }

void StatefulRunner::set_path(graph::Path new_path, Transforms new_transforms, std::string new_fingerprint) {
  path = std::move(new_path);
  transforms = std::move(new_transforms);
  path_fingerprint = std::move(new_fingerprint);
}

plugin::CallResult StatefulRunner::start(const Context& context, journal::ConsumerState state) {
  const weir_transform_v1* table = unit->instance->transform();
  auto kept = std::make_shared<delivery::TransformState>(config.name, table->state_format);
  if (auto done = restore(context, kept); !done.ok()) return done;
  if (auto done = unit->instance->start(in(kStartLimit)); !done.ok()) return done;
  delivery::StatefulConsumer::Options options;
  options.plugin = config.plugin;
  options.version = unit->version();
  options.drop_rejected = config.on_error == manifest::OnError::kDrop;
  std::map<std::string, std::pair<std::string, std::string>> nodes;
  for (const TransformRunner& transform : transforms) {
    nodes[transform.config.name] = {transform.config.plugin, transform.unit->version()};
  }
  options.describe = [nodes](const std::string& node) {
    auto found = nodes.find(node);
    return found != nodes.end() ? found->second : std::pair<std::string, std::string>();
  };
  engine = std::make_shared<delivery::StatefulConsumer>(
      *context.services.journal, std::move(state), make_pipeline(edges_of(config), transforms),
      unit->call(), std::move(kept), std::move(options));
  engine->start();
  return {};
}

plugin::CallResult StatefulRunner::restore(const Context& context,
                                           const std::shared_ptr<delivery::TransformState>& state) {
  journal::Journal* journal = context.services.journal;
  const weir_transform_v1* table = unit->instance->transform();
  auto declined = std::make_shared<bool>(false);
  auto done = unit->instance->call("restore", in(kRestoreLimit), [=](void* self, weir_error* error) -> weir_status {
    weir_status status = WEIR_OK;
    auto give_back = [&](uint32_t format, const std::string& key, const std::string& value) -> base::Status {
      status = table->restore(self, format, {key.data(), key.size()}, value.data(), value.size(), error);
      *declined = status == WEIR_E_UNSUPPORTED;
      return status == WEIR_OK ? base::Status() : base::error(base::Code::kInvalid, "declined");
    };
    auto read = state->restore(journal->state(), journal->files(), kSyncPatience, give_back);
    if (read || status != WEIR_OK) return status;
    copy_text("its state cannot be read now: " + read.error().text(), error);
    return WEIR_E_UNAVAILABLE;
  });
  if (done.ok() || !*declined) return done;
  base::Error error = done.status.error();
  error.what = "it declines the state that is kept for it: " + error.what + "; go back to the version that put it, or remove " +
               "its manifest and give the state up with `weir forget " + config.name + "`";
  done.status = error;
  return done;
}

void StatefulRunner::stop_engine() {
  // The engine itself stays: others look at its status at any time.
  if (engine == nullptr || std::exchange(engine_stopped_, true)) return;
  interrupt_transforms(transforms);
  if (unit != nullptr) unit->instance->interrupt();
  if (!engine->stop(kStopLimit)) {
    base::log_error(config.name, "hangs in a call; it is left behind");
    // Its thread may come back to the transforms and the plugin at any time: all of them stay.
    leave_behind(engine, std::move(unit), std::move(transforms));
    transforms.clear();
  }
}

void StatefulRunner::end() {
  stop_engine();
  if (unit != nullptr) {
    unit->end();
    unit.reset();
  }
  end_transforms(std::move(transforms));
  transforms.clear();
}

}  // namespace weir::runtime
