// Arguments: from SQLite's values to checked C++ ones, each fault named after its argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api.h"

namespace evercore::ext {

inline constexpr std::size_t max_type_name = 64;     ///< characters of an aggregate or event type
inline constexpr std::size_t max_natural_key = 255;  ///< characters
inline constexpr std::size_t max_event_id = 255;     ///< characters
inline constexpr std::size_t max_reference = 1000;   ///< characters

[[nodiscard]] bool is_null(sqlite3_value* value);

/// An integer, or a real that is one: JavaScript hosts bind every number as a real. EV009
/// otherwise.
[[nodiscard]] std::int64_t integer_of(sqlite3_value* value, std::string_view argument);
/// The same, of at least `low`; EV009 below it, and where it is NULL.
[[nodiscard]] std::int64_t integer_from(sqlite3_value* value, std::string_view argument,
                                        std::int64_t low);
/// An id; EV002 where it is NULL.
[[nodiscard]] std::int64_t aggregate_id_of(sqlite3_value* value);

/// Text as given; EV009 where it is no text. Lives as long as the value.
[[nodiscard]] std::string_view text_of(sqlite3_value* value, std::string_view argument);
/// Text that must not be NULL: EV009.
[[nodiscard]] std::string_view required_text(sqlite3_value* value, std::string_view argument);

/// Text of any length that PostgreSQL could hold too: EV009 where it is not UTF-8 or holds a NUL.
[[nodiscard]] std::string_view plain_text_of(sqlite3_value* value, std::string_view argument);

/// A name or key of 1 to `most` characters; EV005 otherwise.
[[nodiscard]] std::string_view name_of(sqlite3_value* value, std::string_view argument,
                                       std::size_t most);
/// A time in the form of time.h; EV009 otherwise.
[[nodiscard]] std::int64_t time_of(sqlite3_value* value, std::string_view argument);

/// The same checks on text from elsewhere.
void check_name(std::string_view text, std::string_view argument, std::size_t most);
void check_reference(std::string_view text);
[[nodiscard]] std::int64_t time_in(std::string_view text, std::string_view argument);

}  // namespace evercore::ext
