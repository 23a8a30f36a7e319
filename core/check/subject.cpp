#include "check/subject.h"

#include <algorithm>
#include <cstring>

#include "event/validate.h"

namespace weir::check {
namespace {

constexpr char kGuard = '\xA5';
constexpr size_t kGuardBytes = 32;
// A host waits a moment longer than the deadline, for threads that wake late on a loaded machine.
constexpr base::Duration kGrace = std::chrono::milliseconds(1000);

bool guarded(const std::string& buffer, size_t capacity) {
  return std::all_of(buffer.begin() + static_cast<ptrdiff_t>(capacity), buffer.end(), [](char c) { return c == kGuard; });
}

// The text in a buffer, or nothing when it has no end in it.
bool read(const std::string& buffer, size_t capacity, std::string* text) {
  const size_t size = buffer.find('\0');
  if (size == std::string::npos || size >= std::max<size_t>(capacity, 1)) return false;
  *text = buffer.substr(0, size);
  return true;
}

}  // namespace

ErrorBuffer::ErrorBuffer(uint32_t text_capacity, uint32_t pointer_capacity)
    : text_(text_capacity + kGuardBytes, kGuard), pointer_(pointer_capacity + kGuardBytes, kGuard) {
  if (text_capacity > 0) text_[0] = '\0';
  if (pointer_capacity > 0) pointer_[0] = '\0';
  error_ = {WEIR_OK, 0, text_.data(), text_capacity, pointer_capacity, pointer_.data()};
}

Answer ErrorBuffer::judge(Trial& trial, const char* call, weir_status status) const {
  const std::string name = std::string(call) + "()";
  auto find = [&](const std::string& what) { trial.find("error-text", name + what); };
  Answer answer{status, "", ""};
  if (!guarded(text_, error_.text_capacity) || !guarded(pointer_, error_.pointer_capacity)) {
    find(" writes behind the buffer that weir_error gives it");
    return answer;
  }
  if (status == WEIR_OK || error_.text_capacity == 0) return answer;
  if (status < 0 || status > WEIR_E_INTERNAL) find(" returns the unknown status " + std::to_string(status));
  if (!read(text_, error_.text_capacity, &answer.text)) find(" fails with a text that has no NUL at its end");
  if (answer.text.empty()) find(" fails with status " + std::to_string(status) + " and no text");
  // A text that was cut to a small buffer may end within a character.
  if (answer.text.size() + 4 < error_.text_capacity && !event::valid_text(answer.text.data(), answer.text.size())) {
    find(" fails with a text that is not UTF-8");
  }
  if (answer.text.find('\n') != std::string::npos) find(" fails with a text of several lines");
  if (error_.pointer_capacity == 0) return answer;
  if (!read(pointer_, error_.pointer_capacity, &answer.pointer)) {
    find(" fails with a pointer that has no NUL at its end");
  } else if (!answer.pointer.empty() && answer.pointer[0] != '/') {
    find(" fails with the pointer '" + answer.pointer + "', which is no RFC 6901 pointer: it begins with '/'");
  }
  return answer;
}

Subject::Subject(Trial& trial, Estate& estate, Host::Options options)
    : trial_(trial),
      host_(std::make_unique<Host>(trial, estate, options)),
      recorder_(std::make_unique<Recorder>(trial, trial.component().stateful)),
      life_(trial.life()) {}

Subject::~Subject() {
  if (!alive()) return;
  const Phase phase = host_->phase();
  if (phase == Phase::kRunning || phase == Phase::kPaused || phase == Phase::kDrained) stop();
  destroy();
}

Answer Subject::create(const std::string& config) {
  host_->set_phase(Phase::kCreating);
  host_->set_control_thread();
  ErrorBuffer error;
  void* made = nullptr;
  weir_status status;
  {
    Doing doing(trial_.board(), "create", trial_.job().call_limit);
    status = life_->create(host_.get(), {config.data(), config.size()}, &made, error.get());
  }
  Answer answer = error.judge(trial_, "create", status);
  if (!answer.ok()) return answer;
  self_ = made;
  host_->set_phase(Phase::kCreated);
  if (made == nullptr) {
    trial_.find("create() succeeds without an instance: *self is null");
    answer.status = WEIR_E_INTERNAL;
  }
  return answer;
}

Answer Subject::step(const char* call, Step step, int64_t deadline_ns, Phase during, Phase after) {
  const Phase before = host_->phase();
  if (deadline_ns == 0) {
    deadline_ns = base::monotonic_ns(base::now() + trial_.job().call_limit);
  }
  host_->set_phase(during);
  ErrorBuffer error;
  weir_status status;
  {
    Doing doing(trial_.board(), call, trial_.job().call_limit + kGrace);
    status = (life_->*step)(self_, deadline_ns, error.get());
  }
  host_->set_phase(status == WEIR_OK ? after : before);
  return error.judge(trial_, call, status);
}

Answer Subject::prepare(int64_t deadline_ns) {
  return step("prepare", &weir_component_v1::prepare, deadline_ns, Phase::kPreparing, Phase::kPrepared);
}
Answer Subject::start(int64_t deadline_ns) {
  return step("start", &weir_component_v1::start, deadline_ns, Phase::kRunning, Phase::kRunning);
}
Answer Subject::pause(int64_t deadline_ns) {
  return step("pause", &weir_component_v1::pause, deadline_ns, Phase::kRunning, Phase::kPaused);
}
Answer Subject::resume(int64_t deadline_ns) {
  return step("resume", &weir_component_v1::resume, deadline_ns, Phase::kRunning, Phase::kRunning);
}
Answer Subject::drain(int64_t deadline_ns) {
  return step("drain", &weir_component_v1::drain, deadline_ns, Phase::kDraining, Phase::kDrained);
}
Answer Subject::stop(int64_t deadline_ns) {
  // The gateway's door is closed by now: nothing is settled any more.
  host_->settler().close();
  Answer answer = step("stop", &weir_component_v1::stop, deadline_ns, host_->phase(), Phase::kStopped);
  if (answer.ok()) host_->quiet();
  return answer;
}

void Subject::destroy() {
  host_->quiet();
  Doing doing(trial_.board(), "destroy", trial_.job().call_limit);
  life_->destroy(std::exchange(self_, nullptr));
}

bool Subject::must(const char* call, const Answer& answer) {
  if (answer.ok()) return true;
  trial_.find(std::string(call) + "() failed with status " + std::to_string(answer.status) +
              (answer.text.empty() ? "" : ": " + answer.text));
  return false;
}

weir_sink_limits Subject::ask_limits() {
  limits_ = {};
  Doing doing(trial_.board(), "limits", trial_.job().call_limit);
  trial_.sink()->limits(self_, &limits_);
  return limits_;
}

bool Subject::up(Door door) {
  if (!must("create", create()) || !must("prepare", prepare())) return false;
  if (trial_.is(plugin::Kind::kSink)) ask_limits();
  if (trial_.is(plugin::Kind::kSource)) host_->settler().open(trial_.source(), self_, door);
  return must("start", start());
}

bool Subject::down() {
  const bool drained = must("drain", drain());
  const bool stopped = must("stop", stop());
  destroy();
  return drained && stopped;
}

void Subject::health() {
  constexpr uint32_t kCapacity = 64;
  std::string text(kCapacity + kGuardBytes, kGuard);
  weir_health now{WEIR_HEALTH_OK, kCapacity, text.data()};
  text[0] = '\0';
  {
    Doing doing(trial_.board(), "health", trial_.job().call_limit);
    MustNotBlock here;
    life_->health(self_, &now);
  }
  std::string words;
  if (!guarded(text, kCapacity)) return trial_.find("health", "health() writes behind the buffer that it is given");
  if (now.state > WEIR_HEALTH_FAILED) trial_.find("health", "health() gives the unknown state " + std::to_string(now.state));
  if (!read(text, kCapacity, &words)) return trial_.find("health", "health() gives a text that has no NUL at its end");
  if (words.size() + 4 < kCapacity && !event::valid_text(words.data(), words.size())) {
    trial_.find("health", "health() gives a text that is not UTF-8");
  }
  if (now.state != WEIR_HEALTH_OK && words.empty()) {
    trial_.find("health", "health() says that it is not well, and not why");
  }
  if (words.find('\n') != std::string::npos) trial_.find("health", "health() gives a text of several lines");
}

}  // namespace weir::check
