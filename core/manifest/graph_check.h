// Do the edges make a graph that events can flow through?
#pragma once

#include "manifest/folder.h"

namespace weir::manifest {

// Of the enabled instances: each `from` names one that is there, enabled and gives events on; sources have
// none, transforms and sinks have at least one; no event can come back to where it was. Works also where a
// component is not known: then its kind is not held against anybody.
void check_graph(const LoadedSet& set, Problems& problems);

}  // namespace weir::manifest
