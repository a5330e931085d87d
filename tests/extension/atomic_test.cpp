// Each call of a writing function happens as a whole or not at all, and one that could not is
// refused before it wrote anything.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// A store with aggregate 1 and a table of the application's own.
struct Shop : Database {
  Shop() {
    must("SELECT evercore_ensure('T','a')");
    must("CREATE TABLE src (n INTEGER PRIMARY KEY, data TEXT)");
    must("INSERT INTO src VALUES (1,'{}'),(2,'{}'),(3,'{}')");
    must("CREATE TABLE sink (n)");
  }
};

void fail(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_error(context, "told to fail", -1);
}

void add_fail(sqlite3* db) {
  sqlite3_create_function(db, "fail", 0, SQLITE_UTF8, nullptr, fail, nullptr, nullptr);
}

const std::string append = append_call();

}  // namespace

TEST_CASE("of two appends and a failure in one SELECT each append stands alone, in autocommit") {
  Shop db;
  add_fail(db.handle());
  CHECK(db.fails("SELECT " + append + ", " + append + ", fail()") == "told to fail");
  CHECK(db.events() == 2);
  CHECK(db.autocommit());
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("of two appends and a failure in one SELECT in BEGIN, ROLLBACK takes back both") {
  Shop db;
  add_fail(db.handle());
  db.must("BEGIN");
  CHECK(db.fails("SELECT " + append + ", " + append + ", fail()") == "told to fail");
  CHECK_FALSE(db.autocommit());
  CHECK(db.events() == 2);
  db.must("ROLLBACK");
  CHECK(db.events() == 0);
  CHECK(db.must("SELECT " + append) == "1");
}

TEST_CASE("an append that conflicts leaves an append before it in the statement whole") {
  Shop db;
  CHECK(db.fails("SELECT " + append + ", " + append_call("1", "9")) ==
        "EV001: conflict: aggregate 1 is at sequence 1, expected 9");
  CHECK(db.events() == 1);
}

TEST_CASE("an append in an INSERT of another table is refused, in autocommit and in BEGIN") {
  for (const char* begin : {"", "BEGIN"}) {
    Shop db;
    add_fail(db.handle());
    db.must(begin);
    for (const std::string& sql :
         {"INSERT INTO sink VALUES (" + append + ")",
          "INSERT INTO sink VALUES (" + append + " + fail())",
          "INSERT INTO sink SELECT " + append + " FROM src",
          "INSERT INTO sink VALUES (1) RETURNING " + append, "UPDATE src SET data = " + append,
          "DELETE FROM src WHERE " + append + " > 0", "REPLACE INTO sink VALUES (" + append + ")",
          "CREATE TABLE made AS SELECT " + append + " AS n",
          std::string("INSERT INTO sink VALUES (evercore_ensure('T','b'))"),
          std::string("INSERT INTO sink VALUES (evercore_create('T'))"),
          std::string("INSERT INTO sink VALUES (evercore_snapshot(1))"),
          std::string("INSERT INTO sink VALUES (evercore_compact(1, 0))"),
          std::string("INSERT INTO sink VALUES (evercore_erase(1))"),
          std::string("INSERT INTO sink VALUES (evercore_append_many('[]'))"),
          std::string("INSERT INTO sink VALUES (evercore_migrate(0))"),
          "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{\"n\":' "
          "|| " +
              append + " || '}')"}) {
      CAPTURE(sql);
      CHECK(db.fails(sql).starts_with("EV010: evercore_"));
      CHECK(db.events() == 0);
      CHECK(db.count("src WHERE data = '{}'") == 3);
      CHECK(db.count("sink") == 0);
      CHECK(db.count("evercore_aggregates") == 1);
      CHECK(db.autocommit() == (*begin == '\0'));
    }
    CHECK(db.must("SELECT " + append) == "1");
  }
}

TEST_CASE("in autocommit a statement that reads the database may not append, and has not") {
  Shop db;
  db.must("SELECT " + append);
  db.must("CREATE VIEW seen AS SELECT n FROM src");
  for (const std::string& from :
       {std::string("FROM src"), std::string("FROM src WHERE n = 1"), std::string("FROM seen"),
        std::string("FROM evercore_log"), std::string("FROM evercore_aggregates"),
        std::string("FROM evercore_events(1)"), std::string("FROM evercore_follow()"),
        std::string("FROM evercore_event"), std::string("FROM sqlite_schema"),
        std::string("FROM (VALUES (1)) JOIN src"),
        std::string("WHERE EXISTS (SELECT 1 FROM src)")}) {
    const std::string sql = "SELECT " + append + " " + from;
    CAPTURE(sql);
    const std::string message = db.fails(sql);
    CHECK(message.starts_with("EV010: evercore_append in a statement that reads"));
    CHECK(message.find("INSERT INTO evercore_append") != std::string::npos);
    CHECK(db.events() == 1);
  }
  CHECK(db.fails("SELECT " + append + ", (SELECT max(n) FROM src)").starts_with("EV010"));
  CHECK(db.fails("SELECT evercore_append((SELECT 1 FROM src), NULL, 'E', '{}')")
            .starts_with("EV010"));
  CHECK(db.fails("WITH s AS (SELECT * FROM src) SELECT evercore_ensure('T', n) FROM s")
            .starts_with("EV010"));
  for (const char* call : {"evercore_compact(n, 0)", "evercore_erase(n)", "evercore_snapshot(n)"}) {
    CAPTURE(call);
    const std::string name = call;
    CHECK(db.fails("SELECT " + name + " FROM src") ==
          "EV010: " + name.substr(0, name.find('(')) +
              " in a statement that reads the database would commit row by row: BEGIN IMMEDIATE "
              "first");
  }
  CHECK(db.events() == 1);
  CHECK(db.count("evercore_aggregates") == 1);
  CHECK(db.autocommit());
}

TEST_CASE("a refused statement does not keep a lock on the store") {
  const Directory directory;
  Database one(directory.file("s.db"));
  Database two(directory.file("s.db"));
  one.must("SELECT evercore_ensure('T','a')");
  CHECK(one.fails("SELECT " + append + " FROM evercore_aggregates").starts_with("EV010"));
  sqlite3_busy_timeout(two.handle(), 0);
  CHECK(two.must("SELECT " + append) == "1");
}

TEST_CASE("what composes without reading is taken in autocommit") {
  Shop db;
  CHECK(db.must("SELECT evercore_append(evercore_ensure('T','new'), 0, 'E', '{}')") == "1");
  CHECK(db.must("SELECT evercore_append(evercore_find('T','new'), 1, 'E', json_object('a', 1))") ==
        "2");
  CHECK(db.must("SELECT evercore_append(evercore_create('T'), 0, 'E', evercore_state(2))") == "1");
  CHECK(db.must("SELECT evercore_snapshot(2), evercore_compact(2, 1)") == "2|1");
}

TEST_CASE("inside BEGIN a SELECT that reads may append, once for each evaluation") {
  Shop db;
  db.must("BEGIN IMMEDIATE");
  CHECK(db.must("SELECT evercore_append(1, n - 1, 'E', data) FROM src ORDER BY n") == "1\n2\n3");
  db.must("COMMIT");
  CHECK(db.events() == 3);
}

TEST_CASE("an alias used twice appends nothing in autocommit where it reads a table") {
  Shop db;
  CHECK(
      db.fails("SELECT " + append + " AS v FROM src WHERE v > 0 ORDER BY v").starts_with("EV010"));
  CHECK(db.events() == 0);
}

TEST_CASE("an alias used twice appends once where the event has an event_id") {
  Shop db;
  const std::string once = "evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'id-' || n)";
  db.must("BEGIN IMMEDIATE");
  db.must("SELECT " + once + " AS v FROM src WHERE v > 0 ORDER BY v");
  db.must("COMMIT");
  CHECK(db.events() == 3);
  CHECK(db.must(
            "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'x') AS v WHERE v > 0") ==
        "4");
  CHECK(db.events() == 4);
}

TEST_CASE("a SELECT over the log inside BEGIN does not feed on its own appends") {
  Shop db;
  db.must("SELECT " + append + ", " + append);
  db.must("BEGIN IMMEDIATE");
  db.must(
      "SELECT evercore_append(aggregate_id, NULL, 'Copied', data) FROM evercore_log LIMIT 1000");
  CHECK(db.events() == 4);
  db.must(
      "SELECT evercore_append(aggregate_id, NULL, 'Copied', data) FROM evercore_follow() LIMIT "
      "1000");
  CHECK(db.events() == 6);  // it gives committed events alone
  db.must(
      "SELECT evercore_append(aggregate_id, NULL, 'Copied', data) FROM evercore_events(1) LIMIT "
      "1000");
  CHECK(db.events() == 12);
  db.must("ROLLBACK");
}

TEST_CASE("functions that read may stand in a statement that writes") {
  Shop db;
  db.must("SELECT " + append);
  db.must("INSERT INTO sink SELECT evercore_state(1)");
  db.must("INSERT INTO sink SELECT state FROM evercore_history(1)");
  db.must("INSERT INTO sink SELECT data FROM evercore_follow()");
  CHECK(db.count("sink WHERE n = '{\"n\":1}'") == 3);
  db.must(
      "CREATE VIEW states AS SELECT aggregate_id, evercore_state(aggregate_id) AS state FROM "
      "evercore_aggregates");
  CHECK(db.must("SELECT state FROM states") == "{\"n\":1}");
}

TEST_CASE("append_many of 10,000 events with a fault in the last one leaves nothing behind") {
  for (const bool inside : {false, true}) {
    Shop db;
    if (inside) db.must("BEGIN; INSERT INTO sink VALUES ('mine')");
    std::string appends = "[{\"aggregate_type\":\"T\",\"natural_key\":\"many\",\"events\":[";
    for (int i = 1; i < 10000; ++i) {
      appends += "{\"event_type\":\"E" + std::to_string(i % 7) +
                 "\",\"data\":{\"i\":" + std::to_string(i) + "}},";
    }
    appends += "{\"event_type\":\"E\",\"data\":{\"i\":1,\"i\":2}}]}]";
    Query call(db.handle(), "SELECT evercore_append_many(?1)");
    call.bind(1, appends);
    CHECK(call.step() == SQLITE_ERROR);
    CHECK(std::string(sqlite3_errmsg(db.handle())).starts_with("EV004: data: duplicate key \"i\""));
    call.reset();
    CHECK(db.events() == 0);
    CHECK(db.count("evercore_aggregates") == 1);
    CHECK(db.count("evercore_event_type") == 0);
    CHECK(db.autocommit() == !inside);
    CHECK(db.must("SELECT " + append) == "1");
    if (inside) db.must("COMMIT");
    CHECK(db.events() == 1);
    CHECK(db.count("sink") == (inside ? 1 : 0));
  }
}

TEST_CASE("INSERT SELECT of 10,000 events with a fault in the last one leaves nothing behind") {
  for (const bool inside : {false, true}) {
    Shop db;
    if (inside) db.must("BEGIN; INSERT INTO sink VALUES ('mine')");
    const std::string message = db.fails(
        "WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < 10000)"
        " INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
        " SELECT 'T', 'k' || (i % 100), 'E' || (i % 7), iif(i < 10000, '{}', '[]') FROM c");
    CHECK(message == "EV004: data: not an object (row 10000) at byte 1");
    CHECK(db.events() == 0);
    CHECK(db.count("evercore_aggregates") == 1);
    CHECK(db.count("evercore_event_type") == 0);
    CHECK(db.autocommit() == !inside);
    CHECK(db.must("SELECT " + append) == "1");
    if (inside) db.must("COMMIT");
    CHECK(db.events() == 1);
    CHECK(db.count("sink") == (inside ? 1 : 0));
  }
}

TEST_CASE(
    "last_insert_rowid is the caller's own again after a function and the position after a row") {
  Shop db;
  db.must("INSERT INTO src VALUES (77, '{}')");
  db.must("SELECT " + append + ", evercore_ensure('T','z'), evercore_snapshot(1)");
  CHECK(db.must("SELECT last_insert_rowid()") == "77");
  (void)db.fails("SELECT " + append_call("1", "9"));
  CHECK(db.must("SELECT last_insert_rowid()") == "77");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}'), "
      "(1,'E','{}')");
  CHECK(db.must("SELECT last_insert_rowid()") == "3");
  CHECK(db.must("SELECT changes()") == "2");
}

