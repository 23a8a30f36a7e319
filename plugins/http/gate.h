// The gate: a request's head is checked here, byte by byte, before any parser sees it. No I/O.
//
// Who parses leniently can be made to see two requests where the sender's proxy saw one (request smuggling),
// so everything that leaves a doubt about where a request ends is refused: two lengths, a length and chunks,
// folded lines, bare line feeds, white space before a colon, control characters. What passes is handed on as
// a head that holds only the request line and the few headers the application reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "answer.h"

namespace weir::http {

// Finds the end of a head in bytes that come in pieces, reading each byte once.
class HeadScanner {
 public:
  enum class State : uint8_t { kMore, kEnd, kBareLineFeed };

  // `received`: all bytes of the request so far, beginning with the request line.
  State scan(std::string_view received);
  // After kEnd: bytes of the head, the empty line included.
  size_t size() const { return at_; }
  bool past_request_line() const { return line_ != 0; }
  // Bytes of the request line with its end, as far as it has come.
  size_t request_line_size() const { return past_request_line() ? request_line_ : at_; }

 private:
  size_t at_ = 0;    // the first byte that has not been looked at
  size_t line_ = 0;  // where the current line began
  size_t request_line_ = 0;
};

// How the end of the body is told (RFC 9112 section 6).
enum class Framing : uint8_t { kNone, kLength, kChunked };

struct Head {
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool expects_continue = false;
  bool wants_no_body = false;  // HEAD: the answer is its head alone
  std::string filtered;        // request line and headers for the application, ended by an empty line
};

inline constexpr size_t kMaxHeaders = 64;

// Checks `bytes`, a whole head with its empty line, and fills *head. A refusal says what is wrong; after it
// the connection cannot go on, because where the next request begins is not certain.
std::optional<Refusal> check_head(std::string_view bytes, uint64_t max_body_bytes, Head* head);

// The refusals of heads that are not complete.
Refusal head_too_large(const HeadScanner& scanner, size_t max_header_bytes);
Refusal bare_line_feed();
// Something that cannot become a request, by its first byte; nothing when it may.
std::optional<Refusal> check_first_byte(char byte);

}  // namespace weir::http
