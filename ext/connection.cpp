#include "connection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "migrate.h"
#include "schema_version.h"
#include "statistics.h"

namespace evercore::ext {

namespace {

/// A name that no table has by chance or by design.
std::string random_column() {
  std::array<std::uint64_t, 2> bits{};
  sqlite3_randomness(sizeof bits, bits.data());
  return "_evercore_" + std::to_string(bits[0]) + "_" + std::to_string(bits[1]);
}

bool is_listed(sqlite3* db, const sqlite3_stmt* wanted) {
  for (sqlite3_stmt* s = sqlite3_next_stmt(db, nullptr); s != nullptr;
       s = sqlite3_next_stmt(db, s)) {
    if (s == wanted) return true;
  }
  return false;
}

}  // namespace

Connection::Connection(sqlite3* db)
    : db_(db),
      carrier_column_(random_column()),
      // With a SELECT, even of one row, SQLite keeps a statement journal: VALUES would do without.
      carrier_sql_("INSERT INTO main.evercore_append (" + carrier_column_ + ") SELECT NULL") {}

Statement Connection::prepare(Sql sql) {
  return prepare_kept(sql.text, sql.text);
}

Statement Connection::prepare_carrier() {
  return prepare_kept(&carrier_sql_, carrier_sql_.c_str());
}

Statement Connection::prepare_kept(const void* key, const char* sql) {
  if (sqlite3_stmt* stmt = take(key); stmt != nullptr) {
    Statement statement(*this, stmt, key);
    if (!schema_checked_) require_store();
    return statement;
  }
  require_store();
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (rc != SQLITE_OK) throw engine_error(db_, rc);
  user_triggers_.reset();  // the statement may know of newer ones
  return Statement(*this, stmt, key);
}

std::optional<Statement> Connection::prepare_ignoring(Sql sql) {
  if (has_user_triggers()) return std::nullopt;
  Statement insert = prepare(sql);
  if (!user_triggers_ && has_user_triggers()) return std::nullopt;
  return insert;
}

Statement Connection::prepare_once(const char* sql) {
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql, -1, 0, &stmt, nullptr);
  if (rc != SQLITE_OK) throw engine_error(db_, rc);
  return Statement(*this, stmt, nullptr);
}

void Connection::require_utf8() {
  Statement encoding = prepare_once("PRAGMA main.encoding");
  encoding.step();
  if (encoding.text(0) == "UTF-8") return;
  throw error(10, "the database is " + std::string(encoding.text(0)) +
                      ": evercore needs a UTF-8 one, a new one or one made from its dump");
}

bool Connection::has_journal() const {
  sqlite3_file* journal = nullptr;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
  return journal != nullptr && journal->pMethods != nullptr;
}

void Connection::require_rollback() {
  // Not kept: SQLite runs a PRAGMA once and then prepares it again, as after a change of the schema.
  Statement mode = prepare_once("PRAGMA main.journal_mode");
  mode.step();
  if (mode.text(0) != "off") return;
  throw error(
      10,
      "with PRAGMA journal_mode = OFF a call that fails cannot be taken back: set it to WAL or "
      "DELETE, in a database in memory to MEMORY");
}

void Connection::require_store() {
  const std::int64_t version = schema_version(*this);
  const std::int64_t known = newest_schema_version();
  if (version > known) {
    throw error(8, "the store has schema version " + std::to_string(version) +
                       ", newer than this evercore knows (" + std::to_string(known) + ")");
  }
  if (version > 0) require_utf8();
  if (version < known) throw error(8, "the store is not migrated: SELECT evercore_migrate()");
  schema_checked_ = true;
}

std::int64_t Connection::data_version() const {
  unsigned version = 0;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_DATA_VERSION, &version);
  return version;
}

void Connection::look_again() {
  Statement look = prepare("SELECT max(version), max(declared_mark) FROM main.evercore_schema");
  look.step();
  const std::int64_t version = data_version();  // with the statement's snapshot still held
  if (look.integer(0) != newest_schema_version()) {
    forget_schema();
    require_store();
  }
  data_version_ = version;
  tags.forget();
  declared.saw(look.integer(1));
}

void Connection::require_same_store_to_append() {
  require_same_store();
  if (positions_version_ == data_version_) return;
  Statement newest = prepare("SELECT max(position) FROM main.evercore_event NOT INDEXED");
  newest.step();
  // SQLite would go on with positions at random.
  if (newest.integer(0) >= most_position) throw damaged("the newest position");
  newest.reset();
  looks_again_ = forget_statistics(*this);
  positions_version_ = looks_again_ ? no_version : data_version_;
}

void Connection::Reading::refuse(const char* function) {
  throw error(8, std::string(function) +
                     " is called by reading the store's own tables: "
                     "something else bears their names");
}

bool Connection::has_user_triggers() {
  if (!user_triggers_) {
    // Not kept: it is asked once, and the walk of WriteGuard goes over every statement that is.
    Statement find = prepare_once(
        "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger'"
        " AND tbl_name = 'evercore_event' COLLATE NOCASE AND lower(name) NOT IN"
        " ('evercore_event_no_update', 'evercore_event_no_delete')"
        " UNION ALL SELECT 1 FROM temp.sqlite_schema WHERE type = 'trigger'"
        " AND tbl_name = 'evercore_event' COLLATE NOCASE");
    user_triggers_ = find.step();
  }
  return *user_triggers_;
}

sqlite3_stmt* Connection::take(const void* key) {
  for (Kept& kept : kept_) {
    if (kept.key != key || kept.stmt == nullptr) continue;
    sqlite3_stmt* stmt = std::exchange(kept.stmt, nullptr);
    return stmt;
  }
  return nullptr;
}

void Connection::give_back(const Statement& statement) noexcept {
  sqlite3_stmt* stmt = statement.stmt_;
  const void* key = statement.key_;
  if (mistrusts_ && !is_listed(db_, stmt)) return;
  if (statement.was_reprepared()) forget_schema();
  if (key == nullptr || !anchor()) {
    sqlite3_finalize(stmt);
    return;
  }
  sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  for (Kept& kept : kept_) {
    if (kept.key != key || kept.stmt != nullptr) continue;
    kept.stmt = stmt;
    return;
  }
  try {
    kept_.push_back(Kept{key, stmt});
  } catch (const std::bad_alloc&) {
    sqlite3_finalize(stmt);
  }
}

bool Connection::anchor() noexcept {
  if (anchored_) return true;
  sqlite3_stmt* stmt = nullptr;
  sqlite3_prepare_v2(db_, "SELECT 1 FROM main._evercore_anchor", -1, &stmt, nullptr);
  sqlite3_finalize(stmt);
  return anchored_;  // set by the anchor's xConnect
}

void Connection::release_statements() noexcept {
  anchored_ = false;
  for (const Kept& kept : kept_) {
    // Some hosts finalize every statement they find before closing; those are no longer ours to
    // free.
    if (kept.stmt != nullptr && is_listed(db_, kept.stmt)) sqlite3_finalize(kept.stmt);
  }
  kept_.clear();
}

}  // namespace evercore::ext