TEST_CASE("the kind of a statement tells a pool where it may go") {
  Shop db;
  CHECK(sqlite3_stmt_readonly(Query(db.handle(),
                                    "INSERT INTO evercore_append (aggregate_id, event_type, data)"
                                    " VALUES (1,'E','{}')")
                                  .handle()) == 0);
}

TEST_CASE("result codes are those that drivers map") {
  Shop db;
  CHECK(db.run("SELECT " + append_call("1", "5")).code == SQLITE_CONSTRAINT_FUNCTION);
  CHECK(db.run("SELECT evercore_create('T','a')").code == SQLITE_CONSTRAINT_FUNCTION);
  CHECK(db.run("SELECT " + append_call("99")).code == SQLITE_ERROR);
  CHECK(db.run("SELECT " + append_call("1", "NULL", "[]")).code == SQLITE_ERROR);
  CHECK(db.run("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, 'x')").ok());
  CHECK(db.run("SELECT evercore_append(1, NULL, 'E', '{\"a\":1}', NULL, NULL, NULL, 'x')").code ==
        SQLITE_CONSTRAINT_FUNCTION);
  CHECK((db.run("UPDATE evercore_event SET data = '{}'").code & 0xff) == SQLITE_CONSTRAINT);
  CHECK(db.fails("UPDATE evercore_event SET data = '{}'") == "EV010: events are append-only");
  CHECK(db.fails("DELETE FROM evercore_event") == "EV010: events are append-only");
  CHECK(db.run("SELECT evercore_migrate(0)").says("EV010: the store holds events"));
}

TEST_CASE("the internal function does nothing for a user") {
  Shop db;
  CHECK(db.fails("SELECT _evercore_next_sequence(0, 0, 5, 0)").starts_with("EV010"));
}
