// Turns what the validator found into what a person needs to read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "manifest/document.h"

namespace weir::manifest {

// As the validator reports it.
struct Finding {
  std::string pointer;  // into the value that was checked
  std::string text;
};

// One problem for each thing that is wrong. The validator repeats every fault at each level above it and for
// each branch of an anyOf; and it does not say which values, keys or types would be right: the schema does.
Problems explain(std::vector<Finding> findings, const nlohmann::json& schema, const nlohmann::json& value,
                 const Document& document, const std::string& at);

}  // namespace weir::manifest
