// The trial run of a plugin in a child process: what would abort, exit or hang the gateway does it there.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "plugin/describe.h"

namespace weir::plugin {

struct ProbeOptions {
  // The program that runs as `PROGRAM host --probe FILE` and calls probe_main.
  std::string program = "/proc/self/exe";
  // How long loading, init and deinit may take together, once the child runs. They take milliseconds; a slow
  // machine under load and a large library must fit all the same.
  base::Duration deadline = std::chrono::seconds(5);
};

// Loads the file in a child, runs init and deinit there, and checks its descriptors, which it gives. Ok means that loading it
// here is safe as far as one trial can tell. Each way to fail has its own text: refused by a check, killed by
// a signal, exited, hung, ended without a word; with the last line that it wrote to standard error. Leaves no
// process behind. Blocks until the deadline at most, and while the child starts. Any thread.
base::Result<std::vector<Component>> probe(const std::string& path, const ProbeOptions& options);

// The child's side: `weir host --probe FILE`. Writes lines of JSON to standard output: {"stage": ...} before
// each step and {"ok": ..., "components": ...} at the end. What the plugin prints goes to standard error. Returns the exit code:
// 0 when there is a result, whether good or bad.
int probe_main(const char* file);

}  // namespace weir::plugin
