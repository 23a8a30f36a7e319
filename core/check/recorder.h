// The weir_output of the checks: writes down what a transform decides, so that two runs can be compared.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "check/trial.h"
#include "weir/transform.h"

namespace weir::check {

// One process() or tick() at a time: begin, the call, end. What breaks a rule of weir_output becomes a finding of the
// check of that rule. It must live until the plugin is gone: a plugin may use it too late.
class Recorder final : public weir_output {
 public:
  Recorder(Trial& trial, bool stateful);

  // For a batch of `count` events; the calls must come on this thread.
  void begin(uint32_t count);
  void begin_tick();
  // Looks for events without a decision, which a stateful transform has absorbed. `status` is what the call returned.
  void end(weir_status status);

  // What was decided about each event of the last batch, readable: "keep", "drop(cold)", "amend(unit=K) keep".
  const std::vector<std::string>& decisions() const { return decisions_; }
  // The keyed state after everything that was put so far.
  std::map<std::string, std::string>& state() { return state_; }

 private:
  enum class Fate : uint8_t { kNone, kKept, kDropped, kRejected, kEmitted, kAmended };

  // False when a call comes too late, from elsewhere, or about no event of the batch.
  bool usable(const char* call, uint32_t i);
  bool inside(const char* call);
  void decide(const char* call, uint32_t i, Fate fate, const std::string& words);
  weir_status amend_one(uint32_t i, const weir_amendment& amendment);
  weir_status emit_one(uint32_t cause, const weir_new_event& event);
  weir_status put_one(weir_text key, const void* value, uint64_t size);
  weir_status refuse(const std::string& what);

  Trial& trial_;
  const bool stateful_;
  bool open_ = false, ticking_ = false;
  std::thread::id thread_;
  std::vector<Fate> fates_;
  std::vector<std::string> decisions_;
  std::map<std::string, std::string> state_;
};

}  // namespace weir::check
