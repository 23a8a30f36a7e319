// What is wrong with a manifest, in the words of the person who wrote it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::manifest {

// A place in a file; both count from 1, a column is a character (not a byte), a tab is one. 0: no place.
struct Position {
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const Position&) const = default;
};

struct Problem {
  std::string file;  // as the person named the folder: "manifests/api.json"
  Position position;
  std::string pointer;   // RFC 6901: "/config/listen"; empty for the file as a whole
  std::string what;      // what is wrong, one line
  std::string expected;  // what would be right; may be empty

  // "manifests/api.json:4:17: /config/listen: what (expected ...)"
  std::string text() const;
};

using Problems = std::vector<Problem>;

// A list longer than this helps nobody; what produces problems in a loop stops here.
inline constexpr size_t kMaxProblems = 100;

// One line a problem.
std::string text(const Problems& problems);

// By file, then by place; problems of one place keep their order.
void sort(Problems& problems);

// `text` between quotes, shortened when it is long, its control characters made visible: for messages.
std::string in_quotes(std::string_view text, char quote = '"');

}  // namespace weir::manifest
