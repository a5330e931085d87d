#include "statement.h"

#include <new>
#include <utility>

#include "connection.h"

namespace evercore::ext {

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

}  // namespace evercore::ext
