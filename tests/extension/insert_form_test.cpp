// INSERT INTO evercore_append: atomic per statement, and each conflict clause as SQLite means it.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Store : Database {
  Store() {
    must("SELECT evercore_ensure('T','a')");
    must("CREATE TABLE mine (n)");
  }
  /// INSERT <clause> of rows for aggregate 1 that expect these versions.
  Outcome insert(const std::string& clause, const std::string& rows) {
    return run("INSERT " + clause +
               " INTO evercore_append (aggregate_id, event_type, data, expected) VALUES " + rows);
  }
};

const std::string good_bad_good = "(1,'E','{}',0), (1,'E','{}',9), (1,'E','{}',1)";

}  // namespace

TEST_CASE("ABORT undoes the statement and keeps the transaction") {
  for (const char* clause : {"", "OR ABORT", "OR REPLACE"}) {
    CAPTURE(clause);
    Store db;
    Outcome outcome = db.insert(clause, good_bad_good);
    CHECK((outcome.code & 0xff) == SQLITE_CONSTRAINT);
    CHECK(outcome.message == "EV001: conflict: aggregate 1 is at sequence 1, expected 9 (row 2)");
    CHECK(db.events() == 0);
    CHECK(db.autocommit());

    db.must("BEGIN; INSERT INTO mine VALUES (1); SELECT " + append_call());
    CHECK_FALSE(db.insert(clause, good_bad_good).ok());
    CHECK_FALSE(db.autocommit());
    CHECK(db.events() == 1);
    CHECK(db.must("SELECT " + append_call("1", "1")) == "2");
    db.must("COMMIT");
    CHECK(db.events() == 2);
    CHECK(db.count("mine") == 1);
  }
}

TEST_CASE("OR IGNORE skips the rows at fault and writes the others") {
  for (const bool inside : {false, true}) {
    Store db;
    if (inside) db.must("BEGIN");
    CHECK(db.insert("OR IGNORE", good_bad_good).ok());
    CHECK(db.must("SELECT changes()") == "2");
    CHECK(db.must("SELECT last_insert_rowid()") == "2");
    CHECK(db.events() == 2);
    CHECK(db.run("INSERT OR IGNORE INTO evercore_append (aggregate_id, aggregate_type, "
                 "natural_key, event_type, data)"
                 " VALUES (99,NULL,NULL,'E','{}'), (NULL,'T','new','E','[]'), "
                 "(NULL,'T','new',NULL,'{}'),"
                 " (NULL,'T',NULL,'E','{}'), (NULL,'T','','E','{}'), (1,'T','a','E','{}'), "
                 "(1,NULL,NULL,'New','{}')")
              .ok());
    if (inside) db.must("COMMIT");
    CHECK(db.events() == 3);
    CHECK(db.count("evercore_aggregates") == 1);
    CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  }
}

TEST_CASE("OR IGNORE skips a single row too, and a skipped first use leaves no name behind") {
  Store db;
  CHECK(db.run("INSERT OR IGNORE INTO evercore_append (aggregate_type, natural_key, event_type, "
               "data, expected)"
               " VALUES ('Other','k','NewType','{}',3)")
            .ok());
  CHECK(db.count("evercore_aggregates") == 1);
  CHECK(db.count("evercore_aggregate_type") == 1);
  CHECK(db.count("evercore_event_type") == 0);
  db.must("BEGIN");
  CHECK(db.run("INSERT OR IGNORE INTO evercore_append (aggregate_type, natural_key, event_type, "
               "data, expected)"
               " VALUES ('Other','k','NewType','{}',3), ('Other','k','NewType','{}',0), "
               "('Other','k','NewType','{}',1)")
            .ok());
  db.must("COMMIT");
  CHECK(db.must("SELECT sequence FROM evercore_aggregates WHERE natural_key='k'") == "2");
}

TEST_CASE("OR FAIL keeps the rows before the fault") {
  for (const bool inside : {false, true}) {
    Store db;
    if (inside) db.must("BEGIN");
    CHECK((db.insert("OR FAIL", good_bad_good).code & 0xff) == SQLITE_CONSTRAINT);
    CHECK(db.autocommit() == !inside);
    if (inside) db.must("COMMIT");
    CHECK(db.events() == 1);
    CHECK(db.must("SELECT " + append_call("1", "1")) == "2");
  }
}

TEST_CASE("OR ROLLBACK ends the transaction") {
  Store db;
  db.must("BEGIN; INSERT INTO mine VALUES (1); SELECT " + append_call());
  CHECK((db.insert("OR ROLLBACK", good_bad_good).code & 0xff) == SQLITE_CONSTRAINT);
  CHECK(db.autocommit());
  CHECK(db.events() == 0);
  CHECK(db.count("mine") == 0);
  CHECK(db.must("SELECT " + append_call("1", "0")) == "1");
}

