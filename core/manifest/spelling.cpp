#include "manifest/spelling.h"

#include <algorithm>
#include <numeric>

#include "manifest/problem.h"

namespace weir::manifest {
namespace {

constexpr size_t kMaxListed = 12;
constexpr size_t kMaxWord = 64;  // bytes; a longer word is no slip of the hand, and the table is its square

// How many letters must be put in, left out, changed or swapped with their neighbour (optimal string
// alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kMaxWord) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMaxWord) continue;
    const size_t letters = distance(word, candidate);
    if (letters < best_distance && letters < candidate.size()) {
      best = candidate;
      best_distance = letters;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return meant.empty() ? "" : ", did you mean " + in_quotes(meant, '\'') + "?";
}

std::string one_of(const std::vector<std::string>& choices, char quote) {
  std::string list;
  const size_t shown = std::min(choices.size(), kMaxListed);
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) list += i + 1 == choices.size() ? " or " : ", ";
    list += quote == '\0' ? choices[i] : in_quotes(choices[i], quote);
  }
  if (shown < choices.size()) list += " or one of " + std::to_string(choices.size() - shown) + " more";
  return list;
}

}  // namespace weir::manifest
