// Configurations made from a component's JSON Schema.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weir::check {

// The least that fits the schema: the required keys, with their example, default, or the simplest value that fits.
// Fails when no value that this tries fits, such as for a pattern without an example.
base::Result<nlohmann::json> least_config(const std::string& schema);

// Others that fit the schema: every key set, each at its bounds, long and hostile text, empty and long arrays. At most
// `most`.
std::vector<nlohmann::json> config_variations(const std::string& schema, const nlohmann::json& least, size_t most);

// Whether a configuration fits; why not, when it does not.
base::Status fits_schema(const std::string& schema, const nlohmann::json& config);

// Defaults and examples in the schema that the schema itself refuses, a line each.
std::vector<std::string> wrong_samples(const std::string& schema);

}  // namespace weir::check
