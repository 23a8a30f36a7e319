// The way from a consumer's cursor to the consumer: the pure transforms between them.
//
// An event's story here: it has been journaled, the consumer's cursor has come to it, and it enters at every
// node whose `from` names its source. Nodes pass blocks on, not events: what is kept stays in the very block
// that was read from the journal; the first change makes one copy, and later nodes edit that copy in place.
// Nothing of this is stored, so a changed transform applies to the backlog too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/edge.h"
#include "graph/flow.h"
#include "graph/runner.h"
#include "graph/stage.h"

namespace weir::graph {

// One transform instance and where its events come from: names of sources or of other nodes.
struct NodeSpec {
  std::string name;
  TransformCall transform;
  std::vector<Edge> from;
  bool drop_rejected = false;  // on_error: drop, so a rejection counts as filtered
};

// The nodes in front of one consumer. One thread: the consumer's delivery thread.
class Pipeline {
 public:
  // A graph that plan() has found sound: a cycle here is a defect. What does not lead to the sink is left
  // out. A name in a `from` that is no node is a source.
  Pipeline(std::vector<NodeSpec> nodes, std::vector<Edge> sink_from);

  // Does any path lead from that source to the sink?
  bool takes(std::string_view source) const;

  struct Output {
    // All records, read in order, are sorted by cause; those of one cause are in one piece and have part 0,
    // 1, 2 ... in an order that does not depend on where the input is cut. Sequence and trace_id are the
    // cause's; a record that is not its cause itself at part 0 has the id event::derive(cause id, part); what
    // a transform emitted is flagged DERIVED. There is one piece, unless what came out does not fit one
    // batch.
    std::vector<Piece> pieces;
    // At most one a cause, sorted by cause. An event has exactly one when it has no output; when it has some,
    // only if a branch rejected it (then `delivered` is set: the event goes to the dead letters beside its
    // output). A rejection wins over an unmatched condition and that over a filter, then the first node in the
    // order of the graph.
    std::vector<Verdict> verdicts;
  };
  // Runs a validated block of events of one source; reuses Output's memory. Nothing comes out when
  // !takes(source). Memory: one node makes at most a batch (16 MiB) of each event, so pass small blocks to
  // bound a run. False when a transform's call was interrupted (base/interrupted.h): then nothing comes out, and
  // the same block can be run again.
  [[nodiscard]] bool run(std::string_view source, const event::SharedBlock& block, Output* out);

  size_t node_count() const { return nodes_.size(); }
  const std::string& node_name(uint32_t node) const;  // "" for kAtSink
  const NodeCounts& counts(uint32_t node) const { return nodes_[node].counts; }

 private:
  struct Input {
    bool from_source;
    uint32_t index;  // into sources_ or nodes_
    std::optional<condition::Condition> when;
  };
  struct Node {
    NodeSpec spec;
    std::vector<Input> inputs;
    uint32_t readers = 0;  // nodes that read its output, the sink included
    uint32_t readers_left = 0;
    std::vector<Flow> output;
    NodeCounts counts;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t node_index(std::string_view name) const;
  uint32_t source_index(std::string_view name) const;
  std::vector<Input> inputs(const std::vector<Edge>& from);
  void sort(uint32_t node, std::vector<uint8_t>* state);
  void gather(const std::vector<Input>& inputs, uint32_t reader, uint32_t source,
              const event::SharedBlock& block);
  void judge(uint32_t events, Output* out);

  std::vector<Node> nodes_;
  std::vector<Input> sink_inputs_;
  std::vector<std::string> sources_;  // that reach the sink
  std::vector<uint32_t> order_;       // nodes that reach the sink, each after what it reads
  Runner runner_;
  std::vector<Flow> gathered_;
  std::vector<Verdict> refused_;
  std::vector<uint32_t> chosen_;    // for each event, its verdict's place in refused_
  std::vector<uint8_t> delivered_;  // for each event, whether it has output
};

}  // namespace weir::graph
