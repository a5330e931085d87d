// Names and quoting, in both languages that evercoregen writes.
#ifndef EVERCORE_GEN_NAMES_H
#define EVERCORE_GEN_NAMES_H

#include <string>
#include <string_view>

namespace evercore::gen {

// UserCreated and userCreated become user_created, HTTPRequest http_request, MovedV2 moved_v2.
std::string snake_case(std::string_view name);

// A name as it stands in SQL: in double quotes where it is a word of SQLite's or PostgreSQL's or
// has a character that neither takes bare.
std::string sql_name(std::string_view name);
// A text in single quotes.
std::string sql_text(std::string_view text);
// A text in double quotes, as C++ reads it.
std::string cpp_text(std::string_view text);

}  // namespace evercore::gen

#endif  // EVERCORE_GEN_NAMES_H
