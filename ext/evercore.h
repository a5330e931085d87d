// evercore: the event store inside SQLite. Link this statically, or load evercore.so.
//
//   sqlite3_evercore_init(db, nullptr, nullptr);          // once a connection
//   sqlite3_auto_extension(...)                           // or for every connection to come
#pragma once

#include <sqlite3.h>

struct sqlite3_api_routines;

#ifdef __cplusplus
extern "C" {
#endif

/// Registers evercore's SQL functions and virtual tables on `db`.
///
/// `error` receives a message of sqlite3_malloc when it is not null and the call fails; `api` is
/// the host's table of routines for a loadable extension and null when linked statically. Returns
/// SQLITE_OK, or SQLITE_ERROR on a SQLite older than 3.40, and then has registered nothing. Safe on
/// any connection that no other thread is using at the moment; calling it twice is harmless.
int sqlite3_evercore_init(sqlite3* db, char** error, const struct sqlite3_api_routines* api);

#ifdef __cplusplus
}
#endif
