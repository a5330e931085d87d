// evercore: an event store inside SQLite.
//
//     .load ./evercore
//     SELECT evercore_migrate();
//     INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)
//       VALUES ('User', 'ann', 'UserCreated', '{"name":"Ann"}'),
//              ('User', 'ann', 'EmailChanged', '{"email":"ann@example.org"}');
//     SELECT evercore_state(evercore_find('User', 'ann'));
//       {"name":"Ann","email":"ann@example.org"}
//     SELECT sequence, event_type, state FROM evercore_history(evercore_find('User', 'ann'));
//
// This file is the entry point: it refuses a host that is too old, and registers the table of
// everything. Each capability is a word and a file of that word: aggregate, append, tag, query, log, event_type, fold,
// upcast, snapshot, compact, subscription, migrate, check. Under them stand
//   connection   the prepared statements of one connection; anchor frees them at close
//   write        what makes a call atomic, and the refusal of calls that could not be
//   transaction  what the running transaction has learnt and may trust
//   payload      which documents are legal; json and state read what was found so
//   function, table_function   the borders to SQLite: no exception passes them
#include "evercore.h"

#include <atomic>
#include <memory>
#include <new>
#include <string_view>

#include "aggregate.h"
#include "aggregate_type.h"
#include "anchor.h"
#include "api.h"
#include "append.h"
#include "append_batch.h"
#include "append_calls.h"
#include "append_table.h"
#include "check.h"
#include "compact.h"
#include "connection.h"
#include "data_schema_check.h"
#include "event_type.h"
#include "fold.h"
#include "function.h"
#include "log.h"
#include "migrate.h"
#include "query.h"
#include "rename.h"
#include "snapshot.h"
#include "store.h"
#include "subscription.h"
#include "table_function.h"
#include "type_index.h"
#include "upcast.h"

#ifndef SQLITE_CORE
extern "C" {
const sqlite3_api_routines* sqlite3_api = nullptr;
}
#endif

namespace evercore::ext {

namespace {

constexpr int oldest_sqlite = 3'040'000;

template <typename Visit>
int for_each_function(Visit visit) {
  for (const Function* function :
       {&version_function, &time_function, &migrate_function, &erase_function, &restored_function,
        &rename_type_function, &head_function, &index_types_function, &state_function,
        &validate_function, &upcast_function, &aggregate_type_function}) {
    if (const int rc = visit(*function); rc != SQLITE_OK) return rc;
  }
  const auto visit_all = [&](const auto& functions) {
    for (const Function& function : functions) {
      if (const int rc = visit(function); rc != SQLITE_OK) return rc;
    }
    return SQLITE_OK;
  };
  int rc = visit_all(aggregate_functions);
  if (rc == SQLITE_OK) rc = visit_all(append_functions);
  if (rc == SQLITE_OK) rc = visit_all(event_type_functions);
  if (rc == SQLITE_OK) rc = visit_all(snapshot_functions);
  if (rc == SQLITE_OK) rc = visit_all(compact_functions);
  if (rc == SQLITE_OK) rc = visit_all(subscription_functions);
  if (rc == SQLITE_OK) rc = visit_all(lease_functions);
  return rc;
}

int register_tables(const std::shared_ptr<Connection>& connection) {
  for (const TableFunction* table :
       {&follow_table, &events_table, &replay_table, &history_table, &fetch_table, &query_table,
        &check_table, &stats_table, &staged_table}) {
    if (const int rc = register_table(connection, *table); rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

/// Whether this connection has evercore already. Registering again would take the virtual tables
/// from under the functions where a running statement keeps those from being replaced.
bool is_registered(sqlite3* db) {
  sqlite3_stmt* modules = nullptr;
  sqlite3_prepare_v2(db, "PRAGMA module_list", -1, &modules, nullptr);
  bool found = false;
  while (!found && sqlite3_step(modules) == SQLITE_ROW) {
    const auto* name = reinterpret_cast<const char*>(sqlite3_column_text(modules, 0));
    found = name != nullptr && std::string_view(name) == "evercore_append";
  }
  sqlite3_finalize(modules);
  return found;
}

/// Registers everything or nothing: SQLite unloads a library whose entry point fails, and a
/// function left behind would then be called in unmapped memory.
int register_everything(sqlite3* db) {
  const auto connection = std::make_shared<Connection>(db);
  int rc = register_anchor(connection);
  if (rc == SQLITE_OK) rc = register_append_table(connection);
  if (rc == SQLITE_OK) rc = register_append_calls(connection);
  if (rc == SQLITE_OK) rc = register_tables(connection);
  if (rc == SQLITE_OK) {
    rc = for_each_function(
        [&](const Function& function) { return register_function(connection, function); });
  }
  if (rc != SQLITE_OK) {
    unregister_append_calls(db);
    for_each_function([&](const Function& function) {
      unregister_function(db, function);
      return SQLITE_OK;
    });
    for (const char* module :
         {"_evercore_anchor", "_evercore_staged", "evercore_append", "evercore_follow",
          "evercore_events", "evercore_replay", "evercore_history", "evercore_fetch",
          "evercore_query", "evercore_check", "evercore_stats"}) {
      sqlite3_create_module_v2(db, module, nullptr, nullptr, nullptr);
    }
  }
  return rc;
}

#ifndef SQLITE_CORE
/// Takes the SQLite that loads this file. A file has room for one: where a process holds two, as two
/// drivers with an SQLite of their own bring them, a handle of one would be given to the other.
bool take_host(const sqlite3_api_routines* api) {
  const sqlite3_api_routines* host = nullptr;
  return std::atomic_ref(sqlite3_api).compare_exchange_strong(host, api) || host == api;
}
#endif

}  // namespace

}  // namespace evercore::ext

extern "C" __attribute__((visibility("default"))) int sqlite3_evercore_init(
    sqlite3* db, char** error, const sqlite3_api_routines* api) {
#ifdef SQLITE_CORE
  (void)api;
#else
  if (!evercore::ext::take_host(api)) {
    if (error != nullptr) {
      *error = api->mprintf(
          "evercore: another SQLite of this process has loaded this file: load a copy of it, "
          "named evercore2.so");
    }
    return SQLITE_ERROR;
  }
#endif
  if (sqlite3_libversion_number() < evercore::ext::oldest_sqlite) {
    if (error != nullptr) {
      *error =
          sqlite3_mprintf("evercore " EVERCORE_VERSION " needs SQLite 3.40 or newer; this is %s",
                          sqlite3_libversion());
    }
    return SQLITE_ERROR;
  }
  if (evercore::ext::is_registered(db)) return SQLITE_OK;
  try {
    return evercore::ext::register_everything(db);
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  }
}
