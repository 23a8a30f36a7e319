// The child's side: `weir host --check`.
#pragma once

namespace weir::check {

// Descriptors of a child, beside the standard ones: standard input is the job.
inline constexpr int kFindingsFd = 3;
inline constexpr int kBoardFd = 4;

// Runs the one check that the job on standard input names. Returns the exit code: 0 when the check came to its end,
// whatever it found.
int child_main();

}  // namespace weir::check
