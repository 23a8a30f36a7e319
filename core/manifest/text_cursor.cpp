#include "manifest/text_cursor.h"

#include <algorithm>

#include "weir/text.hpp"

namespace weir::manifest {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

bool is_word(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         byte == '+' || byte == '-' || byte == '.' || byte == '_';
}

}  // namespace

void TextCursor::advance_to(size_t offset) {
  if (offset_ == 0 && offset > 0 && text_.starts_with(kByteOrderMark)) offset_ = kByteOrderMark.size();
  for (; offset_ < offset && offset_ < text_.size(); ++offset_) {
    if (text_[offset_] == '\n') {
      ++position_.line;
      position_.column = 1;
    } else if (!is_continuation(text_[offset_])) {
      ++position_.column;
    }
  }
}

bool TextCursor::skip_comment() {
  const std::string_view rest = text_.substr(offset_);
  if (rest.starts_with("//")) {
    advance_to(std::min(text_.find('\n', offset_), text_.size()));
    return true;
  }
  if (!rest.starts_with("/*")) return false;
  const size_t end = text_.find("*/", offset_ + 2);
  if (end == std::string_view::npos) return false;
  advance_to(end + 2);
  return true;
}

void TextCursor::skip_filler() {
  comma_.reset();
  if (offset_ == 0 && text_.starts_with(kByteOrderMark)) advance_to(kByteOrderMark.size());
  while (!at_end()) {
    const char byte = here();
    if (byte == '/') {
      if (!skip_comment()) return;
      continue;
    }
    if (byte == ',') comma_ = offset_;
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r' && byte != ',' && byte != ':') return;
    advance_to(offset_ + 1);
  }
}

void TextCursor::skip_token() {
  size_t end = offset_ + 1;
  if (here() == '"') {
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    ++end;
  } else if (is_word(here())) {
    while (end < text_.size() && is_word(text_[end])) ++end;
  }
  advance_to(end);
}

Position position_of(std::string_view text, size_t offset) {
  TextCursor cursor(text);
  cursor.advance_to(offset);
  return cursor.position();
}

std::optional<size_t> find_bad_utf8(std::string_view text) {
  size_t offset = 0;
  while (offset < text.size()) {
    const size_t length = sdk::utf8_sequence(text.substr(offset));
    if (length == 0) return offset;
    offset += length;
  }
  return std::nullopt;
}

}  // namespace weir::manifest
