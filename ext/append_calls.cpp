#include "append_calls.h"

#include <new>

#include "error.h"
#include "function.h"

namespace evercore::ext {

namespace {

constexpr const char* aggregate_name = "_evercore_next_sequence";
constexpr const char* collation_name = "_evercore_same_schema";

void decide(Connection& connection, sqlite3_value** arguments) {
  FastAppend* fast = connection.fast_append;
  if (fast == nullptr) throw error(10, "_evercore_next_sequence is evercore's own");
  fast->version = sqlite3_value_int64(arguments[2]);
  if (fast->version < 0 || fast->version >= most_sequence) throw damaged("an aggregate");
  connection.require_same_store_to_append();
  if (fast->insert.was_reprepared()) {
    fast->decision = Decision::schema_changed;
  } else if (!connection.declared.known()) {
    fast->decision = Decision::declared;
  } else if (sqlite3_value_int64(arguments[0]) != 0) {
    fast->decision = Decision::erased;
  } else if (fast->expected && *fast->expected != fast->version) {
    fast->decision = Decision::conflicts;
  } else if (sqlite3_value_int64(arguments[3]) != 0) {
    fast->decision = Decision::checks_state;
  } else if (snapshot_due({fast->version, sqlite3_value_int64(arguments[1])})) {
    fast->decision = Decision::needs_snapshot;
  } else {
    fast->decision = Decision::appended;
  }
}

Connection& connection_of(sqlite3_context* context) {
  return **static_cast<std::shared_ptr<Connection>*>(sqlite3_user_data(context));
}

void step(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  try {
    decide(connection_of(context), arguments);
  } catch (...) {
    give_failure(context);
  }
}

/// NULL is not taken by the column: the statement ignores the row and writes nothing.
void finish(sqlite3_context* context) noexcept {
  FastAppend* fast = connection_of(context).fast_append;
  if (fast == nullptr) return;
  if (fast->decision == Decision::none) fast->decision = Decision::no_aggregate;
  if (fast->decision == Decision::appended) sqlite3_result_int64(context, fast->version + 1);
}

int compare(void* user, int, const void*, int, const void*) noexcept {
  const Connection& connection = **static_cast<std::shared_ptr<Connection>*>(user);
  return connection.inserting != nullptr && connection.inserting->was_reprepared() ? 1 : 0;
}

void destroy(void* connection) {
  delete static_cast<std::shared_ptr<Connection>*>(connection);
}

}  // namespace

bool snapshot_due(const AggregateInfo& info) {
  return info.snapshot_every > 0 && (info.version + 1) % info.snapshot_every == 0;
}

int register_append_calls(const std::shared_ptr<Connection>& connection) {
  sqlite3* db = connection->db();
  auto* held = new (std::nothrow) std::shared_ptr<Connection>(connection);
  if (held == nullptr) return SQLITE_NOMEM;
  // On failure SQLite calls the destructor itself, but for collations.
  int rc = sqlite3_create_function_v2(db, aggregate_name, 4, SQLITE_UTF8 | SQLITE_DIRECTONLY, held,
                                      nullptr, step, finish, destroy);
  if (rc != SQLITE_OK) return rc;
  held = new (std::nothrow) std::shared_ptr<Connection>(connection);
  if (held == nullptr) return SQLITE_NOMEM;
  rc = sqlite3_create_collation_v2(db, collation_name, SQLITE_UTF8, held, compare, destroy);
  if (rc != SQLITE_OK) destroy(held);
  return rc;
}

void unregister_append_calls(sqlite3* db) {
  sqlite3_create_function_v2(db, aggregate_name, 4, SQLITE_UTF8 | SQLITE_DIRECTONLY, nullptr,
                             nullptr, nullptr, nullptr, nullptr);
  sqlite3_create_collation_v2(db, collation_name, SQLITE_UTF8, nullptr, nullptr, nullptr);
}

}  // namespace evercore::ext
