#include "manifest/problem.h"

#include <algorithm>
#include <tuple>

namespace weir::manifest {
namespace {

constexpr size_t kMaxQuoted = 80;    // bytes of a value that a message repeats
constexpr size_t kMaxPointer = 300;  // bytes of a pointer in a message

// The first `bytes` of `text`, not cutting a character in two.
std::string_view head(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

void append_visible(std::string& out, std::string_view text) {
  for (char byte : text) {
    const bool control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F;
    out += control ? '?' : byte;
  }
}

}  // namespace

std::string Problem::text() const {
  std::string line = file;
  if (position.line != 0) line += ":" + std::to_string(position.line) + ":" + std::to_string(position.column);
  line += ": ";
  if (!pointer.empty()) {
    append_visible(line, head(pointer, kMaxPointer));
    line += pointer.size() > kMaxPointer ? "...: " : ": ";
  }
  line += what;
  if (!expected.empty()) line += " (expected " + expected + ")";
  return line;
}

std::string text(const Problems& problems) {
  std::string lines;
  for (const Problem& problem : problems) lines += problem.text() + "\n";
  return lines;
}

void sort(Problems& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.position) < std::tie(b.file, b.position);
  });
}

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  append_visible(out, head(text, kMaxQuoted));
  if (text.size() > kMaxQuoted) out += "...";
  out += quote;
  return out;
}

}  // namespace weir::manifest
