// A database file made by somebody else: nothing in its schema reaches a function that writes, and
// TEMP objects with our names do not catch what is meant for the store.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Store : Database {
  Store() {
    must("SELECT evercore_ensure('T','a')");
    must("SELECT " + append_call());
    must("CREATE TABLE notes (n)");
  }
};

void accept_if_blocked(Store& db, const std::string& setup, const std::string& use) {
  CAPTURE(setup);
  CAPTURE(use);
  const Outcome made = db.run(setup);
  const Outcome used = db.run(use);
  CHECK((!made.ok() || !used.ok()));
  CHECK(db.events() == 1);
  CHECK(db.autocommit());
}

}  // namespace

TEST_CASE("a trigger of the file cannot call a writing function") {
  for (const std::string& call :
       {append_call(), std::string("evercore_erase(1)"), std::string("evercore_compact(1, 0)"),
        std::string("evercore_ensure('X','y')"), std::string("evercore_append_many('[]')"),
        std::string("evercore_migrate(0)"), std::string("evercore_snapshot(1)"),
        std::string("evercore_event_type('Added','custom')")}) {
    Store db;
    accept_if_blocked(db, "CREATE TRIGGER bad AFTER INSERT ON notes BEGIN SELECT " + call + "; END",
                      "INSERT INTO notes VALUES (1)");
    CHECK(db.count("evercore_aggregates") == 1);
    CHECK(db.count("notes") == 0);
  }
}

TEST_CASE("a trigger on our own table cannot call a writing function") {
  Store db;
  accept_if_blocked(
      db,
      "CREATE TRIGGER bad AFTER INSERT ON evercore_event BEGIN SELECT " + append_call() + "; END",
      "SELECT " + append_call());
  db.must("DROP TRIGGER bad");
  CHECK(db.must("SELECT " + append_call()) == "2");
}

TEST_CASE("a trigger cannot insert into the append relation") {
  Store db;
  accept_if_blocked(db,
                    "CREATE TRIGGER bad AFTER INSERT ON notes BEGIN INSERT INTO evercore_append"
                    " (aggregate_id, event_type, data) VALUES (1,'E','{}'); END",
                    "INSERT INTO notes VALUES (1)");
}

TEST_CASE("a view of the file cannot call a writing function") {
  Store db;
  accept_if_blocked(db, "CREATE VIEW bad AS SELECT " + append_call() + " AS n",
                    "SELECT * FROM bad");
}

TEST_CASE("CHECK, DEFAULT, generated columns and indexes cannot call a writing function") {
  const std::string call = append_call();
  for (const std::string& setup : {"CREATE TABLE bad (n CHECK (" + call + " > 0))",
                                   "CREATE TABLE bad (n, m DEFAULT (" + call + "))",
                                   "CREATE TABLE bad (n, m AS (" + call + ") STORED)"}) {
    Store db;
    accept_if_blocked(db, setup, "INSERT INTO bad (n) VALUES (1)");
  }
  Store db;
  accept_if_blocked(db, "CREATE TABLE bad (n, m AS (" + call + "))",
                    "INSERT INTO bad (n) VALUES (1); SELECT * FROM bad");
  accept_if_blocked(db, "CREATE INDEX bad_index ON notes (" + call + ")",
                    "INSERT INTO notes VALUES (1)");
  accept_if_blocked(db, "CREATE INDEX bad_part ON notes (n) WHERE " + call + " > 0",
                    "INSERT INTO notes VALUES (1)");
}

TEST_CASE("a TEMP trigger cannot call a writing function either, on any table") {
  for (const char* table : {"notes", "main.evercore_event"}) {
    Store db;
    db.must(std::string("CREATE TEMP TRIGGER bad AFTER INSERT ON ") + table + " BEGIN SELECT " +
            append_call() + "; END");
    if (std::string(table) == "notes") {
      CHECK(db.fails("INSERT INTO notes VALUES (1)").starts_with("EV010"));
    } else {
      CHECK_FALSE(db.fails("SELECT " + append_call()).empty());
      CHECK_FALSE(
          db.fails(
                "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')")
              .empty());
      CHECK_FALSE(
          db.fails("SELECT evercore_append(1,NULL,'Fresh','{}',NULL,NULL,NULL,'i')").empty());
      CHECK_FALSE(db.fails("SELECT "
                           "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":"
                           "\"E\",\"data\":{}}]}]')")
                      .empty());
    }
    CHECK(db.events() == 1);
    db.must("DROP TRIGGER bad");
    CHECK(db.must("SELECT " + append_call()) == "2");
  }
}

