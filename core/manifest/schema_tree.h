// Looking things up in a schema: which parts of it speak about one place of a document, and what they ask
// for.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::manifest {

// Compiling a pattern recurses once a bracket, and so does matching it.
inline constexpr size_t kMaxPatternBytes = 1024;

// Readies a parsed schema for the validator: takes out `format` (valijson throws where the value is no text),
// and finds what would make the validator fail or run forever later: a bad pattern, a reference to another
// document or to itself.
base::Status prepare_schema(nlohmann::json& schema);

// The subschemas of `root` that apply to the value at `tokens`, all branches of anyOf and the like included;
// `conditions`: also what must not hold or only decides (not, if, contains).
std::vector<const nlohmann::json*> subschemas_at(const nlohmann::json& root,
                                                 const std::vector<std::string>& tokens,
                                                 bool conditions = false);

// "an integer from 1 to 65535", "\"strict\" or \"relaxed\"", "text that matches ^a+$": what the subschemas
// ask for; empty when they ask for nothing in particular.
std::string describe(const std::vector<const nlohmann::json*>& subschemas);

// The keys that the subschemas know.
std::vector<std::string> known_keys(const std::vector<const nlohmann::json*>& subschemas);

// The size of the longest `pattern` of the subschemas, 0 when there is none.
size_t longest_pattern(const std::vector<const nlohmann::json*>& subschemas);

// "a string", "an integer", "true": what the value is, without repeating text.
std::string name_type(const nlohmann::json& value);

}  // namespace weir::manifest
