// What a transform says about the events of one batch: the host's side of weir_output.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/stage.h"
#include "graph/tail.h"

namespace weir::graph {

// A checked amendment; its text lies in the tail already.
struct Change {
  uint32_t index;  // the event
  uint32_t field;  // WEIR_FIELD_...
  uint32_t value_type;
  uint32_t metadata_count;
  weir_value value;  // the new value; for a text field its reference; for metadata the new text's
  weir_ref key;      // WEIR_FIELD_METADATA; after settle() key.offset is the offset of the new pair array
};

// A checked new event; what is zero or empty is the cause's.
struct Derived {
  uint32_t cause;
  uint32_t value_type;
  int64_t timestamp_ns;
  weir_ref device_id, sensor_type, unit;
  weir_value value;
  uint32_t metadata_count;
  uint32_t metadata_offset;
};

// Where a stateful transform's put()s go.
class StateChanges {
 public:
  virtual ~StateChanges() = default;
  // Size 0 removes the key. WEIR_E_UNAVAILABLE when the state would become larger than it may.
  virtual weir_status put(weir_text key, const void* value, uint64_t size) = 0;
};

// Why an event does not go on.
struct Refusal {
  uint32_t index;
  Fate fate;
  uint32_t code;
  std::string reason;
};

// Collects one process() call. The batch does not change during the call: changes are noted here and applied
// after it (rewrite.h), so a plugin may go on reading what it was given. Nothing that a plugin passes in is
// believed.
//
// Contradictions: reject wins over drop, drop over keep; emitted events stand in any case. Reused; one
// thread.
class Decisions final : public weir_output {
 public:
  Decisions();

  // Before process(): takes decisions about the events of `block`, which must stay until the next begin().
  void begin(const event::Block& block) { begin(block, nullptr); }
  // The same for a stateful transform: put() leads to `changes`, and an event without a decision is absorbed.
  void begin(const event::Block& block, StateChanges* changes);
  // Before a tick: `block` holds one record, which is no event, so that nothing but emit() and put() is heard.
  void begin_tick(const event::Block& block, StateChanges* changes);
  // After process(): calls are ignored from now on. Events without a decision are filtered, or rejected with
  // `text` when status is not WEIR_OK; then everything is put in the events' order.
  void settle(weir_status status, std::string_view text);

  // Every event goes on as it is.
  bool all_kept() const { return kept_ == size_ && changes_.empty() && derived_.empty() && !overflow_; }
  bool kept(uint32_t i) const { return (states_[i] & kDecision) == kKept; }
  // The bytes of the block that apply() would make, or more than WEIR_BATCH_MAX_BYTES when there is too much.
  uint64_t result_bytes() const;

  const Tail& tail() const { return tail_; }
  uint32_t kept_count() const { return kept_; }
  // Changes are sorted by event, derived events by cause and then in the order of the calls; there is one
  // refusal for each event that is refused.
  const std::vector<Change>& changes() const { return changes_; }
  const std::vector<Derived>& derived() const { return derived_; }
  std::vector<Refusal>& refusals() { return refusals_; }
  uint32_t undecided() const { return undecided_; }
  uint64_t ignored_calls() const { return ignored_; }

 private:
  enum : uint8_t { kNone = 0, kKept = 1, kDropped = 2, kRejected = 3, kDecision = 3, kEmitted = 4 };

  void set_kept(uint32_t i);
  void refuse(uint32_t i, uint8_t decision, uint32_t code, std::string_view reason);
  weir_status note(uint32_t i, const weir_amendment& amendment);
  weir_status note_text(uint32_t i, const weir_amendment& amendment, bool required);
  weir_status note_value(uint32_t i, const weir_amendment& amendment);
  weir_status note_metadata(uint32_t i, const weir_amendment& amendment);
  weir_status derive(uint32_t cause, const weir_new_event& event);
  weir_status derive_metadata(const weir_new_event& event, Derived* derived);
  void resolve_metadata(size_t first, size_t last);
  bool room(uint64_t bytes);
  weir_status ignored(weir_status status) { return ++ignored_, status; }

  const event::Block* block_ = nullptr;
  StateChanges* state_ = nullptr;  // of a stateful transform
  uint32_t count_ = 0;  // 0 outside of process(): then every index is out of range
  uint32_t size_ = 0;   // events of the batch
  uint32_t kept_ = 0;
  uint32_t undecided_ = 0;
  uint64_t ignored_ = 0;
  bool overflow_ = false;
  std::vector<uint8_t> states_;
  std::vector<Change> changes_;
  std::vector<Derived> derived_;
  std::vector<Refusal> refusals_;
  std::vector<weir_metadata> pairs_;
  Tail tail_;
};

// The bytes of a block that a rewritten one takes over: up to the records when they are the last thing in it.
uint32_t kept_prefix(const weir_batch& batch);

}  // namespace weir::graph
