#include "connection.h"

#include <utility>

#include "migrate.h"

namespace evercore::ext {

namespace {

bool is_listed(sqlite3* db, const sqlite3_stmt* wanted) {
  for (sqlite3_stmt* s = sqlite3_next_stmt(db, nullptr); s != nullptr;
       s = sqlite3_next_stmt(db, s)) {
    if (s == wanted) return true;
  }
  return false;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      stmt_(std::exchange(other.stmt_, nullptr)),
      key_(other.key_),
      reprepared_(other.reprepared_) {}

Statement::~Statement() {
  if (stmt_ == nullptr) return;
  connection_->give_back(*this);
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(stmt_, index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const int rc = sqlite3_bind_text64(stmt_, index, text.data() == nullptr ? "" : text.data(),
                                     text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (rc != SQLITE_OK) throw engine_error(connection_->db(), rc);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const int rc = sqlite3_bind_blob64(stmt_, index, bytes.data(), bytes.size(), SQLITE_STATIC);
  if (rc != SQLITE_OK) throw engine_error(connection_->db(), rc);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(stmt_, index);
  return *this;
}

int Statement::try_run() {
  int rc = SQLITE_ROW;
  while (rc == SQLITE_ROW) rc = sqlite3_step(stmt_);
  return rc;
}

bool Statement::step() {
  const int rc = sqlite3_step(stmt_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  Error failure = engine_error(connection_->db(), rc);
  sqlite3_reset(stmt_);
  throw failure;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(stmt_);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(stmt_, column);
}

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  if (text == nullptr) {
    if (is_null(column)) return {};
    throw std::bad_alloc();
  }
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}

std::string_view Statement::nullable_text(int column) const {
  // Every sqlite3_column_ call takes the connection's mutex; the value's own calls do not, and a
  // function or virtual table runs with the mutex held.
  sqlite3_value* value = sqlite3_column_value(stmt_, column);
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) {
    if (sqlite3_value_type(value) == SQLITE_NULL) return {};
    throw std::bad_alloc();
  }
  return {text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}

sqlite3_value* Statement::value(int column) const {
  return sqlite3_column_value(stmt_, column);
}

Statement Connection::prepare(Sql sql) {
  if (sqlite3_stmt* stmt = take(sql.text); stmt != nullptr) {
    Statement statement(*this, stmt, sql.text);
    if (!schema_checked_) require_store();
    return statement;
  }
  require_store();
  sqlite3_stmt* stmt = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql.text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (rc != SQLITE_OK) throw engine_error(db_, rc);
  return Statement(*this, stmt, sql.text);
}

Statement Connection::prepare_once(const std::string& sql) {
  sqlite3_stmt* stmt = nullptr;
  const int rc =
      sqlite3_prepare_v3(db_, sql.c_str(), static_cast<int>(sql.size() + 1), 0, &stmt, nullptr);
  if (rc != SQLITE_OK) throw engine_error(db_, rc);
  return Statement(*this, stmt, nullptr);
}

std::int64_t Connection::schema_version() {
  Statement tables = prepare_once(
      "SELECT count(*) FILTER (WHERE name = 'evercore_schema'),"
      " count(*) FILTER (WHERE name = 'evercore_append') FROM main.sqlite_schema"
      " WHERE name IN ('evercore_schema', 'evercore_append')");
  tables.step();
  if (tables.integer(1) > 0) {
    throw error(8, "a table or view named evercore_append hides the one of the extension");
  }
  if (tables.integer(0) == 0) return 0;
  Statement version = prepare_once("SELECT coalesce(max(version), 0) FROM main.evercore_schema");
  version.step();
  return version.integer(0);
}

void Connection::require_store() {
  const std::int64_t version = schema_version();
  const std::int64_t known = newest_schema_version();
  if (version > known) {
    throw error(8, "the store has schema version " + std::to_string(version) +
                       ", newer than this evercore knows (" + std::to_string(known) + ")");
  }
  if (version < known) throw error(8, "the store is not migrated: SELECT evercore_migrate()");
  schema_checked_ = true;
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
