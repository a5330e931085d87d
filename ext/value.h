// Arguments: from SQLite's values to checked C++ ones, each fault named after its argument.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api.h"

namespace evercore::ext {

inline constexpr std::size_t max_type_name = 255;    ///< characters of an aggregate or event type
inline constexpr std::size_t max_natural_key = 255;  ///< characters
inline constexpr std::size_t max_event_id = 255;     ///< characters
inline constexpr std::size_t max_reference = 1000;   ///< characters

[[nodiscard]] bool is_null(sqlite3_value* value);

/// An integer, or what is exactly one: a real, since JavaScript hosts bind every number so, or a
/// text, since Perl and Tcl bind every number so and CSV has nothing else. EV009 otherwise.
[[nodiscard]] std::int64_t integer_of(sqlite3_value* value, std::string_view argument);
/// The same, of at least `low`; EV009 below it, and where it is NULL.
[[nodiscard]] std::int64_t integer_from(sqlite3_value* value, std::string_view argument,
                                        std::int64_t low);
/// An id; EV002 where it is NULL.
[[nodiscard]] std::int64_t aggregate_id_of(sqlite3_value* value);

/// Whether a text is one digit or more, and nothing else.
[[nodiscard]] bool is_digits(std::string_view text);
/// The integer that a text is, blanks around it and a sign allowed as PostgreSQL allows them.
[[nodiscard]] std::optional<std::int64_t> integer_in(std::string_view text);
/// The integer that a JSON number is, however it is spelled: 10, 1e1, 10.0. Nothing where it is
/// none, or none of int64.
[[nodiscard]] std::optional<std::int64_t> integer_of_number(std::string_view number);
/// The integer that a real is, where every integer of its size is one real.
[[nodiscard]] std::optional<std::int64_t> whole(double real);

/// Text as given; EV009 where it is no text. Lives as long as the value.
[[nodiscard]] std::string_view text_of(sqlite3_value* value, std::string_view argument);
/// Text that must not be NULL: EV009.
[[nodiscard]] std::string_view required_text(sqlite3_value* value, std::string_view argument);
/// A JSON document: text, or bytes that are to be looked at as such. EV009 for anything else.
[[nodiscard]] std::string_view document_of(sqlite3_value* value, std::string_view argument);
[[nodiscard]] std::string_view required_document(sqlite3_value* value, std::string_view argument);
[[nodiscard]] bool is_document(sqlite3_value* value);
/// The bytes of a document as SQLite holds them: its text in a UTF-8 database. Unlike text_of() it does
/// not make SQLite copy a text that ends without a NUL, as most programs bind theirs.
[[nodiscard]] std::string_view bytes_of(sqlite3_value* value);

/// Where a name or key is asked for: text, or a number in its place. A real that is an integer reads
/// as that one, 123, never 123.0; any other as the shortest text that reads back as it.
class Name {
 public:
  /// EV009 for bytes and NULL. Lives as long as the value.
  Name(sqlite3_value* value, std::string_view argument);
  operator std::string_view() const& {  // NOLINT(google-explicit-constructor)
    return number_.empty() ? given_ : std::string_view(number_);
  }
  operator std::string_view() const&& = delete;

 private:
  std::string_view given_;
  std::string number_;  ///< empty: it is given_
};

/// Text of any length that PostgreSQL could hold too: EV009 where it is not UTF-8 or holds a NUL.
[[nodiscard]] std::string_view plain_text_of(sqlite3_value* value, std::string_view argument);

/// A name or key of 1 to `most` characters; EV005 otherwise.
[[nodiscard]] Name name_of(sqlite3_value* value, std::string_view argument, std::size_t most);
/// A time in the form of time.h; EV009 otherwise.
[[nodiscard]] std::int64_t time_of(sqlite3_value* value, std::string_view argument);

/// The same checks on text from elsewhere.
void check_name(std::string_view text, std::string_view argument, std::size_t most);
void check_reference(std::string_view text);
/// What check_name() and check_reference() would say, without the code; empty where they say nothing.
[[nodiscard]] std::string fault_of_name(std::string_view text, std::string_view argument,
                                        std::size_t most);
[[nodiscard]] std::string fault_of_reference(std::string_view text);
[[nodiscard]] std::int64_t time_in(std::string_view text, std::string_view argument);

}  // namespace evercore::ext
