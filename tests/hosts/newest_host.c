/* A host with a SQLite of its own linked in: loads evercore.so and runs a script, each line with
** what it must give. Ends with 0 when all did and the connection closed. */
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(sqlite3* db, const char* sql, const char* rows) {
  char got[4096] = "";
  sqlite3_stmt* stmt = 0;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, 0);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
      const char* text = (const char*)sqlite3_column_text(stmt, i);
      if (*got) strncat(got, "|", sizeof got - strlen(got) - 1);
      strncat(got, text ? text : "NULL", sizeof got - strlen(got) - 1);
    }
  }
  if (sqlite3_errcode(db) != SQLITE_DONE && sqlite3_errcode(db) != SQLITE_OK) {
    snprintf(got, sizeof got, "%s", sqlite3_errmsg(db));
  }
  sqlite3_finalize(stmt);
  if (strncmp(got, rows, strlen(rows)) != 0 || (*rows == 0 && *got != 0)) {
    printf("%s\n  gave     %s\n  expected %s\n", sql, got, rows);
    failures++;
  }
}

/* The system's SQLite beside ours: one file of the extension serves one of them, and says so. */
static void refuse_a_second_sqlite(const char* file) {
  void* library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == 0) return;
  int (*open)(const char*, sqlite3**) =
      (int (*)(const char*, sqlite3**))dlsym(library, "sqlite3_open");
  int (*config)(sqlite3*, int, ...) =
      (int (*)(sqlite3*, int, ...))dlsym(library, "sqlite3_db_config");
  int (*load)(sqlite3*, const char*, const char*, char**) =
      (int (*)(sqlite3*, const char*, const char*, char**))dlsym(library, "sqlite3_load_extension");
  int (*close)(sqlite3*) = (int (*)(sqlite3*))dlsym(library, "sqlite3_close");
  sqlite3* db = 0;
  char* error = 0;
  if (open == sqlite3_open || open(":memory:", &db) != SQLITE_OK) return;
  config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  if (load(db, file, 0, &error) == SQLITE_OK ||
      strstr(error, "load a copy of it, named evercore2.so") == 0) {
    printf("a second SQLite loaded the same file: %s\n", error ? error : "no error");
    failures++;
  }
  close(db);
}

int main(int argc, char** argv) {
  sqlite3* db = 0;
  char* error = 0;
  if (argc < 2 || sqlite3_open(":memory:", &db) != SQLITE_OK) return 2;
  printf("SQLite %s\n", sqlite3_libversion());
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int*)0);
  if (sqlite3_load_extension(db, argv[1], 0, &error) != SQLITE_OK) {
    printf("load: %s\n", error);
    return 1;
  }
  expect(db, "SELECT evercore_migrate() > 0", "1");
  expect(
      db,
      "SELECT evercore_append(evercore_ensure('User','ann'), 0, 'Created', '{\"name\":\"Ann\"}')",
      "1");
  expect(db, "SELECT evercore_append(1, 0, 'Created', '{}')",
         "EV001: conflict: aggregate 1 is at sequence 1, expected 0");
  expect(db,
         "SELECT evercore_append(1.0, 1.0, 'Changed', '{\"age\":41}', 'why', '{}', "
         "'2026-01-01T00:00:00Z', 'id')",
         "2");
  expect(db, "SELECT evercore_append(1, 9, 'Changed', '{\"age\":41}', NULL, NULL, NULL, 'id')",
         "2");
  expect(db,
         "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
         "('User','bob','Created','{}'),('User','ann','Seen','{}')",
         "");
  expect(db,
         "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data, expected) VALUES "
         "(1,'Seen','{}',9),(1,'Seen','{}',3)",
         "");
  expect(db,
         "INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 2, event_type, data "
         "FROM evercore_log",
         "");
  expect(db,
         "SELECT "
         "evercore_append_many('[{\"aggregate_id\":2,\"events\":[{\"event_type\":\"Seen\",\"data\":"
         "{}}]}]')",
         "[{\"aggregate_id\":2,\"first_position\":11,\"sequence\":7,\"position\":11}]");
  expect(db, "SELECT evercore_append(1, NULL, 'E', '{}') FROM evercore_log", "EV010");
  expect(db, "SELECT evercore_state(1), evercore_sequence(2)", "{\"name\":\"Ann\",\"age\":41}|7");
  expect(db, "SELECT json_object('s', evercore_state(1))", "{\"s\":{\"name\":\"Ann\",\"age\":41}}");
  expect(db, "SELECT count(*) FROM evercore_follow()", "11");
  expect(db, "SELECT count(*) FROM evercore_events(1, 1, 2)", "2");
  expect(db, "SELECT count(*) FROM evercore_history(1) WHERE event_type = 'Seen' OR sequence = 1",
         "3");
  expect(db, "SELECT count(*) FROM evercore_replay(1)", "5");
  expect(db, "SELECT evercore_snapshot(1), evercore_compact(1, 1)", "4|3");
  expect(db, "BEGIN", "");
  expect(db, "SELECT evercore_append(1, 4, 'New', '{}')", "5");
  expect(db, "SAVEPOINT s", "");
  expect(db, "SELECT evercore_append(1, 5, 'New', '{}')", "6");
  expect(db, "ROLLBACK TO s", "");
  expect(db, "SELECT evercore_append(1, 5, 'New', '{}')", "6");
  expect(db, "COMMIT", "");
  expect(db, "SELECT evercore_erase(2)", "7");
  expect(db,
         "CREATE TRIGGER bad AFTER INSERT ON evercore_snapshot BEGIN SELECT evercore_erase(1); END",
         "");
  expect(db, "SELECT evercore_snapshot(1)", "unsafe use of evercore_erase()");
  expect(db, "DROP TRIGGER bad", "");
  expect(db, "SELECT * FROM evercore_check()", "");
  expect(db, "SELECT evercore_migrate(0)", "EV010: the store holds events");
  refuse_a_second_sqlite(argv[1]);
  expect(db, "SELECT evercore_sequence(1)", "6");
  int rc = sqlite3_close(db);
  if (rc != SQLITE_OK) {
    printf("sqlite3_close gave %d\n", rc);
    failures++;
  }
  return failures > 0;
}
