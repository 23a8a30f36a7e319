#include "manifest/text_cursor.h"

#include <algorithm>

namespace weir::manifest {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

bool is_word(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         byte == '+' || byte == '-' || byte == '.' || byte == '_';
}

// The bytes of the character that begins with `text`, 0 when none does (RFC 3629 section 4).
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  size_t length = 0;
  unsigned low = 0x80, high = 0xBF;  // the bounds of the second byte exclude overlong forms and surrogates
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || at(1) < low || at(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xBF) return 0;
  }
  return length;
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
    const size_t length = utf8_length(text.substr(offset));
    if (length == 0) return offset;
    offset += length;
  }
  return std::nullopt;
}

}  // namespace weir::manifest
