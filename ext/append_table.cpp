// INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, …) VALUES …, or SELECT
//
// A write-only eponymous virtual table: one event a row, atomic per statement, and OR IGNORE skips
// the rows that are at fault. Reading it gives no rows.
//
// The same table carries atomically() (write.h): a row that finds work handed over does that
// instead of appending. And it hears of every turn of the transaction, for what the connection
// remembers of it.
#include "append_table.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string>

#include "aggregate.h"
#include "append.h"
#include "append_request.h"
#include "empty_table.h"
#include "error.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

enum Column {
  aggregate_type_column,
  natural_key_column,
  event_type_column,
  data_column,
  aggregate_id_column,
  expected_column,
  reference_column,
  metadata_column,
  event_time_column,
  event_id_column,
  tags_column,
};

/// The rows of one statement, and the repeats and new events among them; a statement may not mix
/// them. SQLite does not say where a statement begins: it is the same one while total_changes stands
/// still, since a statement's own rows are added only at its end. Rows are counted where a fault ends
/// the statement.
struct StatementMixture {
  sqlite3_int64 total_changes = -1;
  std::int64_t rows = 0;
  bool any_new = false;
  std::string repeated_id;  // the first repeat's; empty: none
};

struct AppendTable {
  sqlite3_vtab base;
  Connection* connection;
  StatementMixture mixture;
  bool in_row = false;
  bool store_at_begin = false;  // looked at where a savepoint could lose it
  bool store_lost = false;
  bool has_statements = false;  // the transaction is one of several statements
};

AppendTable& table_of(sqlite3_vtab* vtab) {
  return *reinterpret_cast<AppendTable*>(vtab);
}

/// Nothing for NULL: a column that is not named in an INSERT is NULL too.
sqlite3_value* given(sqlite3_value* value) {
  return is_null(value) ? nullptr : value;
}

AppendRequest request_of(Connection& connection, sqlite3_value** row) {
  AppendArguments arguments;
  arguments.aggregate_type = given(row[aggregate_type_column]);
  arguments.natural_key = given(row[natural_key_column]);
  arguments.event_type = given(row[event_type_column]);
  arguments.data = row[data_column];
  arguments.aggregate_id = given(row[aggregate_id_column]);
  arguments.expected = given(row[expected_column]);
  arguments.reference = given(row[reference_column]);
  arguments.metadata = given(row[metadata_column]);
  arguments.event_time = given(row[event_time_column]);
  arguments.event_id = given(row[event_id_column]);
  arguments.tags = given(row[tags_column]);
  return read_row(connection, arguments);
}

Appended append_row(Connection& connection, const AppendRequest& request) {
  const Target& target = request.target;
  const NewEvent& event = request.event;
  std::optional<std::int64_t> id = target.id;
  if (!id) id = find_aggregate(connection, target.type, target.key);
  if (id) {
    if (const auto done = append_simply(connection, *id, request.expected, event)) return *done;
  }
  Appended appended;
  atomically(connection, [&] {
    if (!id) id = ensure_aggregate(connection, target.type, target.key);
    appended = append_fully(connection, *id, request.expected, event);
  });
  return appended;
}

Error mixed(const StatementMixture& mixture) {
  return error(7, "event_id \"" + mixture.repeated_id +
                      "\" exists: one call cannot mix repeats and new events");
}

/// A new event behind a repeat is EV007 before anything else but EV002 is said of it.
void require_repeat(Connection& connection, const StatementMixture& mixture,
                    const AppendRequest& request) {
  const Target& target = request.target;
  if (target.id) require_open(connection, *target.id);
  const auto id = target.id ? target.id : find_aggregate(connection, target.type, target.key);
  if (!id || !request.event.event_id || !find_repeat(connection, *id, request.event)) {
    throw mixed(mixture);
  }
}

/// Counts the row into its statement; EV007 where it makes a mixture.
void count(StatementMixture& mixture, const Appended& appended, const NewEvent& event) {
  if (!appended.repeated) {
    mixture.any_new = true;
  } else if (mixture.repeated_id.empty()) {
    mixture.repeated_id = event.event_id.value_or("");
  }
  if (mixture.any_new && !mixture.repeated_id.empty()) throw mixed(mixture);
}

/// Under OR IGNORE every row stands for itself: one at fault is skipped, and a repeat is no fault.
bool skips_faults(const AppendTable& table) {
  return sqlite3_vtab_on_conflict(table.connection->db()) == SQLITE_IGNORE;
}

/// Whether the program of an INSERT may write more rows than one: it takes them from a co-routine that
/// yields more than once, or loops. (One Yield is that of the taker.)
bool loops(Statement& plan) {
  bool routine = false;
  bool loop = false;
  int yields = 0;
  while (plan.step()) {
    const std::string_view opcode = plan.text(1);
    routine = routine || opcode == "InitCoroutine";
    loop = loop || opcode == "Rewind" || opcode == "Last" || opcode == "VFilter" ||
           opcode.starts_with("Seek");
    if (opcode == "Yield") ++yields;
  }
  return routine && (loop || yields > 2);
}

