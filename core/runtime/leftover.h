// Of a set of manifests, what its conditions may leave over.
#pragma once

#include "graph/leftover.h"
#include "manifest/folder.h"

namespace weir::runtime {

// Of a set that has been checked and is ok.
graph::Leftover leftover_of(const manifest::LoadedSet& set);

}  // namespace weir::runtime
