// The discipline of everything that writes: refuse what could not be atomic, and make the rest so.
#pragma once

#include <cstdint>
#include <functional>

#include "connection.h"
#include "error.h"
#include "statistics.h"

namespace evercore::ext {

/// Stands around one call of a writing function, and restores last_insert_rowid() at the end.
/// Refuses, with EV010, a call from a statement that itself writes, or from a trigger: its failure
/// could leave half of it behind. And in autocommit one from a statement that reads the database:
/// each row would commit alone, and SQLite waits for no lock while the statement holds its snapshot.
/// Remembers whether the call began in a transaction, for require_same_transaction().
class WriteGuard {
 public:
  WriteGuard(Connection& connection, const char* function);
  ~WriteGuard();
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;

 private:
  Connection& connection_;
  std::int64_t last_insert_rowid_;
  bool outer_called_in_transaction_;
};

/// Before something is written: throws lost_transaction() where the call began in a transaction that is gone. When SQLite
/// reads the schema anew it passes over a failure to read the statistics of ANALYZE, though it has rolled the transaction
/// back with it; what is written then would commit by itself.
inline void require_same_transaction(const Connection& connection) {
  if (connection.called_in_transaction && sqlite3_get_autocommit(connection.db()) != 0)
    throw lost_transaction();
}

/// Stands around one INSERT into a table with rowids, and knows whether its row arrived: a trigger of
/// the user's or an authorizer can make it vanish without an error.
class Arrival {
 public:
  explicit Arrival(sqlite3* db) : db_(db), changes_before_(sqlite3_total_changes(db)) {}
  /// If an authorizer ignored the row, both counts stay as they were.
  [[nodiscard]] bool came() const {
    return sqlite3_changes(db_) == 1 && sqlite3_total_changes(db_) != changes_before_;
  }
  /// The rowid of the new row; EV010 where there is none.
  [[nodiscard]] std::int64_t rowid() const;

 private:
  sqlite3* db_;
  int changes_before_;
};

/// EV010: something that was to be written was made to vanish.
[[nodiscard]] Error vanished();

/// Throws vanished() unless `look`, a SELECT of what was just written, gives a row. It asks for the
/// values too: a trigger can keep a whole row back, an authorizer a single column as it was.
void require_written(Statement& look);

/// Runs `work` so that all that it writes happens or none of it, in autocommit, in a transaction
/// and in a row of the INSERT form alike, with the write lock held from the start.
///
/// It runs inside a statement of its own, an INSERT into the virtual table `evercore_append`:
/// SQLite takes the lock for it (waiting as busy_timeout says), undoes on failure what was done
/// within, and commits at its end in autocommit. A SAVEPOINT would do none of the three inside a
/// row, nor while another statement of the connection writes.
void atomically(Connection& connection, const std::function<void()>& work);

/// Called by xUpdate, with the write lock held: throws EV008 where a newer program was here since, and
/// EV010 where a rollback could not be trusted.
inline void require_looked_at(Connection& connection) {
  connection.require_rollback_here();
  if (connection.transaction.looked_at()) return;
  connection.require_same_store_to_append();
  if (connection.plans_by_old_counts) plan_anew(connection);
  connection.transaction.note_look();
}

/// Called by xUpdate: runs the work that atomically() handed over, if this row carries one. Gives
/// false where it does not, and the result code of the work otherwise.
bool run_carried(Connection& connection, int& result_code) noexcept;

}  // namespace evercore::ext
