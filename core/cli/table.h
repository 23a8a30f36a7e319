// Aligned columns in plain text.
#pragma once

#include <string>
#include <vector>

namespace weir::cli {

class Table {
 public:
  enum class Align { kLeft, kRight };
  explicit Table(std::vector<std::pair<std::string, Align>> columns);
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Header and rows, two spaces before each line and between columns; no trailing blanks.
  std::string text() const;

 private:
  std::vector<std::pair<std::string, Align>> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// How many columns of a terminal a UTF-8 text takes, if none of its characters is wide.
size_t display_width(const std::string& text);

}  // namespace weir::cli
