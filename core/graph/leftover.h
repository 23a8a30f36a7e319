// What no condition lets through anywhere must not be let go of: which part of the graph tells.
//
// A source from which some way without a condition leads to a consumer leaves nothing over: whatever becomes of an event
// on that way is said there. For the others it takes the conditions, and the transforms in front of them, to know.
#pragma once

#include <string>
#include <vector>

#include "graph/edge.h"
#include "graph/plan.h"

namespace weir::graph {

// An instance with what it reads.
struct Reader {
  std::string name;
  Kind kind = Kind::kSource;
  std::vector<Edge> from;
};

struct Leftover {
  std::vector<std::string> sources;  // whose events may match nothing, sorted; empty: there is nothing to look at
  std::vector<std::string> nodes;    // pure transforms that stand in front of a condition, sorted
  std::vector<Edge> taken;           // what comes through these is somebody's: no condition lies behind them
};

// Of a graph that plan() has found sound. A pipeline of `nodes` with `taken` as its end calls those events unmatched that
// nobody gets.
Leftover leftover(const std::vector<Reader>& readers);

}  // namespace weir::graph
