#include "answer.h"

#include <pistache/http_defs.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace weir::http {
namespace {

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string error_body(const Refusal& refusal, std::optional<EventFault> event) {
  std::string out = R"({"error":{"code":)";
  append_json(out, refusal.code);
  if (event) {
    out += R"(,"index":)";
    append_number(out, event->index);
    out += R"(,"field":)";
    append_json(out, event->field);
  }
  out += R"(,"message":)";
  append_json(out, refusal.message);
  out += "}}\n";
  return out;
}

Refusal too_many_connections() {
  return {503, "too_many_connections",
          "the server has as many connections as it may have; try again later, or reuse one", retry_after(0)};
}

std::string retry_after(uint32_t milliseconds) {
  const uint64_t seconds = std::max<uint64_t>(1, (uint64_t{milliseconds} + 999) / 1000);
  return "Retry-After: " + std::to_string(seconds) + "\r\n";
}

std::string_view HeadFormatter::format(const Answer& answer, Persistence persistence) {
  refresh_date();
  head_ = "HTTP/1.1 ";
  append_number(head_, static_cast<uint64_t>(answer.status));
  head_ += ' ';
  head_ += Pistache::Http::codeString(static_cast<Pistache::Http::Code>(answer.status));
  head_ += "\r\nContent-Type: application/json\r\nContent-Length: ";
  append_number(head_, answer.body.size());
  head_ += "\r\n";
  head_ += date_line_;
  if (persistence == Persistence::kClose) head_ += "Connection: close\r\n";
  if (persistence == Persistence::kKeepHttp10) head_ += "Connection: keep-alive\r\n";
  head_ += answer.headers;
  head_ += "\r\n";
  return head_;
}

void HeadFormatter::refresh_date() {
  const std::time_t now = std::time(nullptr);
  if (now == date_second_) return;
  date_second_ = now;
  std::tm utc{};
  gmtime_r(&now, &utc);
  // RFC 9110 section 5.6.7. Names are spelled out because strftime's follow the locale.
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char line[96];
  std::snprintf(line, sizeof line, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", kDays[utc.tm_wday],
                utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  date_line_ = line;
}

}  // namespace weir::http
