#include "evercore/codec.h"

#include <charconv>

namespace evercore::detail {

namespace {

std::string path_of(const Place* place) {
  if (place == nullptr) return {};
  std::string path = path_of(place->outer);
  if (place->name.data() == nullptr) return path + "[" + std::to_string(place->index) + "]";
  if (!path.empty()) path += '.';
  return path.append(place->name);
}

}  // namespace

void fail_decoding(const Place* place, const std::string& problem) {
  std::string path = path_of(place);
  const std::string field = path.empty() ? std::string("the document") : "field \"" + path + "\"";
  throw decode_error(field + ": " + problem, std::move(path));
}

void fail_kind(const Place* place, std::string_view expected, json::Value found) {
  fail_decoding(place, "expected " + std::string(expected) + ", found " +
                           std::string(json::describe(found.kind())));
}

void fail_unnamed_enum(std::string_view type, std::int64_t value) {
  throw payload_error("EV004: data: value " + std::to_string(value) + " of enum " +
                      std::string(type) + " has no name (evercore::enum_range widens the search)");
}

std::string format_duration(std::int64_t seconds, std::int64_t nanoseconds) {
  // -0.25 s are -1 whole seconds and 750,000,000 nanoseconds above them.
  const bool negative = seconds < 0;
  if (negative && nanoseconds != 0) {
    ++seconds;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  std::string text = negative ? "PT-" : "PT";
  text += std::to_string(negative ? -seconds : seconds);
  if (nanoseconds != 0) {
    std::string digits = std::to_string(nanoseconds);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text.append(".").append(digits);
  }
  return text + 'S';
}

bool parse_duration(std::string_view text, std::int64_t& seconds, std::int64_t& nanoseconds) {
  if (!text.starts_with("PT") || !text.ends_with('S')) return false;
  text = text.substr(2, text.size() - 3);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto is_digits = [](std::string_view digits) {
    return !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  };
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string fraction;
  if (point != text.npos) {
    fraction = text.substr(point + 1);
    if (!is_digits(fraction) || fraction.size() > 9) return false;
  }
  fraction.resize(9, '0');
  if (!is_digits(whole)) return false;
  if (std::from_chars(whole.data(), whole.data() + whole.size(), seconds).ec != std::errc{}) {
    return false;
  }
  std::from_chars(fraction.data(), fraction.data() + fraction.size(), nanoseconds);
  if (negative) seconds = -seconds;
  if (negative && nanoseconds != 0) {
    --seconds;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  return true;
}

std::string format_date(std::chrono::year_month_day date) {
  if (!date.ok() || date.year() < std::chrono::year{1} || date.year() > std::chrono::year{9999}) {
    throw payload_error("EV004: data: a date is none of the years 1 to 9999");
  }
  return format_seconds(std::chrono::sys_days{date}, 0).substr(0, 10);
}

bool parse_date(std::string_view text, std::chrono::year_month_day& date) {
  std::chrono::sys_seconds second;
  int nanoseconds = 0;
  if (text.size() != 10) return false;
  if (!parse_seconds(std::string(text) + "T00:00:00Z", second, nanoseconds)) return false;
  date = std::chrono::floor<std::chrono::days>(second);
  return true;
}

std::string_view checked_json(std::string_view text) {
  json::Document document;
  document.parse(text);
  const auto start = text.find_first_not_of(" \t\r\n");
  return text.substr(start, text.find_last_not_of(" \t\r\n") + 1 - start);
}

}  // namespace evercore::detail
