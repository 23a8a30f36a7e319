// The bytes that the gateway's journal gets for the generator's requests: made by the same parser, in the same
// layout, so that a floor writes what the gateway writes.
#pragma once

#include <string>
#include <vector>

namespace weir::bench {

// One block for each JSON body. Ends the program when a body is not what the parser takes: a defect here.
std::vector<std::string> make_blocks(const std::vector<std::string>& bodies);

}  // namespace weir::bench
