// What the suite found, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace weir::bench {

// The middle one, or the mean of the two in the middle. 0 without samples.
double median(std::vector<double> samples);

// One line of the report. Several samples are rounds: the median is shown and the spread beside it.
struct Figure {
  std::string section;
  std::string name;
  std::string unit;
  std::vector<double> samples;
  std::optional<double> at_least;  // what the figure should reach
  std::optional<double> at_most;

  double value() const { return median(samples); }
  bool reached() const { return (!at_least || value() >= *at_least) && (!at_most || value() <= *at_most); }
};

class Report {
 public:
  void add(Figure figure) { figures_.push_back(std::move(figure)); }
  // A line that is no number, such as a part that could not run.
  void note(std::string section, std::string text) { notes_.push_back({std::move(section), std::move(text)}); }
  void print_text() const;
  // False when the file cannot be written.
  bool write_json(const std::string& path) const;
  // Figures that did not reach what they should.
  int missed() const;
  // False when something could not be measured.
  bool complete() const { return notes_.empty(); }
  const std::vector<Figure>& figures() const { return figures_; }

 private:
  struct Note {
    std::string section, text;
  };
  std::vector<Figure> figures_;
  std::vector<Note> notes_;
};

}  // namespace weir::bench
