// What the parent asks one child to do.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace weir::check {

struct Job {
  std::string file;       // the private copy of the plugin
  std::string component;  // empty: the file as a whole
  std::string check;
  std::string config = "{}";                    // of the component, JSON
  bool config_given = false;                    // by the author; else it was made from the schema
  std::chrono::milliseconds call_limit{5'000};  // how long one call of the plugin may take
  uint32_t cycles = 1'000;                      // lives in the leak check; swaps are a tenth
  std::string stimulus;                         // a shell command that makes a source emit; may be empty
  uint32_t round = 0;                           // which child of a check that takes several
};

// One line of JSON.
std::string to_text(const Job& job);
base::Result<Job> parse_job(const std::string& text);

}  // namespace weir::check
