#include "statistics.h"

#include <string>
#include <string_view>

#include "connection.h"
#include "error.h"

namespace evercore::ext {

namespace {

bool has_table(Connection& connection, const char* name) {
  return sqlite3_table_column_metadata(connection.db(), "main", name, "tbl", nullptr, nullptr,
                                       nullptr, nullptr, nullptr) == SQLITE_OK;
}

bool is_counted(Connection& connection) {
  return connection.prepare("SELECT 1 FROM main.sqlite_stat1 WHERE tbl GLOB 'evercore_*' LIMIT 1")
      .step();
}

void forget(Connection& connection) {
  connection.prepare_once("DELETE FROM main.sqlite_stat1 WHERE tbl GLOB 'evercore_*'").run();
  if (has_table(connection, "sqlite_stat4")) {
    connection.prepare_once("DELETE FROM main.sqlite_stat4 WHERE tbl GLOB 'evercore_*'").run();
  }
  connection.plans_by_old_counts = true;
  // A change of the schema, which the others notice.
  connection.prepare_once("CREATE VIEW main._evercore_uncounted AS SELECT 1").run();
  connection.prepare_once("DROP VIEW main._evercore_uncounted").run();
}

/// Ignores the errors that may stop this work: they are no reason for an append to fail.
template <typename Work>
void where_possible(Work work) {
  try {
    work();
  } catch (const Error& failure) {
    const int code = failure.sqlite_code & 0xff;
    if (code != SQLITE_AUTH && code != SQLITE_LOCKED && code != SQLITE_ERROR) throw;
  }
}

/// Whether a statement opens a table at any time: what EXPLAIN of its text shows. When it does so cannot be
/// read off the program for certain.
bool opens_tables(Connection& connection, sqlite3_stmt* stmt) {
  const char* sql = sqlite3_sql(stmt);
  if (sql == nullptr) return true;
  Statement program = connection.prepare_once(std::string("EXPLAIN ") + sql);
  while (program.step()) {
    const std::string_view opcode = program.text(1);
    if (opcode == "OpenRead" || opcode == "OpenWrite" || opcode == "ReopenIdx") return true;
  }
  return false;
}

}  // namespace

bool forget_statistics(Connection& connection) {
  if (!has_table(connection, "sqlite_stat1")) return false;
  bool counted = false;
  where_possible([&] {
    counted = is_counted(connection);
    if (counted) forget(connection);
  });
  return counted;
}

void plan_anew(Connection& connection) {
  where_possible([&] {
    sqlite3* db = connection.db();
    for (sqlite3_stmt* stmt = sqlite3_next_stmt(db, nullptr); stmt != nullptr;
         stmt = sqlite3_next_stmt(db, stmt)) {
      if (sqlite3_stmt_busy(stmt) != 0 && opens_tables(connection, stmt)) return;
    }
    connection.prepare_once("ANALYZE main.sqlite_schema").run();
    connection.plans_by_old_counts = false;
  });
}

}  // namespace evercore::ext
