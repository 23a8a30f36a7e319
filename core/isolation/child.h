// The child's side of an isolated instance: `weir host --instance NAME`.
#pragma once

namespace weir::isolation {

// Serves one instance for the gateway at the other end of descriptor 3, until that end closes. Returns the exit code.
int child_main(const char* name);

}  // namespace weir::isolation
