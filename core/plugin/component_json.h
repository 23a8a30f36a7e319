// A component's descriptor as JSON: how a probe tells its parent what it found.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "plugin/describe.h"

namespace weir::plugin {

nlohmann::json component_to_json(const Component& component);
// Throws nlohmann::json::exception when it is not one.
Component component_from_json(const nlohmann::json& json);

}  // namespace weir::plugin
