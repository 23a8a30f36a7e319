// Events on their way through the graph.
#pragma once

#include <cstdint>
#include <vector>

#include "event/merge.h"
#include "graph/stage.h"

namespace weir::graph {

// A piece inside of the graph. It is never empty, and its causes never decrease.
struct Flow : Piece {
  bool own = false;      // the block was made in this run: nobody outside of it knows the block
  bool derived = false;  // holds emitted events, so one cause may have several records

  // The block to write to: this one when nobody else sees it, else a copy that takes its place.
  event::Block* writable();
  // True when the block may be edited in place.
  bool sole_owner() const { return own && block.use_count() == 1; }
};

// The most that a copy of a record adds to a block, in bytes: record, text, pairs and alignment.
uint64_t copied_bytes(const weir_batch* batch, uint32_t i);

// Copies events into as many new flows as the size of a batch asks for, in the order given.
class FlowWriter {
 public:
  explicit FlowWriter(std::vector<Flow>* out) : out_(out) {}

  // False when the event does not even fit a batch of its own: it is left out.
  bool add(const Flow& from, uint32_t i);
  // Whether so much more fits the flow under way.
  bool room(uint64_t bytes, uint64_t events) const;
  // Ends the flow under way; what is added later goes into another one.
  void cut();

 private:
  std::vector<Flow>* out_;
  event::Merger merger_;
  Flow flow_;
};

}  // namespace weir::graph
