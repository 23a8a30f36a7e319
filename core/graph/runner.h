// Runs one node over the events that reach it.
#pragma once

#include <vector>

#include "graph/decisions.h"
#include "graph/flow.h"

namespace weir::graph {

// One node of a pipeline, as a runner needs it.
struct Work {
  TransformCall transform;
  uint32_t node;       // for verdicts
  bool drop_rejected;  // a rejection counts as filtered
  NodeCounts* counts;
};

// Calls transforms. Its buffers are reused from node to node. One thread.
class Runner {
 public:
  // Appends what goes on to `out`, in the order of causes, and what does not to `refused`. When a transform
  // makes more of a batch than a batch may hold, it is called again with the halves: a pure one says the
  // same, so where the input is cut makes no difference. What one event turns into must fit one batch, or the
  // event is rejected. False when the call was interrupted (base/interrupted.h): then neither means anything.
  [[nodiscard]] bool run(const Work& work, Flow flow, std::vector<Flow>* out, std::vector<Verdict>* refused);

 private:
  bool halve(const Work& work, const Flow& flow, std::vector<Flow>* out, std::vector<Verdict>* refused);

  Decisions decisions_;
};

}  // namespace weir::graph
