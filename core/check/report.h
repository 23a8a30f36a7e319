// What the checks of one plugin came to, and how it is shown.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace weir::check {

enum class Outcome {
  kPassed,
  kFailed,
  kNotRun  // it could not be tried; that is no pass
};

// One check of one component, or of the file as a whole.
struct Result {
  std::string check;
  std::string component;  // empty: the file
  Outcome outcome = Outcome::kPassed;
  std::chrono::milliseconds time{0};
  std::string note;                   // why it was not run, or what was measured; may be empty
  std::vector<std::string> findings;  // what failed, one line each
};

struct Report {
  std::string file;
  std::string id;       // of the note; empty when it could not be read
  std::string version;  // likewise
  std::vector<Result> results;

  // Every check was run and passed.
  bool passed() const;
};

// One check in a line, without its findings: "  passed   life-cycle   12 ms".
std::string line(const Result& result);

// All findings in full, with why they matter and where to read on, and a summary.
std::string summary(const Report& report);

// The same as a document: {"version": 1, ...}.
nlohmann::ordered_json to_json(const Report& report);

}  // namespace weir::check
