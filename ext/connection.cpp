#include "connection.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "migrate.h"
#include "statistics.h"

namespace evercore::ext {

namespace {

/// The virtual tables of the extension: a table or view of such a name would hide ours.
constexpr std::string_view module_names[] = {
    "evercore_append",  "evercore_follow",  "evercore_events", "evercore_replay",
    "evercore_history", "evercore_fetch",   "evercore_query",  "evercore_check",
    "evercore_stats",   "_evercore_anchor", "_evercore_staged"};

/// The tables of a store. Where one of them is there, it must be a table with rows of its own.
constexpr std::string_view table_names[] = {
    "evercore_schema",
    "evercore_aggregate_type",
    "evercore_event_type",
    "evercore_aggregate",
    "evercore_event",
    "evercore_event_id",
    "evercore_tag",
    "evercore_event_tag",
    "evercore_compacted_type",
    "evercore_snapshot",
    "evercore_kept_state",
    "_evercore_maintenance",
    "evercore_subscription",
    "evercore_subscription_partition",
};

template <std::size_t count>
bool is_among(const std::string_view (&names)[count], std::string_view name) {
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view ours) {
    return ours.size() == name.size() &&
           sqlite3_strnicmp(ours.data(), name.data(), static_cast<int>(name.size())) == 0;
  });
}

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
  if (rc == SQLITE_ERROR) connection_->forget_schema();
  return rc;
}

bool Statement::step() {
  const int rc = sqlite3_step(stmt_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  fail(rc);
}

/// A kept statement that SQLite could not prepare again says that the store is another one now.
void Statement::fail(int rc) {
  Error failure = engine_error(connection_->db(), rc);
  sqlite3_reset(stmt_);
  if (failure.sqlite_code == SQLITE_ERROR && key_ != nullptr) {
    connection_->forget_schema();
    connection_->require_store();
  }
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

std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(stmt_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(stmt_, column) == SQLITE_NULL;
}

sqlite3_value* Statement::value(int column) const {
  return sqlite3_column_value(stmt_, column);
}

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

std::int64_t Connection::schema_version() {
  Statement names = prepare_once(
      "SELECT name, type = 'table' AND rootpage > 0 FROM main.sqlite_schema"
      " WHERE type IN ('table', 'view')");
  bool there = false;
  bool others = false;
  while (names.step()) {
    const std::string_view name = names.text(0);
    if (is_among(module_names, name)) {
      throw error(8,
                  "a table or view named " + std::string(name) + " hides the one of the extension");
    }
    if (!is_among(table_names, name)) continue;
    if (names.integer(1) == 0) {
      throw error(
          8, std::string(name) + " is not the table of a store: something else bears its name");
    }
    const bool is_schema = is_among({table_names[0]}, name);
    there = there || is_schema;
    others = others || !is_schema;
  }
  if (others && !there) {
    throw error(8,
                "the store is damaged: evercore_schema is missing, and its other tables are there");
  }
  return there ? read_version() : 0;
}

std::int64_t Connection::read_version() {
  try {
    Statement version = prepare_once(
        "SELECT count(*), max(version), count(*) FILTER (WHERE typeof(version) <> 'integer')"
        " FROM (SELECT version FROM main.evercore_schema ORDER BY version DESC LIMIT 2)");
    version.step();
    const std::int64_t newest = version.integer(1);
    const bool sound = version.integer(2) == 0 && newest >= 1;
    if (sound && newest > newest_schema_version()) return newest;
    if (sound && version.integer(0) == 1) return newest;
  } catch (const Error& failure) {
    if (failure.sqlite_code != SQLITE_ERROR) throw;  // BUSY and the like
  }
  throw error(8, "evercore_schema is damaged: it should hold one row, the version of the store");
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
  const std::int64_t version = schema_version();
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
