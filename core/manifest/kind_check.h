// An instance against its component: does it exist, does the configuration fit its schema, do the settings
// fit its kind.
#pragma once

#include "manifest/catalog.h"
#include "manifest/instance_config.h"
#include "manifest/problem.h"

namespace weir::manifest {

// Fills in instance.component. What is wrong is added to `problems`.
void check_component(InstanceConfig& instance, const ComponentCatalog& catalog, Problems& problems);

}  // namespace weir::manifest