TEST_CASE("a projection by trigger on the event table belongs to the append: both or none") {
  Store db;
  db.must("CREATE TABLE projection (aggregate_id, sequence UNIQUE)");
  db.must(
      "CREATE TRIGGER project AFTER INSERT ON evercore_event BEGIN"
      " INSERT INTO projection VALUES (NEW.aggregate_id, NEW.sequence); END");
  CHECK(db.must("SELECT " + append_call()) == "2");
  CHECK(db.must("SELECT * FROM projection") == "1|2");
  CHECK(db.must("SELECT last_insert_rowid()") == "0");
  db.must("INSERT INTO projection VALUES (1, 3)");
  CHECK_FALSE(db.fails("SELECT " + append_call()).empty());
  CHECK_FALSE(
      db.fails("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'New','{}')")
          .empty());
  CHECK(db.events() == 2);
  db.must("DELETE FROM projection WHERE sequence = 3");
  CHECK(db.must("SELECT " + append_call()) == "3");
}

TEST_CASE("TEMP tables named like ours catch nothing") {
  Store db;
  for (const char* table :
       {"evercore_event (position, aggregate_id, sequence, type_id, event_time, recorded_at, data, "
        "reference, metadata, event_id)",
        "evercore_aggregate (aggregate_id, type_id, natural_key, erased, base)",
        "evercore_aggregate_type (type_id, name, snapshot_every, snapshot_keep)",
        "evercore_event_type (type_id, name, fold)", "evercore_event_id (event_id)",
        "evercore_snapshot (aggregate_id, application, version, sequence, state)",
        "_evercore_maintenance (task)", "evercore_schema (version)",
        "evercore_compacted_type (aggregate_id, type_id)", "evercore_append (data)",
        "_evercore_anchor (unused)", "_evercore_staged (sequence)", "evercore_log (position)"}) {
    db.must(std::string("CREATE TEMP TABLE ") + table);
  }
  CHECK(db.must("SELECT " + append_call()) == "2");
  CHECK(
      db.must(
          "SELECT evercore_append(evercore_ensure('N','b'),0,'Fresh','{}',NULL,NULL,NULL,'id')") ==
      "1");
  CHECK(db.must("SELECT "
                "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
                "\"data\":{}}]}]')") ==
        "[{\"aggregate_id\":1,\"first_position\":4,\"sequence\":3,\"position\":4}]");
  db.must("INSERT INTO main.evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')");
  CHECK(db.must("SELECT evercore_snapshot(1), evercore_compact(1, 1)") == "4|3");
  CHECK(db.must("SELECT count(*) FROM main.evercore_log") == "2");
  CHECK(db.must("SELECT count(*) FROM evercore_follow()") == "2");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  CHECK(db.must("SELECT evercore_erase(2)") == "1");
  for (const char* table : {"event", "aggregate", "aggregate_type", "event_type", "event_id",
                            "snapshot", "schema", "compacted_type", "append"}) {
    CAPTURE(table);
    CHECK(db.must(std::string("SELECT count(*) FROM temp.evercore_") + table) == "0");
  }
  CHECK(db.close() == SQLITE_OK);
}

TEST_CASE("an attached store is neither read nor written") {
  const Directory directory;
  {
    Database other(directory.file("other.db"));
    other.must("SELECT evercore_ensure('T','other')");
  }
  Store db;
  db.must("ATTACH '" + directory.file("other.db") + "' AS other");
  CHECK(db.must("SELECT evercore_find('T','other')") == "NULL");
  db.must("SELECT " + append_call());
  CHECK(db.must("SELECT count(*) FROM other.evercore_event") == "0");
}

