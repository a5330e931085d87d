// Table functions: read-only eponymous virtual tables whose hidden columns are the arguments.
//
// A module says what its columns are and how to open a source of rows; this file does the rest.
// Rows are bounded by the head of the store when they are opened.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate.h"
#include "connection.h"

namespace evercore::ext {

/// A source of rows, positioned before the first.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual bool next() = 0;
  virtual void column(sqlite3_context* context, int column) = 0;
  [[nodiscard]] virtual std::int64_t rowid() const = 0;
};

/// The arguments of one opening: null where one was left off or is NULL.
struct TableArguments {
  std::vector<sqlite3_value*> values;
  std::uint64_t columns_used = ~std::uint64_t{0};  ///< bit i: column i is asked for
  bool ascending = false;  ///< SQLite counts on the ascending order of the ordered column

  sqlite3_value* operator[](std::size_t index) const { return values[index]; }
};

struct TableFunction {
  const char* name;
  const char* declaration;  ///< CREATE TABLE x(…), the arguments last and HIDDEN
  int columns;              ///< that are not hidden
  int arguments;
  int required_arguments;
  int ordered_column;  ///< rows come in its ascending order; -1: in none
  std::unique_ptr<Rows> (*open)(Connection&, const TableArguments&);  ///< null: no rows
};

/// Registers it. Gives a SQLite result code.
int register_table(const std::shared_ptr<Connection>& connection, const TableFunction& table);

/// For table functions of one aggregate: a NULL or unknown id is no rows.
[[nodiscard]] std::optional<Aggregate> find_for_rows(Connection& connection, sqlite3_value* id);
/// The optional `limit`: EV009 below 0, -1 for none.
[[nodiscard]] std::int64_t limit_of(sqlite3_value* value);

void give_text(sqlite3_context* context, std::string_view text);
/// A text that holds no NUL; cheaper for the host to read.
void give_name(sqlite3_context* context, const std::string& name);
/// A column of a nested statement as it is. Faster than sqlite3_result_value, which allocates.
void give_value(sqlite3_context* context, sqlite3_value* value);
void give_time(sqlite3_context* context, std::int64_t microseconds);

}  // namespace evercore::ext
