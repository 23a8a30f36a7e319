// `weir plugin check`: every check of one plugin file, each in a child process of its own.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "check/report.h"

namespace weir::check {

struct Options {
  std::string file;
  std::string config;     // JSON text for every component; empty: made from each schema
  std::string component;  // only this one; empty: all of them
  std::string only;       // one check and what must come before it; empty: all of them
  std::string stimulus;   // a shell command that makes a source emit
  std::chrono::milliseconds call_limit{5'000};  // one call of the plugin
  uint32_t cycles = 1'000;                      // lives in the leak check
  std::string program = "/proc/self/exe";       // run as `PROGRAM host --check`
  // Called with each result as it comes; may be empty.
  std::function<void(const Result&)> on_result;
};

// Runs them one after the other. A plugin that crashes, exits or hangs is a finding, and the rest still runs. Fails when
// the checks themselves cannot run: an unknown name, a file that is not there, no room for a private copy.
base::Result<Report> run(const Options& options);

}  // namespace weir::check
