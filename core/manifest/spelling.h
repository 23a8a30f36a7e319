// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::manifest {

// The candidate that `word` was probably meant to be; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// ", did you mean 'listen'?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// "'a', 'b' or 'c'"; long lists are cut.
std::string one_of(const std::vector<std::string>& choices, char quote = '\'');

}  // namespace weir::manifest
