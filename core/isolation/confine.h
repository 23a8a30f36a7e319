// What an isolated instance may do to the machine: limits, no new privileges, system calls, files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace weir::isolation {

struct Confinement {
  bool network = false;        // WEIR_CAP_NET: may make sockets of its own
  bool files = false;          // WEIR_CAP_FS: may open files as the gateway's user may; else it reads the system's only
  uint64_t memory_bytes = 0;   // most that it may allocate; 0: no limit
  std::string library;         // the plugin's file, which it must be able to read
};

// Confines this process for good, with every thread that it starts from now on; before any code of the plugin runs.
// Gives what this kernel cannot do, in words for people. An error: a confinement that should have worked did not.
base::Result<std::vector<std::string>> confine(const Confinement& confinement);

}  // namespace weir::isolation
