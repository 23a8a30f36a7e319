#include "plugin/instance.h"

#include <utility>

#include "base/log.h"
#include "plugin/control_thread.h"

namespace weir::plugin {
namespace {

using base::Code;
using base::Result;

constexpr base::Duration kLastStopLimit =
    std::chrono::seconds(5);  // of a destructor that has to stop it first
constexpr uint32_t kTextBytes = 1024;
constexpr uint32_t kPointerBytes = 512;

Code code_of(weir_status status) {
  switch (status) {
    case WEIR_E_INVALID:
      return Code::kInvalid;
    case WEIR_E_UNAVAILABLE:
      return Code::kUnavailable;
    case WEIR_E_TIMEOUT:
      return Code::kTimeout;
    case WEIR_E_UNSUPPORTED:
      return Code::kInvalid;
    case WEIR_E_DENIED:
      return Code::kDenied;
    default:
      return Code::kInternal;
  }
}

const char* state_name(Instance::State state) {
  switch (state) {
    case Instance::State::kNew:
      return "new";
    case Instance::State::kCreated:
      return "created";
    case Instance::State::kPrepared:
      return "prepared";
    case Instance::State::kRunning:
      return "running";
    case Instance::State::kPaused:
      return "paused";
    case Instance::State::kDrained:
      return "drained";
    case Instance::State::kStopped:
      return "stopped";
    case Instance::State::kDestroyed:
      return "destroyed";
  }
  return "in an unknown state";
}

// One call and its answer. Owned by the job: a call that never returns may still write to it.
struct Call {
  char text[kTextBytes] = "";
  char pointer[kPointerBytes] = "";
  weir_error error{WEIR_OK, 0, text, sizeof text, sizeof pointer, pointer};
  weir_status status = WEIR_OK;

  // The C border has no exceptions; a plugin that throws across it all the same shall not end the gateway.
  void run(const std::function<weir_status(weir_error*)>& body) {
    try {
      status = body(&error);
    } catch (...) {
      status = WEIR_E_INTERNAL;
      std::snprintf(text, sizeof text, "threw a C++ exception across the plugin border");
    }
  }

