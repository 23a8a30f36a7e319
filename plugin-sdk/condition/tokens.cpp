#include "tokens.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace weir::condition {
namespace {

// Longest first.
constexpr std::string_view kSymbols[] = {"==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ","};

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// Keys of metadata may have dots and dashes: nothing is subtracted here.
bool in_name(char c) { return starts_name(c) || is_digit(c) || c == '.' || c == '-'; }

class TokenReader {
 public:
  explicit TokenReader(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    std::vector<Token> tokens;
    do {
      tokens.push_back(next());
    } while (tokens.back().kind != Token::Kind::kEnd);
    return tokens;
  }

 private:
  [[noreturn]] void fail(size_t at, std::string message, std::string expected) const {
    throw Fault{column(at), std::move(message), std::move(expected)};
  }

  uint32_t column(size_t at) const {
    auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return 1 + static_cast<uint32_t>(std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), begins));
  }

  Token next() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    Token token;
    token.column = column(at_);
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (starts_name(c)) return name(std::move(token));
    if (c == '\'' || c == '"') return quoted(std::move(token));
    if (is_digit(c) || (c == '-' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number(std::move(token));
    return symbol(std::move(token));
  }

  Token name(Token token) {
    const size_t begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    token.kind = Token::Kind::kName;
    token.text = text_.substr(begin, at_ - begin);
    return token;
  }

  Token quoted(Token token) {
    const size_t begin = at_;
    const char quote = text_[at_++];
    token.kind = Token::Kind::kText;
    for (;; ++at_) {
      if (at_ == text_.size()) fail(begin, "this text has no end", std::string("a closing ") + quote);
      char c = text_[at_];
      if (c == quote) break;
      if (c == '\\') {
        if (at_ + 1 == text_.size()) continue;  // the end is missing: said in the next round
        c = text_[++at_];
        if (c != '\\' && c != '\'' && c != '"') {
          fail(at_ - 1, std::string("there is no escape \\") + c, "\\\\, \\' or \\\"");
        }
      }
      token.text += c;
    }
    ++at_;
    return token;
  }

  Token number(Token token) {
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    const char* stop = begin + 1;
    while (stop != end && (in_name(*stop) || (*stop == '+' && (stop[-1] == 'e' || stop[-1] == 'E')))) ++stop;
    token.text.assign(begin, stop);
    at_ += static_cast<size_t>(stop - begin);
    auto whole = std::from_chars(begin, stop, token.integer);
    if (whole.ptr == stop && whole.ec == std::errc()) {
      token.kind = Token::Kind::kInteger;
      return token;
    }
    auto real = std::from_chars(begin, stop, token.real);
    if (real.ptr != stop || real.ec != std::errc() || !std::isfinite(token.real)) {
      fail(static_cast<size_t>(begin - text_.data()), "'" + token.text + "' is not a number", "one like 80, -2.5 or 1e6");
    }
    token.kind = Token::Kind::kReal;
    return token;
  }

  Token symbol(Token token) {
    for (std::string_view symbol : kSymbols) {
      if (text_.substr(at_, symbol.size()) != symbol) continue;
      at_ += symbol.size();
      token.kind = Token::Kind::kSymbol;
      token.text = symbol;
      return token;
    }
    switch (text_[at_]) {
      case '=': fail(at_, "'=' is no operator", "'=='");
      case '&': fail(at_, "'&' is no operator", "'&&'");
      case '|': fail(at_, "'|' is no operator", "'||'");
      case '+': case '-': case '*': case '/': case '%':
        fail(at_, "there is no arithmetic here", "a comparison of fields and literals");
      default: break;
    }
    size_t size = 1;
    while (at_ + size < text_.size() && (static_cast<unsigned char>(text_[at_ + size]) & 0xC0) == 0x80) ++size;
    fail(at_, "'" + std::string(text_.substr(at_, size)) + "' means nothing here", "a field, a literal or an operator");
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::vector<Token> read_tokens(std::string_view text) { return TokenReader(text).run(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd: return "the end";
    case Token::Kind::kText: return "the text '" + token.text + "'";
    case Token::Kind::kInteger:
    case Token::Kind::kReal: return "the number " + token.text;
    default: return "'" + token.text + "'";
  }
}

}  // namespace weir::condition
