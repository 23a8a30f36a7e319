// The gateway's numbers in the Prometheus text format.
#pragma once

#include <string>

#include "runtime/status.h"

namespace weir::admin {

std::string metrics_text(const runtime::Status& status);

}  // namespace weir::admin
