#include "suite/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace weir::bench {
namespace {

// As many digits as say something: 312345 -> "312,345", 0.8123 -> "0.812".
std::string human(double value) {
  char text[64];
  if (std::abs(value) < 1000) {
    std::snprintf(text, sizeof text, "%.*f", std::abs(value) < 10 ? 3 : 1, value);
    return text;
  }
  std::snprintf(text, sizeof text, "%.0f", value);
  std::string digits = text;
  for (auto at = static_cast<int>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string spread(const Figure& figure) {
  if (figure.samples.size() < 2) return "";
  auto [low, high] = std::minmax_element(figure.samples.begin(), figure.samples.end());
  return "[" + human(*low) + " .. " + human(*high) + "]";
}

std::string verdict(const Figure& figure) {
  if (!figure.at_least && !figure.at_most) return "";
  std::string bound = figure.at_least ? ">= " + human(*figure.at_least) : "<= " + human(*figure.at_most);
  return bound + (figure.reached() ? "  reached" : "  MISSED");
}

}  // namespace

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  size_t middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

void Report::print_text() const {
  std::string section;
  auto begin_section = [&](const std::string& name) {
    if (name == section) return;
    section = name;
    std::printf("\n%s\n", name.c_str());
  };
  for (const Figure& figure : figures_) {
    begin_section(figure.section);
    std::printf("  %-52s %12s %-9s %-24s %s\n", figure.name.c_str(), human(figure.value()).c_str(),
                figure.unit.c_str(), spread(figure).c_str(), verdict(figure).c_str());
  }
  for (const Note& note : notes_) std::printf("\n%s: %s\n", note.section.c_str(), note.text.c_str());
  std::fflush(stdout);
}

bool Report::write_json(const std::string& path) const {
  nlohmann::ordered_json json;
  json["version"] = 1;
  for (const Figure& figure : figures_) {
    nlohmann::ordered_json entry = {{"section", figure.section}, {"name", figure.name},     {"unit", figure.unit},
                                    {"median", figure.value()},  {"rounds", figure.samples}};
    if (figure.at_least) entry["at_least"] = *figure.at_least;
    if (figure.at_most) entry["at_most"] = *figure.at_most;
    if (figure.at_least || figure.at_most) entry["reached"] = figure.reached();
    json["figures"].push_back(std::move(entry));
  }
  json["notes"] = nlohmann::ordered_json::array();
  for (const Note& note : notes_) json["notes"].push_back({{"section", note.section}, {"text", note.text}});
  std::ofstream file(path);
  file << json.dump(2) << "\n";
  return file.good();
}

int Report::missed() const {
  return static_cast<int>(
      std::count_if(figures_.begin(), figures_.end(), [](const Figure& figure) { return !figure.reached(); }));
}

}  // namespace weir::bench
