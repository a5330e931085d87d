#include "value.h"

#include <simdjson.h>

#include <algorithm>
#include <new>
#include <string>

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

std::int64_t integer_of(sqlite3_value* value, std::string_view argument) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_INTEGER) return sqlite3_value_int64(value);
  if (type == SQLITE_FLOAT) {
    constexpr double exact = 9007199254740992.0;  // 2^53
    const double real = sqlite3_value_double(value);
    if (real >= -exact && real <= exact) {
      const auto whole = static_cast<std::int64_t>(real);
      if (static_cast<double>(whole) == real) return whole;
    }
  }
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

std::string_view plain_text_of(sqlite3_value* value, std::string_view argument) {
  const std::string_view text = text_of(value, argument);
  check_text(text, argument);
  return text;
}

std::string_view name_of(sqlite3_value* value, std::string_view argument, std::size_t most) {
  if (is_null(value)) throw error(5, std::string(argument) + " is NULL");
  const std::string_view text = text_of(value, argument);
  check_name(text, argument, most);
  return text;
}

std::int64_t time_of(sqlite3_value* value, std::string_view argument) {
  return time_in(required_text(value, argument), argument);
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

std::int64_t time_in(std::string_view text, std::string_view argument) {
  if (const auto microseconds = parse_time(text)) return *microseconds;
  check_text(text, argument);
  throw error(9, std::string(argument) + " is not a time: \"" + std::string(text) + "\"");
}

}  // namespace evercore::ext
