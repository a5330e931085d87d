// sqlite3_close says OK after any sequence of calls, and nothing of ours is left behind.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

const std::vector<std::string>& every_kind_of_call() {
  static const std::vector<std::string> calls = {
      "SELECT evercore_migrate()",
      "SELECT evercore_ensure('T','a')",
      "SELECT evercore_append(1,NULL,'E','{\"n\":1}')",
      "SELECT evercore_append(1,NULL,'E','{\"n\":1}','r','{}','2026-01-01T00:00:00Z','id')",
      "SELECT evercore_append(1,99,'E','{}')",
      "SELECT evercore_append(1,NULL,'E','[]')",
      "SELECT "
      "evercore_append_many('[{\"aggregate_type\":\"T\",\"natural_key\":\"b\",\"events\":[{\"event_"
      "type\":\"E\",\"data\":{}}]}]')",
      "SELECT evercore_append_many('[{')",
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES "
      "(1,'E','{}'),(1,'F','{}')",
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES "
      "(1,'E','{}'),(99,'F','{}')",
      "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data) VALUES (99,'F','{}')",
      "SELECT * FROM evercore_follow()",
      "SELECT * FROM evercore_events(1)",
      "SELECT * FROM evercore_replay(1)",
      "SELECT * FROM evercore_replay(99)",
      "SELECT * FROM evercore_history(1)",
      "SELECT * FROM evercore_check()",
      "SELECT * FROM evercore_stats()",
      "SELECT * FROM evercore_log",
      "SELECT evercore_state(1), evercore_state(1, 99)",
      "SELECT evercore_snapshot(1)",
      "SELECT evercore_save_snapshot(1, 1, '{}', 3)",
      "SELECT evercore_snapshot_policy('T', 2, 1)",
      "SELECT evercore_event_type('E', 'patch')",
      "SELECT evercore_compact(1, 1)",
      "SELECT evercore_compact_type('T', 1, 1)",
      "SELECT evercore_rekey(1, 'z')",
      "SELECT evercore_erase(2)",
      "SELECT evercore_migrate(0)",
      "SELECT evercore_append(1,NULL,'E','{}') FROM evercore_log",
      "BEGIN",
      "COMMIT",
      "ROLLBACK",
      "SAVEPOINT a",
      "ROLLBACK TO a",
      "RELEASE a",
      "SELECT nonsense",
      "PRAGMA query_only = ON",
      "PRAGMA query_only = OFF",
      "VACUUM",
      "CREATE TABLE IF NOT EXISTS other (n)",
      "ALTER TABLE other ADD COLUMN m",
      "DROP TABLE IF EXISTS other"};
  return calls;
}

int statements_of(sqlite3* db) {
  int count = 0;
  for (sqlite3_stmt* s = sqlite3_next_stmt(db, nullptr); s != nullptr; s = sqlite3_next_stmt(db, s))
    ++count;
  return count;
}

/// As some hosts do before they close.
void finalize_everything(sqlite3* db) {
  while (sqlite3_stmt* stmt = sqlite3_next_stmt(db, nullptr)) sqlite3_finalize(stmt);
}

}  // namespace

TEST_CASE("close is OK after each kind of call alone") {
  for (const std::string& call : every_kind_of_call()) {
    for (const auto store : {Database::Store::none, Database::Store::migrated}) {
      CAPTURE(call);
      Database db(":memory:", store);
      (void)db.run(call);
      CHECK(db.close() == SQLITE_OK);
    }
  }
}

TEST_CASE("close is OK after each kind of call in a filled store") {
  for (const std::string& call : every_kind_of_call()) {
    CAPTURE(call);
    Database db;
    db.must("SELECT evercore_ensure('T','a'), evercore_ensure('T','c'), " + append_call() +
            ", evercore_snapshot(1)");
    (void)db.run(call);
    (void)db.run(call);
    CHECK(db.close() == SQLITE_OK);
  }
}