/// Whether the running INSERT may have more rows than one.
bool has_many_rows(Connection& connection) {
  sqlite3* db = connection.db();
  for (sqlite3_stmt* stmt = sqlite3_next_stmt(db, nullptr); stmt != nullptr;
       stmt = sqlite3_next_stmt(db, stmt)) {
    const char* sql = sqlite3_sql(stmt);
    if (sqlite3_stmt_busy(stmt) == 0 || sqlite3_stmt_readonly(stmt) != 0 || sql == nullptr)
      continue;
    Statement plan = connection.prepare_once(std::string("EXPLAIN ") + sql);
    if (loops(plan)) return true;
  }
  return false;
}

/// Names the row at fault where the statement may have several: before the byte, which ends a message.
void set_message(AppendTable& table, const Error& failure, std::int64_t row) noexcept {
  sqlite3_free(table.base.zErrMsg);
  table.base.zErrMsg = nullptr;
  try {
    const bool named =
        failure.row_fault && row > 0 && (row > 1 || has_many_rows(*table.connection));
    std::string text = failure.text;
    const std::size_t byte =
        failure.code == Code::bad_payload ? text.rfind(" at byte ") : text.npos;
    if (named) text.insert(std::min(byte, text.size()), " (row " + std::to_string(row) + ")");
    table.base.zErrMsg = sqlite3_mprintf("%s", text.c_str());
  } catch (...) {
    table.base.zErrMsg = sqlite3_mprintf("%s", failure.text.c_str());
  }
}

int fail(AppendTable& table, const Error& failure, std::int64_t row) noexcept {
  set_message(table, failure, row);
  if (failure.row_fault) return SQLITE_CONSTRAINT;
  // OR IGNORE skips a row for a constraint: here it is one of a trigger, which may have rolled back
  // more than this row.
  const bool is_constraint = (failure.sqlite_code & 0xff) == SQLITE_CONSTRAINT;
  return is_constraint && skips_faults(table) ? SQLITE_ERROR : failure.sqlite_code;
}

Appended append_and_count(AppendTable& table, sqlite3_value** row) {
  Connection& connection = *table.connection;
  const AppendRequest request = request_of(connection, row);
  if (skips_faults(table)) return append_row(connection, request);
  Appended appended;
  if (table.mixture.repeated_id.empty() && !request.event.event_id) {
    appended = append_row(connection, request);
    table.mixture.any_new = true;
  } else {
    atomically(connection, [&] {
      if (!table.mixture.repeated_id.empty()) require_repeat(connection, table.mixture, request);
      appended = append_row(connection, request);
      count(table.mixture, appended, request.event);
    });
  }
  return appended;
}

int append(AppendTable& table, sqlite3_value** row, sqlite3_int64* rowid) noexcept {
  sqlite3* db = table.connection->db();
  std::int64_t number = 0;  // of the row
  try {
    if (table.mixture.total_changes != sqlite3_total_changes64(db)) table.mixture = {};
    if (!skips_faults(table)) number = ++table.mixture.rows;
    const StatementMixture before = table.mixture;
    table.in_row = true;
    try {
      require_looked_at(*table.connection);
      *rowid = append_and_count(table, row).position;
    } catch (const Error&) {
      // A row that OR IGNORE skips leaves its statement as it was; any other fault ends it.
      table.mixture = sqlite3_vtab_on_conflict(db) == SQLITE_IGNORE ? before : StatementMixture{};
      throw;
    }
    table.in_row = false;
    table.mixture.total_changes = sqlite3_total_changes64(db);
    return SQLITE_OK;
  } catch (const Error& failure) {
    table.in_row = false;
    return fail(table, failure, number);
  } catch (const std::bad_alloc&) {
    table.in_row = false;
    return SQLITE_NOMEM;
  } catch (...) {
    table.in_row = false;
    return SQLITE_ERROR;
  }
}

int update(sqlite3_vtab* vtab, int count, sqlite3_value** values, sqlite3_int64* rowid) noexcept {
  AppendTable& table = table_of(vtab);
  if (count == 1 || !is_null(values[0])) return SQLITE_READONLY;
  int rc = SQLITE_OK;
  if (run_carried(*table.connection, rc)) return rc;
  return append(table, values + 2, rowid);
}

/// The last column is what atomically() inserts into; see Connection::prepare_carrier().
int declare(sqlite3* db, const Connection& connection) {
  char* sql = sqlite3_mprintf(
      "CREATE TABLE x(aggregate_type TEXT, natural_key TEXT, event_type TEXT, data TEXT,"
      " aggregate_id INTEGER, expected INTEGER, reference TEXT, metadata TEXT, event_time TEXT,"
      " event_id TEXT, tags TEXT, %s HIDDEN)",
      connection.carrier_column().c_str());
  if (sql == nullptr) return SQLITE_NOMEM;
  const int rc = sqlite3_declare_vtab(db, sql);
  sqlite3_free(sql);
  return rc;
}

