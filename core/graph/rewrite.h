// Makes a node's output block out of its input block and its decisions.
#pragma once

#include "graph/decisions.h"
#include "graph/flow.h"

namespace weir::graph {

// Applies settled decisions whose result_bytes() fit a batch. In place when nobody else sees the block and
// nothing is added to it; else the old text is copied once, the new text comes behind it and the records
// last. Records are copied whole, whatever their stride, so fields that are newer than this code survive.
void apply(const Decisions& decisions, Flow* flow);

}  // namespace weir::graph
