// Walks along JSON text in step with a parser that has found it right, and knows the line and column it is
// at.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "manifest/problem.h"

namespace weir::manifest {

// Why a walk of one's own: the parser says where it has read to, which is one character too far after a
// number and is the end of a token; messages want its beginning.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  // Goes over white space, commas, colons, comments and a byte order mark: to where the next token begins.
  // Stops before a comment that does not end.
  void skip_filler();
  // Goes over the token that begins here: a string, a number, a literal or one bracket.
  void skip_token();
  void advance_to(size_t offset);

  size_t offset() const { return offset_; }
  Position position() const { return position_; }
  bool at_end() const { return offset_ == text_.size(); }
  char here() const { return at_end() ? '\0' : text_[offset_]; }
  // Where the last comma of the filler that skip_filler went over is.
  std::optional<size_t> comma() const { return comma_; }

 private:
  bool skip_comment();

  std::string_view text_;
  size_t offset_ = 0;
  Position position_{1, 1};
  std::optional<size_t> comma_;
};

// The line and column of a byte.
Position position_of(std::string_view text, size_t offset);

// The offset of the first byte that is not part of a UTF-8 character (RFC 3629), nothing when all are.
std::optional<size_t> find_bad_utf8(std::string_view text);

}  // namespace weir::manifest
