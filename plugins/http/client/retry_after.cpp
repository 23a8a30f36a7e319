#include "retry_after.h"

#include <algorithm>
#include <charconv>

namespace weir::http::client {
namespace {

using namespace std::chrono;

constexpr milliseconds kLongest = hours(24);
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view kShape = "Xxx, 00 Xxx 0000 00:00:00 GMT";  // 0: a digit, X and x: a letter

bool has_shape(std::string_view text) {
  if (text.size() != kShape.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], lower = static_cast<char>(c | 0x20);
    switch (kShape[i]) {
      case '0':
        if (c < '0' || c > '9') return false;
        break;
      case 'X':
      case 'x':
        if (lower < 'a' || lower > 'z') return false;
        break;
      default:
        if (c != kShape[i]) return false;
    }
  }
  return true;
}

int number(std::string_view text) {
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  if (!has_shape(text)) return std::nullopt;
  const size_t at = kMonths.find(text.substr(8, 3));
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  const year_month_day date{year(number(text.substr(12, 4))), month(static_cast<unsigned>(at / 3 + 1)),
                            day(static_cast<unsigned>(number(text.substr(5, 2))))};
  const int hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)), second = number(text.substr(23, 2));
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

milliseconds retry_after(std::string_view value, std::string_view date_header, system_clock::time_point now) {
  uint64_t count = 0;
  const char* end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, count);
  if (!value.empty() && read.ptr == end) {
    if (read.ec == std::errc::result_out_of_range) return kLongest;
    if (read.ec == std::errc()) return std::min<milliseconds>(seconds(std::min<uint64_t>(count, 1u << 30)), kLongest);
  }
  const auto until = parse_http_date(value);
  if (!until) return milliseconds(0);
  const auto date = parse_http_date(date_header);
  const auto from = date ? system_clock::time_point(*date) : now;
  return std::clamp<milliseconds>(duration_cast<milliseconds>(*until - from), milliseconds(0), kLongest);
}

}  // namespace weir::http::client
