// The tables of the ABI over Remote's members.
#include <algorithm>
#include <cstring>

#include "isolation/remote.h"

namespace weir::isolation {
namespace {

Remote& of(void* self) { return *static_cast<Remote*>(self); }

template <Step kStep>
weir_status step(void* self, int64_t deadline_ns, weir_error* error) {
  return of(self).step(kStep, deadline_ns, error);
}

// create is the binding's: it needs to know what to make.
constexpr weir_component_v1 kLife = {nullptr,
                                     &step<Step::kPrepare>,
                                     &step<Step::kStart>,
                                     &step<Step::kPause>,
                                     &step<Step::kResume>,
                                     &step<Step::kDrain>,
                                     &step<Step::kStop>,
                                     [](void* self) { delete &of(self); },
                                     [](void* self, weir_health* health) {
                                       plugin::Health now = of(self).health();
                                       health->state = now.state;
                                       if (health->text_capacity == 0) return;
                                       size_t size = std::min<size_t>(now.text.size(), health->text_capacity - 1);
                                       std::memcpy(health->text, now.text.data(), size);
                                       health->text[size] = '\0';
                                     }};

constexpr weir_source_v1 kSource = {
    [](void* self, const weir_settlement* settlements, uint32_t n) { of(self).settled(settlements, n); },
    [](void* self, uint64_t events, uint64_t bytes) { of(self).credit(events, bytes); }};

constexpr weir_sink_v1 kSink = {
    [](void* self, weir_sink_limits* limits) { of(self).limits(limits); },
    [](void* self, const weir_batch* batch, uint64_t token, int64_t deadline_ns, weir_error* error) {
      return of(self).submit(batch, token, deadline_ns, error);
    },
    [](void* self, uint64_t token) { of(self).cancel(token); }};

weir_status process(void* self, const weir_transform_context* context, const weir_batch* batch, weir_output* output,
                    weir_error* error) {
  return of(self).process(*context, batch, output, error);
}

weir_status restore(void* self, uint32_t format, weir_text key, const void* value, uint64_t size, weir_error* error) {
  return of(self).restore(format, {key.data, static_cast<size_t>(key.size)},
                          {static_cast<const char*>(value), static_cast<size_t>(size)}, error);
}

weir_status tick(void* self, const weir_transform_context* context, weir_output* output, weir_error* error) {
  return of(self).tick(*context, output, error);
}

constexpr weir_transform_v1 kPure = {&process, nullptr, nullptr, 0, 0};

}  // namespace

plugin::Binding bind_remote(const RemoteOptions& options) {
  // What the binding stands on: the options, and a table with the plugin's own state format.
  struct Kept {
    RemoteOptions options;
    weir_transform_v1 transform;
  };
  auto kept = std::make_shared<Kept>(Kept{options, kPure});
  if (options.component.stateful) {
    auto* ticks = options.component.ticks ? &tick : nullptr;
    kept->transform = {&process, &restore, ticks, options.component.state_format, 0};
  }
  plugin::Binding binding;
  binding.component = options.component;
  binding.version = options.version;
  binding.life = &kLife;
  binding.create = [kept](weir_host* host, weir_text config, void** self, weir_error* error) {
    auto remote = std::make_unique<Remote>(kept->options, host,
                                           std::string_view(config.data, static_cast<size_t>(config.size)));
    weir_status status = remote->create(error);
    if (status == WEIR_OK) *self = remote.release();
    return status;
  };
  binding.process = [](void* self) { return of(self).process_info(); };
  binding.interrupt = [](void* self) { of(self).interrupt(); };
  switch (options.component.kind) {
    case plugin::Kind::kSource: binding.source = &kSource; break;
    case plugin::Kind::kTransform: binding.transform = &kept->transform; break;
    case plugin::Kind::kSink: binding.sink = &kSink; break;
  }
  binding.keep = kept;
  return binding;
}

}  // namespace weir::isolation
