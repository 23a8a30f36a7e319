// How long a server asks to be left alone.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace weir::http::client {

// Reads "Sun, 06 Nov 1994 08:49:37 GMT", the date form that senders must use (RFC 9110 section 5.6.7). Its two
// obsolete forms are not read. Nothing when it is something else.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

// Reads Retry-After (RFC 9110 section 10.2.3): seconds, or a date. A date counts from the answer's own Date, so that
// a gateway whose clock is wrong waits as long as it should; without one from `now`. 0 when there is nothing to read
// or it lies in the past; at most a day, because more is a mistake.
std::chrono::milliseconds retry_after(std::string_view value, std::string_view date_header,
                                      std::chrono::system_clock::time_point now);

}  // namespace weir::http::client
