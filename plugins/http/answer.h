// What the server says: answers, refusals in the one JSON form that every error has, and their head on the
// wire.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

// An answer to one request. Views: valid as long as the call they are given to.
struct Answer {
  int status = 200;
  std::string_view body;     // JSON
  std::string_view headers;  // further header lines, each ended by CRLF ("Retry-After: 1\r\n")
};

// A request that is refused, and what the client has to do about it.
struct Refusal {
  int status = 400;
  const char* code = "";  // a word for programs, "length_required"
  std::string message;    // one line for people: what is wrong, and what to do
  std::string headers;    // as in Answer
};

// About one event of a request.
struct EventFault {
  uint32_t index = 0;
  std::string_view field;
};

// {"error":{"code":...,"message":...}}, with "index" and "field" when it is about an event.
std::string error_body(const Refusal& refusal, std::optional<EventFault> event = std::nullopt);

// "Retry-After: N\r\n" with whole seconds, rounded up, at least 1.
std::string retry_after(uint32_t milliseconds);

// What who comes over max_connections is told.
Refusal too_many_connections();

// Appends `text` (UTF-8) as a JSON string with its quotes.
void append_json(std::string& out, std::string_view text);

// How the connection goes on after an answer.
enum class Persistence : uint8_t { kKeep, kKeepHttp10, kClose };

// Formats heads. One thread.
class HeadFormatter {
 public:
  // The head of `answer`, valid until the next call.
  std::string_view format(const Answer& answer, Persistence persistence);

 private:
  void refresh_date();

  std::string head_;
  std::string date_line_;
  std::time_t date_second_ = -1;
};

}  // namespace weir::http
