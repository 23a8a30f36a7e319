// weir_output of the test host: records what a transform decides, and applies it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/events.h"
#include "weir/plugin.h"

namespace weir::test {

enum class Decision {
  kNone,
  kKept,
  kDropped,
  kRejected,
  kReplaced
};  // replaced: emit() with it as the cause

struct Verdict {
  Decision decision = Decision::kNone;
  uint32_t code = 0;              // rejected
  std::string reason;             // dropped, rejected
  std::vector<uint32_t> amended;  // the fields, in the order of the calls
  bool operator==(const Verdict&) const = default;
};

// One process() call. Give get() to the plugin; read the rest afterwards. One thread.
class TransformOutput {
 public:
  explicit TransformOutput(const weir_batch* batch);
  // Of a stateful transform: an event without a decision is absorbed, and emit() decides nothing. `puts` is what it has
  // put so far, and becomes what it has put then; one output is for one call. No batch: a tick.
  TransformOutput(const weir_batch* batch, std::map<std::string, std::string>* puts);
  TransformOutput(const TransformOutput&) = delete;
  TransformOutput& operator=(const TransformOutput&) = delete;

  weir_output* get() { return &shim_; }

  const std::vector<Verdict>& verdicts() const { return verdicts_; }
  // The events that go on, in order: kept ones as amended, and in the place of a cause what was emitted for
  // it.
  std::vector<TestEvent> result() const;
  const std::map<std::string, std::string>& puts() const { return *puts_; }
  // What the transform did against transform.h: two decisions about one event, none, an index out of range
  // ...
  std::vector<std::string> violations() const;
  // True when every event was kept and none amended: the batch may be passed on without a copy.
  bool untouched() const;

 private:
  static TransformOutput& of(weir_output* output);
  bool decide(uint32_t i, Decision decision);
  weir_status amend(uint32_t i, const weir_amendment& amendment);
  weir_status emit(uint32_t cause, const weir_new_event& event);

  struct Shim : weir_output {
    TransformOutput* owner;
  } shim_;
  std::vector<TestEvent> events_;
  std::vector<Verdict> verdicts_;
  std::vector<std::vector<TestEvent>> derived_;  // by cause
  std::map<std::string, std::string> own_puts_;
  std::map<std::string, std::string>* puts_ = &own_puts_;
  bool stateful_ = false;
  std::vector<std::string> violations_;
};

}  // namespace weir::test