int connect(sqlite3* db, void* user, int, const char* const*, sqlite3_vtab** out, char**) noexcept {
  Connection* connection = static_cast<std::shared_ptr<Connection>*>(user)->get();
  int rc = declare(db, *connection);
  if (rc == SQLITE_OK) rc = sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
  if (rc == SQLITE_OK) rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
  if (rc != SQLITE_OK) return rc;
  auto* table = new (std::nothrow) AppendTable{{}, connection, {}};
  if (table == nullptr) return SQLITE_NOMEM;
  *out = &table->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* vtab) noexcept {
  delete &table_of(vtab);
  return SQLITE_OK;
}

// Every end and every turn of a transaction makes what it learnt void (transaction.h).
//
// Where a savepoint begins the transaction, SQLite goes by the size that the file had when this connection read
// it last. If it was empty then, rolling back to that savepoint empties it, whatever others made of it since. An
// INSERT into this table begins a transaction without reading the file; so what was there is remembered, and
// where it is gone the whole transaction is rolled back, before anything is written in its place.

bool has_store(Connection& connection) {
  return connection.prepare_once("SELECT 1 FROM main.sqlite_schema WHERE name = 'evercore_schema'")
      .step();
}

/// What cannot be read is not there.
bool still_has_store(Connection& connection) noexcept {
  try {
    return has_store(connection);
  } catch (...) {
    return false;
  }
}

/// A look that fails fails the statement: where memory runs out or the disk fails, SQLite has rolled the
/// transaction back under it, and would go on with what it has freed.
int begin(sqlite3_vtab* vtab) noexcept {
  AppendTable& table = table_of(vtab);
  Connection& connection = *table.connection;
  table.store_at_begin = table.store_lost = false;
  try {
    table.store_at_begin = !connection.is_utf8() && sqlite3_get_autocommit(connection.db()) == 0 &&
                           has_store(connection);
  } catch (const Error& failure) {
    return failure.sqlite_code;
  } catch (...) {
    return SQLITE_NOMEM;
  }
  connection.transaction.begin();
  connection.empty_fetches.begin();
  table.has_statements = sqlite3_get_autocommit(connection.db()) == 0;
  if (table.has_statements) connection.forget_positions();
  return SQLITE_OK;
}

int sync(sqlite3_vtab* vtab) noexcept {
  return table_of(vtab).store_lost ? SQLITE_ABORT_ROLLBACK : SQLITE_OK;
}

int end(sqlite3_vtab* vtab) noexcept {
  AppendTable& table = table_of(vtab);
  table.connection->transaction.end();
  table.connection->empty_fetches.roll_back();
  table.connection->tags.rolled_back();
  table.connection->declared.rolled_back();
  if (table.store_lost) table.connection->forget_schema();
  table.store_at_begin = table.store_lost = false;
  table.mixture = StatementMixture{};
  return SQLITE_OK;
}

int commit(sqlite3_vtab* vtab) noexcept {
  table_of(vtab).connection->committed();
  table_of(vtab).connection->empty_fetches.commit();
  if (table_of(vtab).has_statements) table_of(vtab).connection->forget_positions();
  table_of(vtab).connection->tags.committed();
  table_of(vtab).connection->declared.committed();
  return end(vtab);
}

int savepoint(sqlite3_vtab* vtab, int number) noexcept {
  try {
    table_of(vtab).connection->empty_fetches.savepoint(number);
  } catch (...) {
    return SQLITE_NOMEM;
  }
  return SQLITE_OK;
}

int roll_back_to(sqlite3_vtab* vtab, int savepoint) noexcept {
  AppendTable& table = table_of(vtab);
  // A negative number is that of a savepoint that began the transaction.
  if (savepoint < 0 && table.store_at_begin && !still_has_store(*table.connection)) {
    table.store_lost = true;
    sqlite3_exec(table.connection->db(), "ROLLBACK", nullptr, nullptr, nullptr);
    return SQLITE_ABORT_ROLLBACK;
  }
  table.connection->transaction.forget();
  table.connection->transaction.forget_look();
  table.connection->empty_fetches.roll_back_to(savepoint);
  table.connection->tags.rolled_back();
  table.connection->declared.rolled_back();
  if (!table.in_row) table.mixture = StatementMixture{};
  return SQLITE_OK;
}

constexpr sqlite3_module methods = [] {
  sqlite3_module module = empty_table::methods();
  module.iVersion = 2;
  module.xConnect = connect;
  module.xDisconnect = disconnect;
  module.xUpdate = update;
  module.xBegin = begin;
  module.xSync = sync;
  module.xCommit = commit;
  module.xRollback = end;
  module.xSavepoint = savepoint;
  module.xRelease = savepoint;
  module.xRollbackTo = roll_back_to;
  return module;
}();

void destroy(void* connection) {
  delete static_cast<std::shared_ptr<Connection>*>(connection);
}

}  // namespace

int register_append_table(const std::shared_ptr<Connection>& connection) {
  auto* held = new (std::nothrow) std::shared_ptr<Connection>(connection);
  if (held == nullptr) return SQLITE_NOMEM;
  return sqlite3_create_module_v2(connection->db(), "evercore_append", &methods, held, destroy);
}

}  // namespace evercore::ext
