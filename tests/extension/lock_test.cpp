// Locks, stale snapshots, connections that may not write, and statements left open.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Pair {
  Directory directory;
  Database one{directory.file("s.db")};
  Database two{directory.file("s.db")};

  explicit Pair(const std::string& journal = "WAL") {
    one.must("PRAGMA journal_mode = " + journal);
    one.must("SELECT evercore_ensure('T','a'), " + append_call());
    two.must("SELECT " + append_call());
  }
};

}  // namespace

TEST_CASE(
    "a stale snapshot is BUSY_SNAPSHOT with the hint, and the store is usable after ROLLBACK") {
  Pair pair;
  const std::string row_form =
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')";
  for (const std::string& sql :
       {"SELECT " + append_call(), row_form, std::string("SELECT evercore_ensure('T','b')"),
        std::string("SELECT evercore_snapshot(1)")}) {
    CAPTURE(sql);
    pair.one.must("BEGIN; SELECT * FROM evercore_log");
    pair.two.must("SELECT " + append_call());
    const Outcome outcome = pair.one.run(sql);
    CHECK(outcome.code == SQLITE_BUSY_SNAPSHOT);
    if (sql != row_form) CHECK(outcome.says("ROLLBACK, then begin with BEGIN IMMEDIATE"));
    pair.one.must("ROLLBACK");
    pair.one.must("SELECT " + append_call());
  }
  CHECK(pair.one.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE(
    "an append that finds the lock held is BUSY with the hint and nothing is left half done") {
  Pair pair;
  sqlite3_busy_timeout(pair.one.handle(), 0);
  pair.two.must("BEGIN IMMEDIATE");
  for (const std::string& sql :
       {"SELECT " + append_call(), std::string("SELECT evercore_ensure('T','b')"),
        std::string("SELECT evercore_append(1,NULL,'Fresh','{}')"),
        std::string("SELECT "
                    "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
                    "\"data\":{}}]}]')"),
        std::string("SELECT evercore_compact(1, 0)"), std::string("SELECT evercore_erase(1)")}) {
    CAPTURE(sql);
    const Outcome outcome = pair.one.run(sql);
    CHECK((outcome.code & 0xff) == SQLITE_BUSY);
    CHECK(outcome.says("busy_timeout"));
    CHECK(pair.one.autocommit());
  }
  pair.two.must("COMMIT");
  CHECK(pair.one.must("SELECT " + append_call()) == "3");
}

TEST_CASE("an append waits for the lock as busy_timeout says") {
  Pair pair;
  pair.two.must("BEGIN IMMEDIATE");
  // The busy handler lets the holder go: that it is called at all is what matters.
  const auto release = [](void* two, int) {
    static_cast<Database*>(two)->must("COMMIT");
    return 1;
  };
  for (const std::string& sql :
       {"SELECT " + append_call(), std::string("SELECT evercore_append(1,NULL,'Fresh','{}')"),
        std::string("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT "
                    "aggregate_id, event_type, data FROM evercore_events(1, 0, 1)"),
        std::string("SELECT evercore_ensure('T','b')"), std::string("SELECT evercore_snapshot(1)"),
        std::string("SELECT evercore_compact(1, 1)")}) {
    CAPTURE(sql);
    if (pair.two.autocommit()) pair.two.must("BEGIN IMMEDIATE");
    sqlite3_busy_handler(pair.one.handle(), release, &pair.two);
    CHECK(pair.one.run(sql).ok());
  }
}

TEST_CASE("the busy timeout runs out no sooner than it was set") {
  Pair pair("DELETE");
  sqlite3_busy_timeout(pair.one.handle(), 300);
  pair.two.must("BEGIN EXCLUSIVE");
  const auto begin = std::chrono::steady_clock::now();
  CHECK((pair.one.run("SELECT " + append_call()).code & 0xff) == SQLITE_BUSY);
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(250));
  pair.two.must("COMMIT");
  CHECK(pair.one.must("SELECT " + append_call()) == "3");
}

TEST_CASE("query_only refuses every way to write and leaves reading alone") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), " + append_call() + "; PRAGMA query_only = ON");
  for (const std::string& sql :
       {"SELECT " + append_call(),
        std::string(
            "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')"),
        std::string("SELECT "
                    "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
                    "\"data\":{}}]}]')"),
        std::string("SELECT evercore_create('T')"), std::string("SELECT evercore_snapshot(1)"),
        std::string("SELECT evercore_compact(1,0)"), std::string("SELECT evercore_erase(1)"),
        std::string("SELECT evercore_migrate(0)")}) {
    CAPTURE(sql);
    CHECK((db.run(sql).code & 0xff) == SQLITE_READONLY);
    CHECK(db.autocommit());
  }
  CHECK(db.must("SELECT evercore_state(1), evercore_ensure('T','a')") == "{\"n\":1}|1");
  db.must("PRAGMA query_only = OFF");
  CHECK(db.must("SELECT " + append_call()) == "2");
}

