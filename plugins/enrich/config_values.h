// Reading an instance's configuration: what is wrong is thrown, with its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace weir::enrich {

using Json = nlohmann::json;

// Throws sdk::Failure (WEIR_E_INVALID) about the key at this JSON pointer (RFC 6901).
[[noreturn]] void wrong(const std::string& pointer, const std::string& text);
// One reference token of such a pointer: "/" and the key, escaped (section 3).
std::string token(std::string_view key);

// The value as a text that is not empty.
const std::string& text_at(const Json& value, const std::string& pointer);
// An integer from 1 to `most`.
size_t count_at(const Json& value, const std::string& pointer, size_t most);
// "24h", "5m", "1.5s" as nanoseconds, not negative.
int64_t duration_at(const Json& value, const std::string& pointer);

}  // namespace weir::enrich