  CallResult result(const char* what, const std::string& name) {
    if (status == WEIR_OK) return {};
    text[sizeof text - 1] = '\0';
    pointer[sizeof pointer - 1] = '\0';
    std::string why =
        text[0] != '\0' ? text : "the plugin gave no reason (status " + std::to_string(status) + ")";
    return {base::error(code_of(status), std::string(what) + " failed: " + why, name), pointer,
            error.retry_after_ms};
  }
};

}  // namespace

Result<Binding> bind_library(std::shared_ptr<Library> library, std::string_view component) {
  const Component* found = library->find(component);
  if (found == nullptr) {
    return base::error(Code::kNotFound,
                       "the plugin '" + library->note().id + "' has no component '" + std::string(component) + "'");
  }
  Binding binding;
  binding.component = *found;
  binding.version = library->note().version;
  // The loader has seen that these are there.
  binding.life = static_cast<const weir_component_v1*>(library->table(found->name, WEIR_COMPONENT));
  binding.create = binding.life->create;
  switch (found->kind) {
    case Kind::kSource:
      binding.source = static_cast<const weir_source_v1*>(library->table(found->name, WEIR_SOURCE));
      break;
    case Kind::kTransform:
      binding.transform = static_cast<const weir_transform_v1*>(library->table(found->name, WEIR_TRANSFORM));
      break;
    case Kind::kSink:
      binding.sink = static_cast<const weir_sink_v1*>(library->table(found->name, WEIR_SINK));
      break;
  }
  binding.keep = std::move(library);
  return binding;
}

Instance::Instance(std::string name, Binding binding, std::shared_ptr<weir_host> host, base::Duration grace)
    : name_(std::move(name)),
      binding_(std::move(binding)),
      host_(std::move(host)),
      grace_(grace),
      thread_(std::make_unique<ControlThread>()) {}

Instance::~Instance() {
  if (hung() || state() == State::kNew || state() == State::kDestroyed) return;
  if (state() == State::kRunning || state() == State::kPaused || state() == State::kDrained) {
    if (CallResult stopped = stop(base::now() + kLastStopLimit); !stopped.ok()) {
      base::log_warn(name_, stopped.status.error().what);
    }
  }
  if (!hung()) destroy();
}

// Runs `body` on the control thread and waits for it, the grace included.
CallResult Instance::run(const char* what, base::Monotonic deadline,
                         std::function<weir_status(weir_error*)> body) {
  auto call = std::make_shared<Call>();
  struct Keep {
    std::shared_ptr<const void> binding;
    std::shared_ptr<weir_host> host;
  };
  auto keep = std::make_shared<Keep>(Keep{binding_.keep, host_});
  auto job = [call, body = std::move(body)] { call->run(body); };
  if (thread_->run(std::move(job), deadline + grace_, std::move(keep))) return call->result(what, name_);
  hung_ = true;
  base::log_error(name_, std::string(what) +
                             " did not return: the instance is abandoned, and its thread and library " +
                             "stay in memory until the gateway is restarted");
  return {base::error(Code::kTimeout,
                      std::string(what) + " did not return by its deadline; the instance hangs and was " +
                          "abandoned",
                      name_, "the plugin's author has to mend it"),
          "", 0};
}

CallResult Instance::refuse(const char* what) const {
  if (hung()) {
    return {base::error(Code::kTimeout, std::string(what) + " is not possible, the instance hangs", name_),
            "", 0};
  }
  return {base::error(Code::kInternal,
                      std::string(what) + " is not possible, the instance is " + state_name(state()), name_),
          "", 0};
}

CallResult Instance::create(std::string_view config, base::Duration limit) {
  if (hung() || state() != State::kNew) return refuse("create");
  auto made = std::make_shared<void*>(nullptr);
  CallResult created =
      run("create", base::now() + limit,
          [create = binding_.create, host = host_.get(), made, text = std::string(config)](weir_error* error) {
            return create(host, {text.data(), text.size()}, made.get(), error);
          });
  if (!created.ok()) return created;
  self_ = *made;
  state_ = State::kCreated;
  return created;
}

CallResult Instance::step(const char* what, Step step, State next, std::initializer_list<State> allowed,
                          base::Monotonic deadline) {
  bool in_order = false;
  for (State state : allowed) in_order = in_order || state == state_;
  if (hung() || !in_order) return refuse(what);
  CallResult done =
      call(what, deadline, [life = binding_.life, step, at = base::monotonic_ns(deadline)](void* self, auto* error) {
        return (life->*step)(self, at, error);
      });
  if (done.ok()) state_ = next;
  return done;
}

CallResult Instance::prepare(base::Monotonic deadline) {
  return step("prepare", &weir_component_v1::prepare, State::kPrepared, {State::kCreated}, deadline);
}
CallResult Instance::start(base::Monotonic deadline) {
  return step("start", &weir_component_v1::start, State::kRunning, {State::kPrepared}, deadline);
}
CallResult Instance::pause(base::Monotonic deadline) {
  return step("pause", &weir_component_v1::pause, State::kPaused, {State::kRunning}, deadline);
}
CallResult Instance::resume(base::Monotonic deadline) {
  return step("resume", &weir_component_v1::resume, State::kRunning, {State::kPaused}, deadline);
}
CallResult Instance::drain(base::Monotonic deadline) {
  return step("drain", &weir_component_v1::drain, State::kDrained, {State::kRunning, State::kPaused},
              deadline);
}
CallResult Instance::stop(base::Monotonic deadline) {
  return step("stop", &weir_component_v1::stop, State::kStopped,
              {State::kRunning, State::kPaused, State::kDrained}, deadline);
}

CallResult Instance::call(const char* what, base::Monotonic deadline,
                          std::function<weir_status(void* self, weir_error*)> body) {
  if (hung() || state() == State::kNew || state() == State::kDestroyed) return refuse(what);
  return run(what, deadline,
             [self = self(), body = std::move(body)](weir_error* error) { return body(self, error); });
}

CallResult Instance::destroy(base::Duration limit) {
  if (hung() || state() == State::kNew || state() == State::kDestroyed) return refuse("destroy");
  CallResult destroyed = call("destroy", base::now() + limit, [life = binding_.life](void* self, weir_error*) {
    life->destroy(self);
    return WEIR_OK;
  });
  if (hung()) return destroyed;
  // Gone even when it threw: a second try could free it twice.
  self_ = nullptr;
  state_ = State::kDestroyed;
  // Ended here, so that nothing which the plugin left in thread_locals pins the library.
  thread_.reset();
  return destroyed;
}

Health Instance::health() const {
  if (hung()) return {WEIR_HEALTH_FAILED, "does not answer: a call of the plugin hangs"};
  if (self_ == nullptr) return {WEIR_HEALTH_FAILED, std::string("is ") + state_name(state())};
  char text[kTextBytes] = "";
  weir_health now{WEIR_HEALTH_OK, sizeof text, text};
  binding_.life->health(self_, &now);
  text[sizeof text - 1] = '\0';
  return {now.state, text};
}

void Instance::interrupt() {
  if (void* self = self_.load(); self != nullptr && !hung() && binding_.interrupt) binding_.interrupt(self);
}

std::optional<ProcessInfo> Instance::process() const {
  void* self = self_;
  if (hung() || self == nullptr || !binding_.process) return std::nullopt;
  return binding_.process(self);
}

}  // namespace weir::plugin