TEST_CASE("a table or view in the file that hides the append relation is said to do so") {
  Database db(":memory:", Database::Store::none);
  db.must("CREATE TABLE evercore_append (data)");
  CHECK(db.fails("SELECT evercore_migrate()")
            .starts_with("EV008: a table or view named evercore_append"));
}

TEST_CASE("a damaged store gives errors and problems but no crash") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  {
    Database db(file);
    db.must("SELECT evercore_ensure('T','a'), " + append_call() + ", " + append_call() +
            ", evercore_snapshot(1)");
  }
  for (const char* damage :
       {"UPDATE evercore_event SET data = '{\"a\"'", "UPDATE evercore_event SET data = 'x'",
        "UPDATE evercore_event SET data = ''",
        "UPDATE evercore_event SET sequence = 7 WHERE sequence = 2",
        "UPDATE evercore_event SET type_id = 99", "UPDATE evercore_snapshot SET state = '[1'",
        "UPDATE evercore_snapshot SET state = '{\"z\":1}'", "DELETE FROM evercore_event_type",
        "DELETE FROM evercore_aggregate_type", "DELETE FROM evercore_aggregate",
        "UPDATE evercore_aggregate SET base = 1", "UPDATE evercore_event SET metadata = '{'",
        "UPDATE evercore_event SET event_time = 9223372036854775807",
        "UPDATE evercore_event SET event_time = -9223372036854775807"}) {
    CAPTURE(damage);
    const std::string copy = directory.file("copy.db");
    std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
    Database db(copy);
    db.must("INSERT INTO _evercore_maintenance VALUES ('damage')");
    db.must(damage);
    db.must("DELETE FROM _evercore_maintenance");
    for (const char* sql :
         {"SELECT evercore_state(1)", "SELECT * FROM evercore_history(1)",
          "SELECT * FROM evercore_follow()", "SELECT * FROM evercore_log",
          "SELECT * FROM evercore_aggregates", "SELECT * FROM evercore_replay(1)",
          "SELECT * FROM evercore_stats()", "SELECT evercore_append(1,NULL,'E','{}')",
          "SELECT evercore_snapshot(1)", "SELECT evercore_compact(1,0)"}) {
      (void)db.run(sql);
    }
    CHECK(db.close() == SQLITE_OK);
    Database check(copy);
    (void)check.run("SELECT * FROM evercore_check()");
  }
}

TEST_CASE("evercore_check names what was damaged") {
  struct Damage {
    const char *sql, *problem;
  };
  for (const Damage& damage :
       {Damage{"UPDATE evercore_event SET data = '[]' WHERE sequence = 2",
               "1|2|payload: not an object"},
        Damage{"UPDATE evercore_event SET metadata = '{' WHERE sequence = 2",
               "1|2|metadata: not JSON"},
        Damage{"DELETE FROM evercore_event WHERE sequence = 2", "1|NULL|sequence 2 is missing"},
        Damage{"UPDATE evercore_event SET position = 99 WHERE sequence = 1",
               "1|2|position is not above that of sequence 1"},
        Damage{"UPDATE evercore_snapshot SET state = '{\"n\":2}'",
               "1|1|engine snapshot at sequence 1 differs from the fold"},
        Damage{"UPDATE evercore_aggregate SET base = 2; DELETE FROM evercore_event WHERE sequence "
               "<= 2",
               "1|NULL|base snapshot at sequence 2 is missing"},
        Damage{"DELETE FROM evercore_event WHERE sequence = 1", "1|NULL|sequence 1 is missing"}}) {
    Store db;
    db.must("SELECT evercore_snapshot(1), " + append_call() + ", " + append_call());
    db.must("INSERT INTO _evercore_maintenance VALUES ('damage')");
    db.must(damage.sql);
    db.must("DELETE FROM _evercore_maintenance");
    const std::string problems = db.must("SELECT * FROM evercore_check()");
    CAPTURE(problems);
    CHECK(problems.find(damage.problem) != std::string::npos);
  }
}