TEST_CASE("a store opened read-only is read and not written") {
  const Directory directory;
  {
    Database db(directory.file("s.db"));
    db.must("SELECT evercore_ensure('T','a'), " + append_call());
  }
  Database db(directory.file("s.db"), Database::Store::migrated, SQLITE_OPEN_READONLY);
  const Outcome outcome = db.run("SELECT " + append_call());
  CHECK((outcome.code & 0xff) == SQLITE_READONLY);
  CHECK(outcome.says("this connection may not write here"));
  CHECK((db.run("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')")
             .code &
         0xff) == SQLITE_READONLY);
  CHECK(db.must("SELECT evercore_state(1)") == "{\"n\":1}");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  CHECK(db.close() == SQLITE_OK);
}

TEST_CASE("a reader of the same connection left open does not matter to an append") {
  for (const char* reader_sql :
       {"SELECT position FROM evercore_log", "SELECT position FROM evercore_follow()",
        "SELECT position FROM evercore_events(1)", "SELECT state FROM evercore_history(1)",
        "SELECT n FROM mine"}) {
    CAPTURE(reader_sql);
    Pair pair;
    pair.one.must("CREATE TABLE mine (n); INSERT INTO mine VALUES (1),(2)");
    Query reader(pair.one.handle(), reader_sql);
    REQUIRE(reader.step() == SQLITE_ROW);
    CHECK(pair.one.must("SELECT " + append_call()) == "3");
    CHECK(pair.one
              .run("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES "
                   "(1,'Fresh','{}')")
              .ok());
    CHECK(pair.one.must("SELECT evercore_ensure('T','b')") == "2");
    CHECK(reader.step() == SQLITE_ROW);
    CHECK(reader.step() == SQLITE_DONE);  // bounded by the head at its start
    CHECK(pair.two.events() == 4);
    CHECK(pair.one.autocommit());
  }
}

TEST_CASE("a reader left open whose snapshot another connection made stale gives the hint") {
  Pair pair;
  Query reader(pair.one.handle(), "SELECT position FROM evercore_log");
  REQUIRE(reader.step() == SQLITE_ROW);
  pair.two.must("SELECT " + append_call());
  const Outcome outcome = pair.one.run("SELECT " + append_call());
  CHECK(outcome.code == SQLITE_BUSY_SNAPSHOT);
  CHECK(outcome.says("snapshot older than"));
  reader.reset();
  CHECK(pair.one.must("SELECT " + append_call()) == "4");
}

TEST_CASE("INSERT RETURNING left open delays the commit of an append and loses nothing") {
  Pair pair;
  pair.one.must("CREATE TABLE mine (n)");
  {
    Query writer(pair.one.handle(), "INSERT INTO mine VALUES (1),(2) RETURNING n");
    REQUIRE(writer.step() == SQLITE_ROW);
    CHECK(pair.one.must("SELECT " + append_call()) == "3");
    CHECK(pair.one.must("SELECT evercore_append(1, 3, 'Fresh', '{}', NULL, NULL, NULL, 'id')") ==
          "4");
    CHECK(pair.one.fails("SELECT " + append_call("1", "1")).starts_with("EV001"));
    CHECK(pair.two.events() == 2);
  }
  CHECK(pair.two.events() == 4);
  CHECK(pair.two.count("mine") == 2);
  CHECK(pair.one.must("SELECT " + append_call("1", "4")) == "5");
}

TEST_CASE("a connection lost to nobody: interrupting a call leaves nothing half done") {
  Database db;
  db.must("SELECT evercore_ensure('T','a')");
  int left = 0;
  for (int after = 1; after < 60; ++after) {
    left = after;
    sqlite3_progress_handler(
        db.handle(), 1, [](void* n) { return --*static_cast<int*>(n) < 0 ? 1 : 0; }, &left);
    const std::int64_t before = after;
    const Outcome outcome =
        db.run("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E" +
               std::to_string(before) + "\",\"data\":{}},{\"event_type\":\"F\",\"data\":{}}]}]')");
    sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
    if (outcome.ok()) break;
    REQUIRE((outcome.code & 0xff) == SQLITE_INTERRUPT);
    REQUIRE(db.events() == 0);
    REQUIRE(db.autocommit());
  }
  CHECK(db.close() == SQLITE_OK);
}
