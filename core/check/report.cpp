#include "check/report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "check/catalogue.h"

namespace weir::check {
namespace {

const char* word(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kNotRun:
      return "not run";
  }
  return "";
}

size_t count(const Report& report, Outcome outcome) {
  return static_cast<size_t>(std::count_if(report.results.begin(), report.results.end(),
                                           [&](const Result& one) { return one.outcome == outcome; }));
}

std::string about(const Result& result) {
  return result.component.empty() ? result.check : result.check + " (" + result.component + ")";
}

}  // namespace

bool Report::passed() const { return count(*this, Outcome::kPassed) == results.size(); }

std::string line(const Result& result) {
  char text[96];
  const Check* check = find_check(result.check);
  const bool watched = check != nullptr && check->body == nullptr;
  const std::string time = watched ? "watched" : std::to_string(result.time.count()) + " ms";
  std::snprintf(text, sizeof text, "  %-7s  %-20s %9s", word(result.outcome), result.check.c_str(), time.c_str());
  return text + (result.note.empty() ? "" : "  " + result.note);
}

std::string summary(const Report& report) {
  std::string out;
  for (const Result& result : report.results) {
    if (result.findings.empty()) continue;
    const Check* check = find_check(result.check);
    out += "\n" + about(result) + "\n";
    for (const std::string& finding : result.findings) out += "  what   " + finding + "\n";
    out += std::string("  why    ") + check->matters + "\n  guide  " + check->page() + "\n";
  }
  size_t failed = count(report, Outcome::kFailed), skipped = count(report, Outcome::kNotRun);
  out += "\n" + std::to_string(count(report, Outcome::kPassed)) + " passed, " + std::to_string(failed) + " failed, " +
         std::to_string(skipped) + " not run: ";
  if (report.passed()) return out + "the plugin keeps the contract as far as these checks can tell\n";
  return out + (failed != 0 ? "the plugin breaks the contract\n" : "what was not run is not known to be right\n");
}

nlohmann::ordered_json to_json(const Report& report) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const Result& result : report.results) {
    nlohmann::ordered_json one{{"check", result.check},
                               {"component", result.component},
                               {"outcome", word(result.outcome)},
                               {"milliseconds", result.time.count()},
                               {"note", result.note},
                               {"findings", nlohmann::ordered_json::array()}};
    const Check* check = find_check(result.check);
    for (const std::string& finding : result.findings) {
      one["findings"].push_back({{"what", finding}, {"why", check->matters}, {"guide", check->page()}});
    }
    checks.push_back(std::move(one));
  }
  return {{"version", 1},
          {"file", report.file},
          {"id", report.id},
          {"plugin_version", report.version},
          {"passed", report.passed()},
          {"counts",
           {{"passed", count(report, Outcome::kPassed)},
            {"failed", count(report, Outcome::kFailed)},
            {"not_run", count(report, Outcome::kNotRun)}}},
          {"checks", std::move(checks)}};
}

}  // namespace weir::check
