#include "weir/mapping/rfc3339.h"

#include <chrono>

namespace weir::mapping {
namespace {

constexpr const char* kNotRfc3339 = "is not an RFC 3339 time such as 2026-11-24T20:15:00Z";
constexpr int64_t kNsPerSecond = 1'000'000'000;

bool digit(char c) { return c >= '0' && c <= '9'; }

// `count` digits at `text[at]`, which exist; -1 when one of them is not a digit.
int number(std::string_view text, size_t at, size_t count) {
  int value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (!digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

struct Clock {
  int hour, minute, second;
  int64_t nanosecond;
};

// Seconds east of UTC of "Z", "+hh:mm", "-hh:mm"; why not, else.
const char* parse_offset(std::string_view text, int* seconds) {
  if (text.size() == 1 && (text[0] == 'Z' || text[0] == 'z')) return *seconds = 0, nullptr;
  if (text.empty()) return "has no time zone: end it with Z or an offset such as +01:00";
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return kNotRfc3339;
  int hour = number(text, 1, 2);
  int minute = number(text, 4, 2);
  if (hour < 0 || minute < 0) return kNotRfc3339;
  if (hour > 23 || minute > 59) return "has an offset that is not between -23:59 and +23:59";
  *seconds = (hour * 60 + minute) * 60 * (text[0] == '-' ? -1 : 1);
  return nullptr;
}

// Reads ".123" at the front of `rest` and takes it off.
const char* parse_fraction(std::string_view* rest, int64_t* nanosecond) {
  *nanosecond = 0;
  if (rest->empty() || rest->front() != '.') return nullptr;
  size_t size = 1;
  int64_t scale = kNsPerSecond / 10;
  for (; size < rest->size() && digit((*rest)[size]); ++size) {
    *nanosecond += ((*rest)[size] - '0') * scale;
    scale /= 10;
  }
  if (size == 1) return kNotRfc3339;
  rest->remove_prefix(size);
  return nullptr;
}

const char* check_clock(const Clock& clock, int64_t utc_seconds) {
  if (clock.hour > 23) return "has an hour that is not 00 to 23";
  if (clock.minute > 59) return "has a minute that is not 00 to 59";
  if (clock.second > 60) return "has a second that is not 00 to 60";
  constexpr int64_t kDay = 86'400;
  if (clock.second == 60 && (utc_seconds % kDay + kDay) % kDay != 0) {
    return "has a leap second that is not 23:59:60 UTC";
  }
  return nullptr;
}

}  // namespace

const char* parse_rfc3339(std::string_view text, int64_t* unix_ns) {
  constexpr size_t kSeconds = 19;  // YYYY-MM-DDThh:mm:ss
  if (text.size() < kSeconds || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
    return kNotRfc3339;
  }
  int year = number(text, 0, 4);
  int month = number(text, 5, 2);
  int day = number(text, 8, 2);
  Clock clock{number(text, 11, 2), number(text, 14, 2), number(text, 17, 2), 0};
  if ((year | month | day | clock.hour | clock.minute | clock.second) < 0) return kNotRfc3339;

  std::string_view rest = text.substr(kSeconds);
  int offset = 0;
  if (const char* why = parse_fraction(&rest, &clock.nanosecond)) return why;
  if (const char* why = parse_offset(rest, &offset)) return why;

  if (month < 1 || month > 12) return "has a month that is not 01 to 12";
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return "has a day that its month does not have";
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = days * 86'400 + clock.hour * 3'600 + clock.minute * 60 + clock.second - offset;
  if (const char* why = check_clock(clock, seconds)) return why;
  int64_t whole = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &whole) ||
      __builtin_add_overflow(whole, clock.nanosecond, unix_ns)) {
    return "lies outside of the years 1678 to 2262 that nanoseconds can count";
  }
  return nullptr;
}

void append_rfc3339(int64_t unix_ns, std::string& out) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds(unix_ns)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  const auto put = [&](int64_t number, int digits) {
    int64_t scale = 1;
    for (int i = 1; i < digits; ++i) scale *= 10;
    for (; scale != 0; scale /= 10) out += static_cast<char>('0' + number / scale % 10);
  };
  put(static_cast<int>(date.year()), 4);
  out += '-';
  put(static_cast<unsigned>(date.month()), 2);
  out += '-';
  put(static_cast<unsigned>(date.day()), 2);
  out += 'T';
  put(clock.hours().count(), 2);
  out += ':';
  put(clock.minutes().count(), 2);
  out += ':';
  put(clock.seconds().count(), 2);
  if (const int64_t fraction = clock.subseconds().count(); fraction != 0) {
    out += '.';
    put(fraction, 9);
    while (out.ends_with("000")) out.resize(out.size() - 3);
  }
  out += 'Z';
}

}  // namespace weir::mapping
