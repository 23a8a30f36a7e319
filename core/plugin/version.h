// Which of two versions is the newer one.
#pragma once

#include <compare>
#include <string_view>

namespace weir::plugin {

// Precedence by Semantic Versioning 2.0.0, section 11: numbers as numbers of any length, a pre-release before
// its release, build metadata ignored. Text that is no version sorts below every version, by its bytes.
std::weak_ordering compare_versions(std::string_view a, std::string_view b);

}  // namespace weir::plugin
