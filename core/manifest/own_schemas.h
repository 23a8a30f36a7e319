// What gateway.json and an instance's manifest look like.
#pragma once

#include "manifest/schema.h"

namespace weir::manifest {

const Schema& gateway_schema();
const Schema& instance_schema();

}  // namespace weir::manifest
