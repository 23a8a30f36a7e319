#include "graph/pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/result.h"
#include "graph/join.h"

namespace weir::graph {

Pipeline::Pipeline(std::vector<NodeSpec> nodes, std::vector<Edge> sink_from) {
  for (NodeSpec& spec : nodes) {
    WEIR_CHECK(spec.transform.table != nullptr && spec.transform.table->process != nullptr);
    nodes_.emplace_back().spec = std::move(spec);
  }
  // Only what the sink can be reached from gets edges, an index as a source, and a place in the order.
  sink_inputs_ = inputs(sink_from);
  std::vector<uint8_t> state(nodes_.size(), 0);
  for (const Input& input : sink_inputs_) {
    if (!input.from_source) sort(input.index, &state);
  }
}

// Depth first: a node comes after everything it reads.
void Pipeline::sort(uint32_t node, std::vector<uint8_t>* state) {
  enum : uint8_t { kNew, kOpen, kDone };
  WEIR_CHECK((*state)[node] != kOpen);  // a cycle, which plan() refuses
  if ((*state)[node] == kDone) return;
  (*state)[node] = kOpen;
  nodes_[node].inputs = inputs(nodes_[node].spec.from);
  for (const Input& input : nodes_[node].inputs) {
    if (!input.from_source) sort(input.index, state);
  }
  (*state)[node] = kDone;
  order_.push_back(node);
}

std::vector<Pipeline::Input> Pipeline::inputs(const std::vector<Edge>& from) {
  std::vector<Input> inputs;
  for (auto edge = from.begin(); edge != from.end(); ++edge) {
    const bool twice = std::any_of(from.begin(), edge, [&](const Edge& other) {
      return other.from == edge->from && !other.when && !edge->when;
    });
    if (twice) continue;
    if (uint32_t node = node_index(edge->from); node != kNone) {
      inputs.push_back({false, node, edge->when});
      ++nodes_[node].readers;
      continue;
    }
    uint32_t source = source_index(edge->from);
    if (source == kNone) {
      source = static_cast<uint32_t>(sources_.size());
      sources_.push_back(edge->from);
    }
    inputs.push_back({true, source, edge->when});
  }
  return inputs;
}

uint32_t Pipeline::node_index(std::string_view name) const {
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].spec.name == name) return i;
  }
  return kNone;
}

uint32_t Pipeline::source_index(std::string_view name) const {
  for (uint32_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i] == name) return i;
  }
  return kNone;
}

bool Pipeline::takes(std::string_view source) const { return source_index(source) != kNone; }

const std::string& Pipeline::node_name(uint32_t node) const {
  static const std::string kNoName;
  return node < nodes_.size() ? nodes_[node].spec.name : kNoName;
}

bool Pipeline::run(std::string_view source, const event::SharedBlock& block, Output* out) {
  out->pieces.clear();
  out->verdicts.clear();
  refused_.clear();
  const uint32_t entry = source_index(source);
  if (entry == kNone || block->batch()->count == 0) return true;
  for (uint32_t index : order_) {
    Node& node = nodes_[index];
    node.readers_left = node.readers;
    node.output.clear();
    gather(node.inputs, index, entry, block);
    const Work work{node.spec.transform, index, node.spec.drop_rejected, &node.counts};
    for (Flow& flow : gathered_) {
      if (!runner_.run(work, std::move(flow), &node.output, &refused_)) return false;
    }
  }
  gather(sink_inputs_, kAtSink, entry, block);
  join(*block, &gathered_, &out->pieces, &refused_);
  if (!refused_.empty()) judge(block->batch()->count, out);
  return true;
}

// Collects the flows of `inputs` in gathered_. The last reader of a node gets its flows themselves, so that
// it may be the sole owner of their blocks. What a condition keeps back is unmatched at `reader`.
void Pipeline::gather(const std::vector<Input>& inputs, uint32_t reader, uint32_t source,
                      const event::SharedBlock& block) {
  gathered_.clear();
  auto take = [&](const Input& input, Flow flow) {
    if (!input.when) return gathered_.push_back(std::move(flow));
    let_through(*input.when, std::move(flow), reader, &gathered_, &refused_);
  };
  for (const Input& input : inputs) {
    if (input.from_source) {
      if (input.index != source) continue;
      Flow whole;
      whole.block = block;
      take(input, std::move(whole));
      continue;
    }
    Node& node = nodes_[input.index];
    const bool last = --node.readers_left == 0;
    for (Flow& flow : node.output) take(input, last ? std::move(flow) : flow);
    if (last) node.output.clear();
  }
}

// Chooses at most one verdict for each event.
void Pipeline::judge(uint32_t events, Output* out) {
  chosen_.assign(events, kNone);
  delivered_.assign(events, 0);
  for (const Piece& piece : out->pieces) {
    for (uint32_t i = 0; i < piece.count(); ++i) delivered_[piece.cause(i)] = 1;
  }
  for (uint32_t k = 0; k < refused_.size(); ++k) {
    uint32_t& chosen = chosen_[refused_[k].cause];
    if (chosen == kNone || refused_[k].fate > refused_[chosen].fate) chosen = k;
  }
  for (uint32_t cause = 0; cause < events; ++cause) {
    if (chosen_[cause] == kNone) continue;
    Verdict& verdict = refused_[chosen_[cause]];
    verdict.delivered = delivered_[cause] != 0;
    if (verdict.delivered && verdict.fate != Fate::kRejected) continue;
    out->verdicts.push_back(std::move(verdict));
  }
}

}  // namespace weir::graph