TEST_CASE("close is OK after 60 random sequences of calls, errors included") {
  std::mt19937 random(20261122);
  for (int round = 0; round < 60; ++round) {
    Database db;
    for (int i = 0; i < 60; ++i)
      (void)db.run(every_kind_of_call()[random() % every_kind_of_call().size()]);
    CAPTURE(round);
    REQUIRE(db.close() == SQLITE_OK);
  }
}

TEST_CASE("close_v2 leaves no zombie: the file and its WAL are let go") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_evercore_init(db, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(
      run(db, "PRAGMA journal_mode = WAL; SELECT evercore_migrate(), evercore_ensure('T','a'), " +
                  append_call())
          .ok());
  REQUIRE(std::filesystem::exists(file + "-wal"));
  CHECK(sqlite3_close_v2(db) == SQLITE_OK);
  CHECK_FALSE(std::filesystem::exists(file + "-wal"));
}

TEST_CASE("a close that failed for the host's own statement can be tried again after more calls") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), " + append_call());
  {
    Query open(db.handle(), "SELECT * FROM evercore_log");
    REQUIRE(open.step() == SQLITE_ROW);
    CHECK(db.close() == SQLITE_BUSY);
    CHECK(open.step() == SQLITE_DONE);
    CHECK(db.close() == SQLITE_BUSY);
    CHECK(db.must("SELECT " + append_call()) == "2");
    CHECK(db.run("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')")
              .ok());
    CHECK(db.must("SELECT count(*) FROM evercore_events(1)") == "3");
    CHECK(db.close() == SQLITE_BUSY);
  }
  CHECK(db.must("SELECT evercore_state(1)") == "{\"n\":1}");
  CHECK(db.close() == SQLITE_OK);
}

TEST_CASE("a close that failed while a table function was being read can be tried again") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), " + append_call() + ", " + append_call());
  {
    Query open(db.handle(), "SELECT * FROM evercore_events(1)");
    REQUIRE(open.step() == SQLITE_ROW);
    CHECK(db.close() == SQLITE_BUSY);
    CHECK(open.step() == SQLITE_ROW);
    CHECK(db.must("SELECT " + append_call()) == "3");
    CHECK(open.step() == SQLITE_DONE);
  }
  CHECK(db.close() == SQLITE_OK);
}

TEST_CASE("a host that finalizes every statement it finds may close after it") {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
  REQUIRE(sqlite3_evercore_init(db, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(run(db, "SELECT evercore_migrate(), evercore_ensure('T','a'), " + append_call()).ok());
  REQUIRE(
      run(db, "SELECT * FROM evercore_history(1); SELECT evercore_append(1,NULL,'New','{}')").ok());
  CHECK(statements_of(db) > 0);
  finalize_everything(db);
  CHECK(sqlite3_close(db) == SQLITE_OK);
}

TEST_CASE("a host that finalizes every statement while a table function is being read may close") {
  for (const char* sql : {"SELECT * FROM evercore_follow()", "SELECT * FROM evercore_events(1)",
                          "SELECT * FROM evercore_replay(1)", "SELECT * FROM evercore_history(1)",
                          "SELECT * FROM evercore_stats()"}) {
    CAPTURE(sql);
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
    REQUIRE(sqlite3_evercore_init(db, nullptr, nullptr) == SQLITE_OK);
    REQUIRE(run(db, "SELECT evercore_migrate(), evercore_ensure('T','a'), " + append_call() + ", " +
                        append_call())
                .ok());
    sqlite3_stmt* open = nullptr;
    REQUIRE(sqlite3_prepare_v2(db, sql, -1, &open, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(open) == SQLITE_ROW);
    finalize_everything(db);
    CHECK(sqlite3_close(db) == SQLITE_OK);
  }
}

TEST_CASE("kept statements do not grow with the number of calls") {
  Database db;
  db.must("SELECT evercore_ensure('T','a')");
  for (int i = 0; i < 50; ++i) db.must("SELECT " + append_call());
  const int before = statements_of(db.handle());
  for (int i = 0; i < 500; ++i) {
    db.must("SELECT " + append_call());
    (void)db.run("SELECT " + append_call("1", "1"));
  }
  CHECK(statements_of(db.handle()) <= before + 1);
  CHECK(before < 40);
}
