#include "graph/pipeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/result.h"
#include "graph/join.h"

namespace weir::graph {

Pipeline::Pipeline(std::vector<NodeSpec> nodes, std::vector<std::string> sink_from) {
  for (NodeSpec& spec : nodes) {
    WEIR_CHECK(spec.transform.table != nullptr && spec.transform.table->process != nullptr);
    nodes_.emplace_back().spec = std::move(spec);
  }
  // Only what the sink can be reached from gets edges, an index as a source, and a place in the order.
  sink_inputs_ = edges(sink_from);
  std::vector<uint8_t> state(nodes_.size(), 0);
  for (const Edge& edge : sink_inputs_) {
    if (!edge.from_source) sort(edge.index, &state);
  }
}

// Depth first: a node comes after everything it reads.
void Pipeline::sort(uint32_t node, std::vector<uint8_t>* state) {
  enum : uint8_t { kNew, kOpen, kDone };
  WEIR_CHECK((*state)[node] != kOpen);  // a cycle, which plan() refuses
  if ((*state)[node] == kDone) return;
  (*state)[node] = kOpen;
  nodes_[node].inputs = edges(nodes_[node].spec.from);
  for (const Edge& edge : nodes_[node].inputs) {
    if (!edge.from_source) sort(edge.index, state);
  }
  (*state)[node] = kDone;
  order_.push_back(node);
}

std::vector<Pipeline::Edge> Pipeline::edges(const std::vector<std::string>& from) {
  std::vector<Edge> edges;
  for (auto name = from.begin(); name != from.end(); ++name) {
    if (std::find(from.begin(), name, *name) != name) continue;  // named twice
    if (uint32_t node = node_index(*name); node != kNone) {
      edges.push_back({false, node});
      ++nodes_[node].readers;
      continue;
    }
    uint32_t source = source_index(*name);
    if (source == kNone) {
      source = static_cast<uint32_t>(sources_.size());
      sources_.push_back(*name);
    }
    edges.push_back({true, source});
  }
  return edges;
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
    gather(node.inputs, entry, block);
    const Work work{node.spec.transform, index, node.spec.drop_rejected, &node.counts};
    for (Flow& flow : gathered_) {
      if (!runner_.run(work, std::move(flow), &node.output, &refused_)) return false;
    }
  }
  gather(sink_inputs_, entry, block);
  join(*block, &gathered_, &out->pieces, &refused_);
  if (!refused_.empty()) judge(block->batch()->count, out);
  return true;
}

// Collects the flows of `inputs` in gathered_. The last reader of a node gets its flows themselves, so that
// it may be the sole owner of their blocks.
void Pipeline::gather(const std::vector<Edge>& inputs, uint32_t source, const event::SharedBlock& block) {
  gathered_.clear();
  for (const Edge& edge : inputs) {
    if (edge.from_source) {
      if (edge.index != source) continue;
      gathered_.emplace_back().block = block;
      continue;
    }
    Node& node = nodes_[edge.index];
    if (--node.readers_left == 0) {
      std::move(node.output.begin(), node.output.end(), std::back_inserter(gathered_));
      node.output.clear();
    } else {
      gathered_.insert(gathered_.end(), node.output.begin(), node.output.end());
    }
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
    bool rejected = refused_[k].fate == Fate::kRejected;
    if (chosen == kNone || (rejected && refused_[chosen].fate != Fate::kRejected)) chosen = k;
  }
  for (uint32_t cause = 0; cause < events; ++cause) {
    if (chosen_[cause] == kNone) continue;
    Verdict& verdict = refused_[chosen_[cause]];
    verdict.delivered = delivered_[cause] != 0;
    if (verdict.delivered && verdict.fate == Fate::kFiltered) continue;
    out->verdicts.push_back(std::move(verdict));
  }
}

}  // namespace weir::graph
