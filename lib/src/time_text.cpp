// Times as texts, read and written.
#include "evercore/error.h"
#include "evercore/time.h"

namespace evercore {

namespace {

constexpr std::chrono::sys_seconds first_second{
    std::chrono::sys_days{std::chrono::year{1} / std::chrono::January / 1}};
constexpr std::chrono::sys_seconds past_the_last{
    std::chrono::sys_days{std::chrono::year{10000} / std::chrono::January / 1}};

// Reads exactly `digits` digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& number) noexcept {
  if (text.size() < digits) return false;
  number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char expected) noexcept {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// A fraction of 1 to 9 digits, in nanoseconds.
bool take_fraction(std::string_view& text, int& nanoseconds) noexcept {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > 9 || !take_number(text, digits, nanoseconds)) return false;
  for (; digits < 9; ++digits) nanoseconds *= 10;
  return true;
}

// Z, z, ±hh, ±hhmm, ±hh:mm or ±hh:mm:ss.
bool take_offset(std::string_view& text, std::chrono::seconds& offset) noexcept {
  if (take(text, 'Z') || take(text, 'z')) return true;
  const bool west = take(text, '-');
  int hours = 0, minutes = 0, seconds = 0;
  if ((!west && !take(text, '+')) || !take_number(text, 2, hours)) return false;
  const bool colons = take(text, ':');
  if ((colons || !text.empty()) && !take_number(text, 2, minutes)) return false;
  if (colons && take(text, ':') && !take_number(text, 2, seconds)) return false;
  if (hours > 15 || minutes > 59 || seconds > 59) return false;
  offset =
      std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
  if (west) offset = -offset;
  return true;
}

// Thh:mm[:ss[.digits]][offset]: seconds since midnight UTC, below 0 or beyond a day where the offset
// carries it there.
bool take_time_of_day(std::string_view& text, std::chrono::seconds& time,
                      int& nanoseconds) noexcept {
  int hour = 0, minute = 0, second = 0;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return false;
  if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute))
    return false;
  if (take(text, ':')) {
    if (!take_number(text, 2, second)) return false;
    if (take(text, '.') && !take_fraction(text, nanoseconds)) return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  std::chrono::seconds offset{0};
  if (!text.empty() && !take_offset(text, offset)) return false;
  time = std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} -
         offset;
  return true;
}

void put_number(char* at, int digits, int number) noexcept {
  for (int i = digits - 1; i >= 0; --i, number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

}  // namespace

Time now() noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string format_time(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return detail::format_seconds(seconds, static_cast<int>((time - seconds).count()) * 1000);
}

bool parse_time(std::string_view text, Time& time) noexcept {
  std::chrono::sys_seconds seconds;
  int nanoseconds = 0;
  if (!detail::parse_seconds(text, seconds, nanoseconds)) return false;
  time = seconds + std::chrono::microseconds{nanoseconds / 1000};
  return true;
}

namespace detail {

std::string format_seconds(std::chrono::sys_seconds seconds, int nanoseconds) {
  if (seconds < first_second || seconds >= past_the_last) {
    throw argument_error("EV009: a time is outside the years 1 to 9999");
  }
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{seconds - day};
  std::string text = "0000-00-00T00:00:00.000000Z";
  put_number(&text[0], 4, static_cast<int>(date.year()));
  put_number(&text[5], 2, static_cast<int>(static_cast<unsigned>(date.month())));
  put_number(&text[8], 2, static_cast<int>(static_cast<unsigned>(date.day())));
  put_number(&text[11], 2, static_cast<int>(clock.hours().count()));
  put_number(&text[14], 2, static_cast<int>(clock.minutes().count()));
  put_number(&text[17], 2, static_cast<int>(clock.seconds().count()));
  if (nanoseconds % 1000 == 0) {
    put_number(&text[20], 6, nanoseconds / 1000);
  } else {
    text.insert(26, "000");
    put_number(&text[20], 9, nanoseconds);
  }
  return text;
}

bool parse_seconds(std::string_view text, std::chrono::sys_seconds& seconds,
                   int& nanoseconds) noexcept {
  int year = 0, month = 0, day = 0, fraction = 0;
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
      !take(text, '-') || !take_number(text, 2, day)) {
    return false;
  }
  std::chrono::seconds time{0};
  if (!text.empty() && !take_time_of_day(text, time, fraction)) return false;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!text.empty() || !date.ok() || year == 0) return false;
  const std::chrono::sys_seconds read = std::chrono::sys_days{date} + time;
  if (read < first_second || read >= past_the_last) return false;
  seconds = read;
  nanoseconds = fraction;
  return true;
}

}  // namespace detail
}  // namespace evercore
