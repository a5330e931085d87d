// A prepared statement, as its connection hands it out and takes it back.
#pragma once

#include <cstdint>
#include <string_view>

#include "api.h"

namespace evercore::ext {

class Connection;

/// The text of a statement that is kept. Only a literal compiles: kept statements are found by the
/// address of their text, and only a literal keeps its address as long as the program runs.
struct Sql {
  consteval Sql(const char* literal) : text(literal) {}  // NOLINT(google-explicit-constructor)
  const char* text;
};

/// A prepared statement that belongs to its connection. The destructor resets it, clears its bindings and
/// gives it back. Column texts live until the next step.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index,
                  std::string_view text);  ///< not copied: the text must outlive the steps
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);

  /// True with a row, false at the end; throws what SQLite reports.
  bool step();
  /// Runs a statement that writes to its end without throwing: SQLite's result code. (With PRAGMA
  /// count_changes it gives a row on the way.)
  int try_run();
  /// Runs to the end and makes the statement ready for the next binding.
  void run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  /// Text with a null data() where the column is NULL; cheaper than is_null() and text().
  [[nodiscard]] std::string_view nullable_text(int column) const;
  [[nodiscard]] sqlite3_value* value(int column) const;
  [[nodiscard]] sqlite3_stmt* handle() const { return stmt_; }
  /// A blob as it is stored. As text SQLite would convert it in a UTF-16 database.
  [[nodiscard]] std::string_view blob(int column) const;
  /// Whether the schema changed between its preparation and its run. SQLite then prepares it again
  /// and reports nothing.
  [[nodiscard]] bool was_reprepared() const { return times_reprepared() != reprepared_; }

 private:
  friend class Connection;
  [[noreturn]] void fail(int rc);
  Statement(Connection& connection, sqlite3_stmt* stmt, const void* key)
      : connection_(&connection), stmt_(stmt), key_(key), reprepared_(times_reprepared()) {}
  [[nodiscard]] int times_reprepared() const {
    return sqlite3_stmt_status(stmt_, SQLITE_STMTSTATUS_REPREPARE, 0);
  }

  Connection* connection_;
  sqlite3_stmt* stmt_;
  const void* key_;
  int reprepared_;
};

}  // namespace evercore::ext
