// Where the branches come together in front of the sink: order, part numbers, ids.
#pragma once

#include <vector>

#include "graph/flow.h"

namespace weir::graph {

// Turns the flows that reach the sink into pieces: all records, read in order, are sorted by cause, and those
// of one cause are in one piece and have parts 0, 1, 2 ... in the order of the branches. `source` is the
// block that the causes are places in; `flows` comes in the order of the branches and is emptied. One flow
// that needs nothing is passed on as it is.
void join(const event::Block& source, std::vector<Flow>* flows, std::vector<Piece>* pieces,
          std::vector<Verdict>* refused);

}  // namespace weir::graph
