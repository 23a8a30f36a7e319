// The parent's side of one child: starts it, reads what it finds, and says how it ended.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "check/job.h"

namespace weir::check {

// A component as the loaded plugin describes it.
struct Described {
  std::string name;
  uint32_t kind = 0;  // weir_kind
  bool stateful = false;
  std::string config_schema;
};

struct Ending {
  std::vector<Described> components;                          // of the check that loads it
  std::vector<std::pair<std::string, std::string>> findings;  // check, what
  std::string not_run;                                        // why; empty when it was run
  std::string note;
  bool emitted = false;  // a source emitted something
  std::string printed;   // the beginning of what came to standard output
  // What the plugin did to the process: crashed, exited, hung; empty when it came to its end.
  std::string harm;
};

struct ChildOptions {
  std::string program = "/proc/self/exe";  // run as `PROGRAM host --check`
  std::string folder;                      // its working folder
  base::Duration limit;                    // for all of it
};

// Runs one job to its end, or kills it when a call or the whole takes too long. Fails when no child can be started.
// Leaves no process behind. One thread.
base::Result<Ending> run_child(const Job& job, const ChildOptions& options);

}  // namespace weir::check
