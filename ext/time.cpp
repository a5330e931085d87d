#include "time.h"

#include <algorithm>
#include <chrono>

namespace evercore::ext {

namespace {

constexpr std::int64_t us_per_second = 1'000'000;
constexpr std::int64_t seconds_per_day = 86'400;

/// Reads digits and separators from the left; once something does not fit, everything fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(int count) {
    if (rest_.size() < static_cast<std::size_t>(count)) return fail();
    int value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = rest_[static_cast<std::size_t>(i)];
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(static_cast<std::size_t>(count));
    return value;
  }

  int ranged(int count, int low, int high) {
    const int value = digits(count);
    return value < low || value > high ? fail() : value;
  }

  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      return static_cast<char>(fail());
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  [[nodiscard]] bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

/// The microseconds of 1 to 9 digits: those after the sixth are cut.
std::int64_t read_fraction(Reader& reader) {
  reader.one_of(".");
  std::int64_t nanoseconds = reader.digits(1);
  int count = 1;
  for (; count < 9 && reader.next_is_digit(); ++count) {
    nanoseconds = nanoseconds * 10 + reader.digits(1);
  }
  for (; count < 9; ++count) nanoseconds *= 10;
  return nanoseconds / 1000;
}

std::int64_t read_offset_seconds(Reader& reader) {
  const char sign = reader.one_of("Zz+-");
  if (sign != '+' && sign != '-') return 0;
  std::int64_t seconds = std::int64_t{3600} * reader.ranged(2, 0, 15);
  if (reader.next_is(':')) {
    reader.one_of(":");
    seconds += std::int64_t{60} * reader.ranged(2, 0, 59);
    if (reader.next_is(':')) {
      reader.one_of(":");
      seconds += reader.ranged(2, 0, 59);
    }
  } else if (!reader.at_end()) {
    seconds += std::int64_t{60} * reader.ranged(2, 0, 59);
  }
  return sign == '-' ? -seconds : seconds;
}

struct TimeOfDay {
  std::int64_t seconds = 0;  ///< in UTC: below 0, or beyond a day, where an offset carries it there
  std::int64_t microseconds = 0;
};

TimeOfDay read_time_of_day(Reader& reader) {
  TimeOfDay time;
  reader.one_of("Tt ");
  time.seconds = std::int64_t{3600} * reader.ranged(2, 0, 23);
  reader.one_of(":");
  time.seconds += std::int64_t{60} * reader.ranged(2, 0, 59);
  if (reader.next_is(':')) {
    reader.one_of(":");
    time.seconds += reader.ranged(2, 0, 59);
    if (reader.next_is('.')) time.microseconds = read_fraction(reader);
  }
  if (!reader.at_end()) time.seconds -= read_offset_seconds(reader);
  return time;
}

std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

void write_digits(char* at, int count, unsigned value) {
  for (int i = count - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
  Reader reader(text);
  const int year = reader.ranged(4, 1, 9999);
  reader.one_of("-");
  const int month = reader.ranged(2, 1, 12);
  reader.one_of("-");
  const int day = reader.ranged(2, 1, 31);
  const TimeOfDay time = reader.at_end() ? TimeOfDay{} : read_time_of_day(reader);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!reader.ok() || !reader.at_end() || !date.ok()) return std::nullopt;

  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * seconds_per_day + time.seconds;
  const std::int64_t microseconds = seconds * us_per_second + time.microseconds;
  if (microseconds < least_time || microseconds > most_time) return std::nullopt;
  return microseconds;
}

void format_time(std::int64_t microseconds, std::array<char, time_text_size>& text) {
  const std::int64_t seconds = floor_divide(microseconds, us_per_second);
  const std::int64_t days = floor_divide(seconds, seconds_per_day);
  const auto second_of_day = static_cast<unsigned>(seconds - days * seconds_per_day);
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};

  text = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':',
          '0', '0', ':', '0', '0', '.', '0', '0', '0', '0', '0', '0', 'Z'};
  write_digits(&text[0], 4, static_cast<unsigned>(static_cast<int>(date.year())));
  write_digits(&text[5], 2, static_cast<unsigned>(date.month()));
  write_digits(&text[8], 2, static_cast<unsigned>(date.day()));
  write_digits(&text[11], 2, second_of_day / 3600);
  write_digits(&text[14], 2, second_of_day / 60 % 60);
  write_digits(&text[17], 2, second_of_day % 60);
  write_digits(&text[20], 6, static_cast<unsigned>(microseconds - seconds * us_per_second));
}

const char* TimeWriter::at(std::int64_t microseconds) {
  if (microseconds != microseconds_) {
    const std::int64_t second = floor_divide(microseconds, us_per_second);
    if (second == second_) {
      write_digits(&text_[20], 6, static_cast<unsigned>(microseconds - second * us_per_second));
    } else {
      std::array<char, time_text_size> text;
      format_time(microseconds, text);
      std::copy(text.begin(), text.end(), text_.begin());
    }
    second_ = second;
    microseconds_ = microseconds;
  }
  return text_.data();
}

std::int64_t now() {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  return duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace evercore::ext
