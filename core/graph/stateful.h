// A stateful transform at the end of a path: one call, and what it came to.
//
// Its part of an event's story: the pure transforms have run, and the event reaches what remembers. It is absorbed,
// passed on, dropped or refused there, and may make new events; where those go is the caller's business.
#pragma once

#include <vector>

#include "graph/decisions.h"
#include "graph/flow.h"
#include "graph/stage.h"

namespace weir::graph {

// What one call came to. Events that are in no refusal are settled: absorbed, or passed on.
struct Answer {
  Flow outputs;  // without a block when there are none; causes are places in `input`
  event::SharedBlock input;
  std::vector<Refusal> refusals;  // one an event at most, sorted
};

// One running instance. One thread. Its calls are false when they were interrupted (base/interrupted.h): then the
// answer means nothing, and neither do the changes that were put on the way.
class StatefulNode {
 public:
  // Both outlive this. Puts go to `changes` during the calls.
  StatefulNode(TransformCall transform, StateChanges* changes) : transform_(transform), changes_(changes) {}

  // Outputs: a kept event is the event as amended; an emitted one stands for itself, and has of its cause the trace
  // alone. Outputs of one event stand together, the kept one first.
  [[nodiscard]] bool process(const weir_transform_context& context, const event::SharedBlock& block, Answer* answer);
  // Time has come to context.now_ns. Outputs have the cause 0, which is no event.
  [[nodiscard]] bool tick(const weir_transform_context& context, Answer* answer);
  bool wants_ticks() const { return transform_.table->tick != nullptr; }

  const NodeCounts& counts() const { return counts_; }

 private:
  void conclude(const weir_transform_context& context, const event::SharedBlock& block, Answer* answer);

  const TransformCall transform_;
  StateChanges* const changes_;
  Decisions decisions_;
  NodeCounts counts_;
};

}  // namespace weir::graph
