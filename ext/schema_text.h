// The texts of sqlite_schema, compared as SQL reads them: what VACUUM, a dump or ALTER TABLE change
// of their spelling makes no difference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace evercore::ext {

/// One token: words in lower case and without their quotes, strings in single quotes as they are.
struct SqlToken {
  std::string text;
  std::string_view raw;  ///< the slice of the text it was read from
};

/// The tokens of `sql`, without blanks, comments and a closing semicolon. They live as long as `sql`.
[[nodiscard]] std::vector<SqlToken> tokens_of(std::string_view sql);

/// Whether two texts are the same but for blanks, comments, quotes of names and case.
[[nodiscard]] bool same_sql(std::string_view a, std::string_view b);

/// A CREATE TABLE taken apart: its columns and constraints, and what stands behind the parenthesis.
struct TableText {
  struct Part {
    std::string name;  ///< of a column; empty for a constraint of the table
    std::string text;  ///< its tokens, separated by blanks
  };
  std::vector<Part> parts;
  std::string options;  ///< such as "strict"
  bool readable = false;
};

[[nodiscard]] TableText table_text_of(std::string_view create_table);

/// A CREATE INDEX taken apart, in slices of its text.
struct IndexText {
  std::string_view columns;  ///< between the parentheses
  std::string_view where;    ///< empty where the index is not partial
};

[[nodiscard]] IndexText index_text_of(std::string_view create_index);

}  // namespace evercore::ext
