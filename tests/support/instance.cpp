// The instance of the test host: the calls of one component.
#include "base/time.h"
#include "support/plugin_host.h"

namespace weir::test {
namespace {

int64_t deadline_in(std::chrono::nanoseconds within) { return base::monotonic_ns() + within.count(); }

// Provides a weir_error and throws what a call has put into it.
class ErrorBuffer {
 public:
  weir_error* get() { return &error_; }
  void check(weir_status status) const {
    if (status != WEIR_OK) throw CallFailed(status, text_, pointer_, error_.retry_after_ms);
  }

 private:
  char text_[1024] = "";
  char pointer_[256] = "";
  weir_error error_{WEIR_OK, 0, text_, sizeof text_, sizeof pointer_, pointer_};
};

}  // namespace

Instance::Instance(const PluginLibrary& library, PluginHost& host, const std::string& component,
                   std::string_view config)
    : host_(host),
      component_(library.get<weir_component_v1>(component, WEIR_COMPONENT)),
      source_(library.get<weir_source_v1>(component, WEIR_SOURCE)),
      transform_(library.get<weir_transform_v1>(component, WEIR_TRANSFORM)),
      sink_(library.get<weir_sink_v1>(component, WEIR_SINK)) {
  if (component_ == nullptr) throw std::runtime_error(library.path() + " has no component " + component);
  ErrorBuffer error;
  error.check(component_->create(host.handle(), sdk::text(config), &self_, error.get()));
  if (source_ != nullptr) host.ingress.bind(source_, self_);
}

Instance::~Instance() {
  if (running_) {
    ErrorBuffer error;
    component_->stop(self_, deadline_in(kPatience), error.get());
  }
  if (source_ != nullptr) host_.ingress.unbind();
  component_->destroy(self_);
}

void Instance::call(Step step, std::chrono::nanoseconds within) {
  ErrorBuffer error;
  error.check(step(self_, deadline_in(within), error.get()));
}

void Instance::prepare(std::chrono::nanoseconds within) { call(component_->prepare, within); }
void Instance::start(std::chrono::nanoseconds within) {
  call(component_->start, within);
  running_ = true;
}
void Instance::pause(std::chrono::nanoseconds within) { call(component_->pause, within); }
void Instance::resume(std::chrono::nanoseconds within) { call(component_->resume, within); }
void Instance::drain(std::chrono::nanoseconds within) { call(component_->drain, within); }
void Instance::stop(std::chrono::nanoseconds within) {
  call(component_->stop, within);
  running_ = false;
}

InstanceHealth Instance::health() const {
  char text[1024] = "";
  weir_health health{0, sizeof text, text};
  component_->health(self_, &health);
  return {health.state, text};
}

void Instance::credit(uint64_t events, uint64_t bytes) { source_->credit(self_, events, bytes); }

weir_sink_limits Instance::limits() const {
  weir_sink_limits limits{};
  sink_->limits(self_, &limits);
  return limits;
}

void Instance::submit(const weir_batch* batch, uint64_t token, std::chrono::nanoseconds within) {
  ErrorBuffer error;
  error.check(sink_->submit(self_, batch, token, deadline_in(within), error.get()));
}

void Instance::cancel(uint64_t token) { sink_->cancel(self_, token); }

Completion Instance::deliver(const weir_batch* batch) {
  const uint64_t token = next_token_++;
  submit(batch, token);
  std::optional<Completion> completion = host_.delivery.wait_for(token);
  if (!completion) throw std::runtime_error("the sink did not complete its batch");
  return *std::move(completion);
}

void Instance::process(const weir_batch* batch, TransformOutput& output,
                       const weir_transform_context& context) {
  ErrorBuffer error;
  error.check(transform_->process(self_, &context, batch, output.get(), error.get()));
}

void Instance::restore(uint32_t format_version, const std::string& key, const std::string& value) {
  ErrorBuffer error;
  error.check(transform_->restore(self_, format_version, {key.data(), key.size()}, value.data(), value.size(),
                                  error.get()));
}

void Instance::tick(TransformOutput& output, const weir_transform_context& context) {
  ErrorBuffer error;
  error.check(transform_->tick(self_, &context, output.get(), error.get()));
}

}  // namespace weir::test
