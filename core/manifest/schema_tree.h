// Looking things up in a schema: which parts of it speak about one place of a document, and what they ask for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace weir::manifest {

// Readies a parsed schema for the validator: takes out `format` (valijson throws where the value is no text), and
// finds what would make the validator fail or run forever later: a bad pattern, a reference to another document
// or to itself.
base::Status prepare_schema(nlohmann::json& schema);

// The subschemas of `root` that apply to the value at `tokens`, all branches of anyOf and the like included.
std::vector<const nlohmann::json*> subschemas_at(const nlohmann::json& root,
                                                 const std::vector<std::string>& tokens);

// "an integer from 1 to 65535", "\"strict\" or \"relaxed\"", "text that matches ^a+$": what the subschemas ask for;
// empty when they ask for nothing in particular.
std::string describe(const std::vector<const nlohmann::json*>& subschemas);

// The keys that the subschemas know.
std::vector<std::string> known_keys(const std::vector<const nlohmann::json*>& subschemas);

// True when one of the subschemas has a `pattern`.
bool has_pattern(const std::vector<const nlohmann::json*>& subschemas);

// "a string", "the number 5": the value in a few words; text is repeated when `repeat` allows it.
std::string name_type(const nlohmann::json& value);

}  // namespace weir::manifest
