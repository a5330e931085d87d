#include "write.h"

#include <exception>
#include <string>
#include <utility>

namespace evercore::ext {

namespace {

/// Whether the statement opens a transaction on any database: what EXPLAIN of its text shows.
bool reads_database(Connection& connection, sqlite3_stmt* stmt) {
  const char* sql = sqlite3_sql(stmt);
  if (sql == nullptr) return true;
  Statement plan = connection.prepare_once(std::string("EXPLAIN ") + sql);
  while (plan.step()) {
    if (plan.text(1) == "Transaction") return true;
  }
  return false;
}

[[noreturn]] void refuse(const char* function, std::string_view why) {
  throw error(10, std::string(function).append(" ").append(why));
}

/// Whether the INSERT form does what the function does.
bool appends(std::string_view function) {
  return function == "evercore_append" || function == "evercore_append_many" ||
         function == "evercore_ensure" || function == "evercore_create";
}

/// Looks at the statements that are running this call. A statement that waits with a row for its
/// program (data_count > 0) is not among them.
void refuse_unsafe_caller(Connection& connection, const char* function) {
  sqlite3* db = connection.db();
  const bool autocommit = sqlite3_get_autocommit(db) != 0;
  if (autocommit && sqlite3_txn_state(db, nullptr) == SQLITE_TXN_NONE) return;
  for (sqlite3_stmt* stmt = sqlite3_next_stmt(db, nullptr); stmt != nullptr;
       stmt = sqlite3_next_stmt(db, stmt)) {
    if (sqlite3_stmt_busy(stmt) == 0 || sqlite3_data_count(stmt) > 0) continue;
    if (sqlite3_stmt_readonly(stmt) == 0) {
      refuse(function,
             appends(function)
                 ? "in a statement that itself writes could be left half done: call it in "
                   "a SELECT of its own, or use INSERT INTO evercore_append ... SELECT"
                 : "in a statement that itself writes could be left half done: call it in "
                   "a SELECT of its own");
    }
    if (autocommit && reads_database(connection, stmt)) {
      refuse(function, appends(function)
                           ? "in a statement that reads the database would commit row by row: use "
                             "INSERT INTO evercore_append ... SELECT, or BEGIN IMMEDIATE"
                           : "in a statement that reads the database would commit row by row: "
                             "BEGIN IMMEDIATE first");
    }
  }
}

}  // namespace

WriteGuard::WriteGuard(Connection& connection, const char* function)
    : connection_(connection),
      last_insert_rowid_(sqlite3_last_insert_rowid(connection.db())),
      outer_called_in_transaction_(connection.called_in_transaction) {
  refuse_unsafe_caller(connection, function);
  connection.called_in_transaction = sqlite3_get_autocommit(connection.db()) == 0;
}

WriteGuard::~WriteGuard() {
  connection_.called_in_transaction = outer_called_in_transaction_;
  sqlite3_set_last_insert_rowid(connection_.db(), last_insert_rowid_);
}

std::int64_t Arrival::rowid() const {
  if (!came()) throw vanished();
  return sqlite3_last_insert_rowid(db_);
}

Error vanished() {
  return error(10, "a row was not written: a trigger or rule of its table kept it back");
}

void require_written(Statement& look) {
  if (!look.step()) throw vanished();
  look.reset();
}

namespace {

/// Whether an error took more with it than its statement: where a statement cannot be taken back, since the disk
/// fails, SQLite rolls back the transaction. The code need not say so.
class LostTransaction {
 public:
  explicit LostTransaction(const Connection& connection)
      : connection_(connection),
        was_open_(sqlite3_get_autocommit(connection.db()) == 0),
        took_part_(connection.transaction.taking_part()) {}
  [[nodiscard]] bool is_lost() const {
    return (was_open_ && sqlite3_get_autocommit(connection_.db()) != 0) ||
           (took_part_ && !connection_.transaction.taking_part());
  }

 private:
  const Connection& connection_;
  bool was_open_;
  bool took_part_;
};

/// Whoever skips a row at fault must not go on: the rows before it are gone. Any other failure says itself that all is.
void refuse_to_skip(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (!error.row_fault) return;
    throw lost_transaction();
  } catch (...) {
  }
}

}  // namespace

void atomically(Connection& connection, const std::function<void()>& work) {
  Statement carrier = connection.prepare_carrier();
  Carried carried{&work, &carrier, nullptr};
  const LostTransaction transaction(connection);
  Carried* outer = std::exchange(connection.carried, &carried);
  const int rc = carrier.try_run();
  connection.carried = outer;
  if (carried.failure) {
    carrier.reset();
    if (transaction.is_lost()) refuse_to_skip(carried.failure);
    std::rethrow_exception(carried.failure);
  }
  if (rc == SQLITE_DONE && carried.ran) return;
  if (rc == SQLITE_DONE) throw error(10, "an authorizer keeps evercore from writing");
  const Error failure = engine_error(connection.db(), rc);
  carrier.reset();
  if (!carried.ran && failure.sqlite_code == SQLITE_ERROR) {
    connection.forget_schema();
    connection.require_store();  // a table that came between the look and the INSERT: EV008
  }
  throw failure;
}

bool run_carried(Connection& connection, int& result_code) noexcept {
  Carried* carried = std::exchange(connection.carried, nullptr);
  if (carried == nullptr) return false;
  result_code = SQLITE_OK;
  carried->ran = true;
  if (carried->carrier->was_reprepared()) connection.forget_schema();
  try {
    require_same_transaction(connection);
    require_looked_at(connection);
    (*carried->work)();
  } catch (const Error& failure) {
    // Its own code only where SQLite acts on it; a constraint would be taken for a fault of the
    // row.
    const int primary = failure.sqlite_code & 0xff;
    result_code = primary == SQLITE_CONSTRAINT ? SQLITE_ERROR : failure.sqlite_code;
    carried->failure = std::current_exception();
  } catch (const std::bad_alloc&) {
    result_code = SQLITE_NOMEM;
    carried->failure = std::current_exception();
  } catch (...) {
    result_code = SQLITE_ERROR;
    carried->failure = std::current_exception();
  }
  return true;
}

}  // namespace evercore::ext
