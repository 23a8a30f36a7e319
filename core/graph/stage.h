// What goes into and comes out of the graph's nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/call_clock.h"
#include "event/block.h"
#include "weir/transform.h"

namespace weir::graph {

// A running instance of a transform. Owned elsewhere; it must outlive every pipeline that names it.
struct TransformCall {
  const weir_transform_v1* table = nullptr;
  void* self = nullptr;
  base::CallClock* clock = nullptr;  // may be null
  bool interruptible = false;        // base::kInterrupted is its carrier's word, not a plugin's number
};

// Events for the sink. causes[i] is the place of record i's cause in the block given to Pipeline::run; an
// empty `causes` means that record i comes from event i.
struct Piece {
  event::SharedBlock block;
  std::vector<uint32_t> causes;

  uint32_t count() const { return block->batch()->count; }
  uint32_t cause(uint32_t i) const { return causes.empty() ? i : causes[i]; }
};

// The larger one counts when an event has several.
enum class Fate {
  kFiltered,   // a transform dropped it
  kUnmatched,  // no condition of an edge let it through
  kRejected    // a transform refused it: to the dead letters
};

// Verdict::node of what no node refused, but the join in front of the sink.
inline constexpr uint32_t kAtSink = UINT32_MAX;

// An event that came no further.
struct Verdict {
  uint32_t cause = 0;  // its place in the block given to Pipeline::run
  Fate fate = Fate::kFiltered;
  uint32_t node = 0;       // which NodeSpec of the pipeline, in the order given, or kAtSink
  uint32_t code = 0;       // the plugin's own number; a weir_status when process() failed
  std::string reason;      // one line, valid UTF-8
  bool delivered = false;  // other branches have output for this event all the same
};

// What one node did, in events, since the pipeline was made.
struct NodeCounts {
  uint64_t in = 0;
  uint64_t filtered = 0;
  uint64_t rejected = 0;
  uint64_t emitted = 0;
  // The plugin's faults. Undecided ones are also in `filtered`, or in `rejected` when process() failed.
  uint64_t undecided = 0;
  uint64_t ignored_calls = 0;  // an index out of range, or what the host refused as invalid
};

}  // namespace weir::graph
