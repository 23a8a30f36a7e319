// One instance under check, led through its life by direct calls.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "check/host.h"
#include "check/recorder.h"
#include "check/samples.h"
#include "check/trial.h"

namespace weir::check {

// What a call came to.
struct Answer {
  weir_status status = WEIR_OK;
  std::string text;     // the plugin's
  std::string pointer;  // into the configuration
  bool ok() const { return status == WEIR_OK; }
};

// Calls are made on the thread that made the subject, its control thread. A failing call's text and pointer are judged
// by the check `error-text`. Destroyed with the object when it was created.
class Subject {
 public:
  Subject(Trial& trial, Estate& estate, Host::Options options = {});
  ~Subject();
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  Answer create() { return create(trial_.job().config); }
  Answer create(const std::string& config);
  // With the deadline of the job, or the one given (CLOCK_MONOTONIC, ns).
  Answer prepare(int64_t deadline_ns = 0);
  Answer start(int64_t deadline_ns = 0);
  Answer pause(int64_t deadline_ns = 0);
  Answer resume(int64_t deadline_ns = 0);
  Answer drain(int64_t deadline_ns = 0);
  // Also ends the host's threads for this instance.
  Answer stop(int64_t deadline_ns = 0);
  void destroy();

  // create, prepare, limits, start. What fails is a finding of the check that runs.
  bool up(Door door = Door::kAccept);
  // drain, stop, destroy; likewise.
  bool down();
  // One of the calls above must have worked: a finding when not.
  bool must(const char* call, const Answer& answer);

  bool alive() const { return self_ != nullptr; }
  void* self() const { return self_; }
  Host& host() { return *host_; }
  // Of a transform. It lives as long as the instance, because a plugin may use its output too late.
  Recorder& recorder() { return *recorder_; }
  // Keeps a batch until the next one is retired.
  void retire(Batch batch) { retired_.emplace(std::move(batch)); }
  const weir_sink_limits& limits() const { return limits_; }
  weir_sink_limits ask_limits();  // and keeps them for limits()
  // How it is, judged by the check `health`. Any thread.
  void health();

 private:
  using Step = weir_status (*weir_component_v1::*)(void*, int64_t, weir_error*);
  Answer step(const char* call, Step step, int64_t deadline_ns, Phase during, Phase after);

  Trial& trial_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<Recorder> recorder_;
  const weir_component_v1* const life_;
  void* self_ = nullptr;
  weir_sink_limits limits_{};
  std::optional<Batch> retired_;
};

// A caller's weir_error with guards behind its buffers, and what the plugin wrote into it.
class ErrorBuffer {
 public:
  explicit ErrorBuffer(uint32_t text_capacity = 1024, uint32_t pointer_capacity = 512);
  weir_error* get() { return &error_; }
  // What a call with this status came to; breaches are findings of `error-text`.
  Answer judge(Trial& trial, const char* call, weir_status status) const;

 private:
  std::string text_, pointer_;
  weir_error error_;
};

}  // namespace weir::check
