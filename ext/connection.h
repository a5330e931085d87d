// What one SQLite connection keeps for evercore: prepared statements, the JSON parser, and what the
// running transaction has learnt.
//
// Prepared statements outlive a call, and SQLite refuses to close a connection that still has one.
// They are therefore kept only while the anchor (anchor.h) stands, which frees them in time;
// without it, a statement dies with the call.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api.h"
#include "declared_tags.h"
#include "empty_fetches.h"
#include "error.h"
#include "head.h"
#include "json_tree.h"
#include "known.h"
#include "payload.h"
#include "rules.h"
#include "statement.h"
#include "tag.h"
#include "transaction.h"
#include "upcast.h"

namespace evercore::ext {

/// The largest sequence and position that a store can have. A larger one was not written by evercore,
/// and counting on from it would overflow.
inline constexpr std::int64_t most_sequence = std::int64_t{1} << 62;
inline constexpr std::int64_t most_position = std::int64_t{1} << 62;

struct FastAppend;  // append_calls.h
class Batch;        // append_batch.h

/// Work on its way into a row of `evercore_append`; see atomically() in write.h.
struct Carried {
  const std::function<void()>* work;
  const Statement* carrier;
  std::exception_ptr failure;
  bool ran = false;
};

class Connection {
 public:
  explicit Connection(sqlite3* db);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] sqlite3* db() const { return db_; }

  /// A statement for `sql`, kept for the next call. Throws EV008 where there is no store, or one of a
  /// newer program.
  Statement prepare(Sql sql);
  /// An INSERT OR IGNORE of events, as prepare() gives it; nothing where a trigger of the user's is
  /// compiled into it, since IGNORE would hide the trigger's failures. The caller must make sure that the
  /// statement does nothing once SQLite has prepared it again.
  std::optional<Statement> prepare_ignoring(Sql sql);
  /// A statement that is not kept. It works without a store.
  Statement prepare_once(const char* sql);
  Statement prepare_once(const std::string& sql) { return prepare_once(sql.c_str()); }

  /// The INSERT that carries atomically() into `evercore_append` (write.h). It names a hidden column
  /// that no other table has: where one of that name hides ours, it fails and writes nothing.
  Statement prepare_carrier();
  [[nodiscard]] const std::string& carrier_column() const { return carrier_column_; }

  /// Throws EV008 unless the store is of this program's schema version, and EV010 for UTF-16.
  void require_store();
  void require_utf8();
  /// Whether the database is known to be a UTF-8 one: whether there was a store when it was looked at last.
  [[nodiscard]] bool is_utf8() const { return schema_checked_; }
  /// Throws EV010 with PRAGMA journal_mode = OFF, where a call that fails could not be rolled back.
  void require_rollback();
  /// The same before every write, but cheaper: it looks only while no journal is open. An open journal shows
  /// that the mode is not OFF, and SQLite refuses to change the mode while it is open.
  void require_rollback_here() {
    if (transaction.journal_seen()) return;
    if (!has_journal()) return require_rollback();
    if (transaction.taking_part()) transaction.note_journal();
  }
  /// Makes the next statement look at the schema version again, and the next append look for counts of
  /// ANALYZE, which also makes SQLite prepare statements again, even inside a transaction.
  void forget_schema() {
    schema_checked_ = false;
    user_triggers_.reset();
    forget_positions();
    transaction.forget_look();
  }
  /// Whether the event table has triggers that are not evercore's. As up to date as the kept statements:
  /// the first statement that runs or is prepared after a change notices it.
  bool has_user_triggers();

  // A newer program may migrate without changing the schema; SQLite then prepares nothing again. It is
  // noticed by the version of the file's content, which every commit of another connection changes.

  /// Throws EV008 where the store is no longer of this program's version, in what the running transaction
  /// sees; outside a transaction, in what the last one saw.
  void require_same_store() {
    if (data_version() != data_version_) look_again();
  }
  /// The same before an event is written: EV010 where no position is left above the newest.
  void require_same_store_to_append();
  /// After a commit of this connection: nothing need be looked at again because of it.
  void committed() {
    data_version_ = data_version();
    positions_version_ = looks_again_ ? no_version : data_version_;
  }
  /// Makes the next append look at the newest position and for counts of ANALYZE. What a transaction of
  /// several statements writes beside appends is in no version until its commit, which is our own.
  void forget_positions() { positions_version_ = no_version; }

  /// Held while a function that only reads is running. Evercore's own tables call none of its functions; a
  /// hostile file may have put a view in their place that does, and would recurse without end.
  class Reading {
   public:
    Reading(Connection& connection, const char* function) : connection_(connection) {
      if (connection.reading_) refuse(function);
      connection.reading_ = true;
    }
    ~Reading() { connection_.reading_ = false; }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    [[noreturn]] static void refuse(const char* function);

    Connection& connection_;
  };

  /// Called by the anchor's xConnect and xDisconnect.
  void anchored() { anchored_ = true; }
  void release_statements() noexcept;
  /// Runs `work`, during which the host may have finalized statements that are in use.
  template <typename Work>
  void mistrusting(Work work) noexcept {
    mistrusts_ = true;
    work();
    mistrusts_ = false;
  }

  Payload payload;
  Transaction transaction;
  TagIds tags;
  DeclaredTypes declared;
  Known<Rules> rules;
  Known<Upcast> upcasts;
  JsonTree data;  ///< those that a schema looks at
  Carried* carried = nullptr;
  bool called_in_transaction = false;  ///< the writing function that runs; see WriteGuard
  FastAppend* fast_append = nullptr;
  const Statement* inserting = nullptr;  // see append_calls.h
  Batch* staged = nullptr;               // see append_batch.h
  bool plans_by_old_counts = false;      // see statistics.h
  CommittedHead committed_head;
  EmptyFetches empty_fetches;

 private:
  friend class Statement;
  struct Kept {
    const void* key;
    sqlite3_stmt* stmt;
  };

  Statement prepare_kept(const void* key, const char* sql);
  [[nodiscard]] std::int64_t data_version() const;
  [[nodiscard]] bool has_journal() const;
  void look_again();
  sqlite3_stmt* take(const void* key);
  void give_back(const Statement& statement) noexcept;
  bool anchor() noexcept;

  sqlite3* db_;
  std::string carrier_column_;
  std::string carrier_sql_;
  std::vector<Kept> kept_;
  static constexpr std::int64_t no_version = -1;
  std::int64_t data_version_ = no_version;
  std::int64_t positions_version_ =
      no_version;             // of the content whose newest position was looked at
  bool looks_again_ = false;  // what the last look changed may be rolled back
  bool reading_ = false;
  bool anchored_ = false;
  bool schema_checked_ = false;
  std::optional<bool> user_triggers_;
  bool mistrusts_ = false;
};

}  // namespace evercore::ext
