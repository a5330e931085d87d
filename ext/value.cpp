#include "value.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <string>

#include "decimal.h"
#include "error.h"
#include "time.h"

namespace evercore::ext {

namespace {

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

/// What no text in the store may be, since PostgreSQL could not hold it.
void check_text(std::string_view text, std::string_view argument) {
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    throw error(9, std::string(argument) + " is not UTF-8");
  }
  if (text.find('\0') != std::string_view::npos) {
    throw error(9, std::string(argument) + " holds a NUL");
  }
}

void check_length(std::string_view text, std::string_view argument, std::size_t most, int code) {
  if (text.size() > most && characters(text) > most) {
    throw error(code,
                std::string(argument) + " is longer than " + std::to_string(most) + " characters");
  }
}

}  // namespace

bool is_null(sqlite3_value* value) {
  return sqlite3_value_type(value) == SQLITE_NULL;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::int64_t> integer_in(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(blanks) + 1 - first);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool all = read.ptr == text.data() + text.size();
  return read.ec == std::errc() && all ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> integer_of_number(std::string_view number) {
  const bool negative = number.starts_with('-');
  const std::size_t e = number.find_first_of("eE");
  std::string digits;
  std::int64_t scale = 0;  // the number is digits * 10^scale
  bool fraction = false;
  for (const char c : number.substr(0, e)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    digits += c;
    if (fraction) --scale;
  }
  if (e != std::string_view::npos) {
    std::string_view exponent = number.substr(e + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    std::int64_t value = 0;
    const auto read = std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
    if (read.ec != std::errc()) value = 1'000'000'000;  // too far from the point, either way
    scale += value;
  }
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  while (digits.ends_with('0')) digits.pop_back(), ++scale;
  if (scale < 0 || static_cast<std::int64_t>(digits.size()) + scale > 19) return std::nullopt;
  digits.append(static_cast<std::size_t>(scale), '0');
  if (negative) digits.insert(0, "-");
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> whole(double real) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (!(real >= -exact && real <= exact)) return std::nullopt;
  const auto integer = static_cast<std::int64_t>(real);
  return static_cast<double>(integer) == real ? std::optional(integer) : std::nullopt;
}

std::int64_t integer_of(sqlite3_value* value, std::string_view argument) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_INTEGER) return sqlite3_value_int64(value);
  std::optional<std::int64_t> integer;
  if (type == SQLITE_FLOAT) integer = whole(sqlite3_value_double(value));
  if (type == SQLITE_TEXT) integer = integer_in(text_of(value, argument));
  if (integer) return *integer;
  throw error(9, std::string(argument) + (type == SQLITE_NULL ? " is NULL" : " is not an integer"));
}

std::int64_t integer_from(sqlite3_value* value, std::string_view argument, std::int64_t low) {
  const std::int64_t number = integer_of(value, argument);
  if (number < low) throw out_of_range(argument, number);
  return number;
}

std::int64_t aggregate_id_of(sqlite3_value* value) {
  if (is_null(value)) throw null_aggregate();
  return integer_of(value, "aggregate_id");
}

std::string_view text_of(sqlite3_value* value, std::string_view argument) {
  if (sqlite3_value_type(value) != SQLITE_TEXT) {
    throw error(9, std::string(argument) + " is not text");
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) throw std::bad_alloc();
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::string_view required_text(sqlite3_value* value, std::string_view argument) {
  if (is_null(value)) throw error(9, std::string(argument) + " is NULL");
  return text_of(value, argument);
}

bool is_document(sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  return type == SQLITE_TEXT || type == SQLITE_BLOB;
}

std::string_view document_of(sqlite3_value* value, std::string_view argument) {
  return sqlite3_value_type(value) == SQLITE_BLOB ? bytes_of(value) : text_of(value, argument);
}

std::string_view bytes_of(sqlite3_value* value) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  return {bytes == nullptr ? "" : bytes, size};
}

std::string_view required_document(sqlite3_value* value, std::string_view argument) {
  if (is_null(value)) throw error(9, std::string(argument) + " is NULL");
  return document_of(value, argument);
}

Name::Name(sqlite3_value* value, std::string_view argument) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_FLOAT) {
    const double real = sqlite3_value_double(value);
    const auto integer = whole(real);
    // SQLite's own text has 15 digits: two numbers could be one name.
    number_ = integer ? std::to_string(*integer) : number_text(real);
    return;
  }
  if (type != SQLITE_INTEGER) {
    given_ = text_of(value, argument);
    return;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) throw std::bad_alloc();
  given_ = {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::string_view plain_text_of(sqlite3_value* value, std::string_view argument) {
  const std::string_view text = text_of(value, argument);
  check_text(text, argument);
  return text;
}

Name name_of(sqlite3_value* value, std::string_view argument, std::size_t most) {
  if (is_null(value)) throw error(5, std::string(argument) + " is NULL");
  Name name(value, argument);
  check_name(name, argument, most);
  return name;
}

std::int64_t time_of(sqlite3_value* value, std::string_view argument) {
  if (is_null(value)) throw error(9, std::string(argument) + " is NULL");
  const Name text(value, argument);  // a number is no time: the fault shows it
  return time_in(text, argument);
}

void check_name(std::string_view text, std::string_view argument, std::size_t most) {
  if (text.empty()) throw error(5, std::string(argument) + " is empty");
  check_text(text, argument);
  check_length(text, argument, most, 5);
}

void check_reference(std::string_view text) {
  check_text(text, "reference");
  check_length(text, "reference", max_reference, 9);
}

namespace {

template <typename Check>
std::string fault_of(const Check& check) {
  try {
    check();
  } catch (const Error& fault) {
    return fault.text.substr(fault.text.find(": ") + 2);
  }
  return {};
}

}  // namespace

std::string fault_of_name(std::string_view text, std::string_view argument, std::size_t most) {
  return fault_of([&] { check_name(text, argument, most); });
}

std::string fault_of_reference(std::string_view text) {
  return fault_of([&] { check_reference(text); });
}

std::int64_t time_in(std::string_view text, std::string_view argument) {
  if (const auto microseconds = parse_time(text)) return *microseconds;
  check_text(text, argument);
  throw error(9, std::string(argument) + " is not a time: \"" + std::string(text) +
                     "\": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]");
}

}  // namespace evercore::ext
