#include "graph/edge.h"

namespace weir::graph {

void let_through(const condition::Condition& when, Flow flow, uint32_t node, std::vector<Flow>* out,
                 std::vector<Verdict>* refused) {
  const uint32_t count = flow.count();
  std::vector<uint8_t> matched(count);
  uint32_t matches = 0;
  for (uint32_t i = 0; i < count; ++i) matches += matched[i] = when.holds(flow.block->batch(), i);
  if (matches == count) return out->push_back(std::move(flow));
  FlowWriter writer(out);
  for (uint32_t i = 0; i < count; ++i) {
    if (!matched[i]) {
      refused->push_back({flow.cause(i), Fate::kUnmatched, node, 0, "no condition holds"});
    } else if (!writer.add(flow, i)) {
      refused->push_back({flow.cause(i), Fate::kRejected, node, WEIR_E_INVALID, "it is larger than a batch can be"});
    }
  }
  writer.cut();
}

}  // namespace weir::graph