TEST_CASE("faults of a row are constraints and faults of the store are not") {
  Store db;
  for (const std::string& row :
       {std::string("(99,'E','{}',NULL)"), std::string("(1,'','{}',NULL)"),
        std::string("(1,'E','[]',NULL)"), std::string("(1,'E','{}',-1)"),
        std::string("('x','E','{}',NULL)"), std::string("(1,'E',x'7bff',NULL)")}) {
    CAPTURE(row);
    CHECK((db.insert("", row).code & 0xff) == SQLITE_CONSTRAINT);
  }
  Database empty(":memory:", Database::Store::none);
  const Outcome outcome = empty.run(
      "INSERT OR IGNORE INTO evercore_append (aggregate_type, natural_key, event_type, data) "
      "VALUES ('T','a','E','{}')");
  CHECK(outcome.code == SQLITE_ERROR);
  CHECK(outcome.message == "EV008: the store is not migrated: SELECT evercore_migrate()");
}

TEST_CASE("an INSERT from the store's own relations does not feed on itself") {
  Store db;
  db.must("SELECT " + append_call() + ", " + append_call());
  std::int64_t expected = 2;
  for (const char* from :
       {"evercore_log", "evercore_follow()", "evercore_events(1)", "evercore_history(1)",
        "evercore_replay(1) WHERE event_type IS NOT NULL", "evercore_log ORDER BY position DESC",
        "evercore_log ORDER BY +position"}) {
    CAPTURE(from);
    const bool first = expected == 2;
    db.must(std::string("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 1, "
                        "event_type, data FROM ") +
            from + (std::string(from).find("ORDER") == std::string::npos ? " LIMIT 5000" : ""));
    expected *= 2;
    CHECK(db.events() == expected);
    CHECK((first || expected > 4));
  }
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
      " SELECT 'T', 'copy', event_type, data FROM evercore_log WHERE aggregate_id = 1");
  CHECK(db.events() == 2 * expected);
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("reading the relation gives no rows, and it takes no UPDATE, DELETE or UPSERT") {
  Store db;
  db.must("SELECT " + append_call());
  CHECK(db.must("SELECT * FROM evercore_append").empty());
  CHECK(db.run("DELETE FROM evercore_append").ok());
  CHECK(db.run("UPDATE evercore_append SET data = '{}'").ok());
  CHECK_FALSE(
      db.run("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')"
             " ON CONFLICT DO NOTHING")
          .ok());
  CHECK(db.events() == 1);
}

TEST_CASE("many rows by type and key make what is missing once") {
  Store db;
  db.must(
      "WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 999)"
      " INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, expected)"
      " SELECT 'U' || (i % 3), 'k' || (i % 10), 'E' || (i % 5), json_object('i', i), i / 30 FROM "
      "c");
  CHECK(db.events() == 1000);
  CHECK(db.count("evercore_aggregate_type") == 4);
  CHECK(db.count("evercore_aggregates") == 31);
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("values of an application's column come as they are: numbers for keys, reals for ids") {
  Store db;
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, expected, "
      "reference, event_id)"
      " VALUES ('T', 42, 'E', '{}', 0.0, 7, 8)");
  CHECK(db.must("SELECT natural_key, reference, event_id FROM evercore_log") == "42|7|8");
  CHECK(db.must("SELECT evercore_append(2.0, 1.0, 'E', '{}')") == "2");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data, expected) VALUES (2.0, 'E', "
      "'{}', 2.0)");
  CHECK(db.must("SELECT evercore_sequence(2.0)") == "3");
  CHECK(db.must("SELECT count(*) FROM evercore_events(2.0, 1.0, 1.0)") == "1");
  CHECK(db.fails("SELECT evercore_append(1.5, NULL, 'E', '{}')") ==
        "EV009: aggregate_id is not an integer");
  CHECK(db.must("SELECT evercore_append('2', ' 3 ', 'E', x'7b7d')") == "4");
  CHECK(db.must("SELECT evercore_create('T', 123.0)") == "3");
  CHECK(db.must("SELECT evercore_find('T', '123')") == "3");
  CHECK(db.fails("SELECT evercore_append('2.0', NULL, 'E', '{}')") ==
        "EV009: aggregate_id is not an integer");
  CHECK(db.fails("SELECT evercore_append(9e99, NULL, 'E', '{}')") ==
        "EV009: aggregate_id is not an integer");
}

TEST_CASE("RETURNING gives what was given, and the position of the last row is last_insert_rowid") {
  Store db;
  CHECK(db.must("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES "
                "(1,'E','{\"a\":1}'), "
                "(1,'F','{}') RETURNING event_type, data") == "E|{\"a\":1}\nF|{}");
  CHECK(sqlite3_last_insert_rowid(db.handle()) == 2);
}

TEST_CASE("the row at fault is named whatever way the statement takes through its rows") {
  Store db;
  db.must("INSERT INTO mine VALUES (9)");
  const std::string into =
      "INSERT INTO evercore_append (aggregate_id, event_type, data, expected) SELECT 1, 'E', "
      "'{}', ";
  const std::string fault = "EV001: conflict: aggregate 1 is at sequence 0, expected 9";
  for (const char* rows :
       {"n FROM mine", "n FROM mine ORDER BY rowid DESC", "n FROM mine WHERE rowid > 0",
        "n FROM mine WHERE rowid = 1", "value FROM json_each('[9]')",
        "value FROM json_each('[9]') CROSS JOIN mine"}) {
    CAPTURE(rows);
    CHECK(db.fails(into + rows) == fault + " (row 1)");
  }
  CHECK(db.fails(into + "9") == fault);
  CHECK(db.events() == 0);
}
