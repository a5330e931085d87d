// Drift: what a store is made of and is gone, or is another thing now. evercore_check() names it and
// evercore_migrate() mends it. The list is the schema itself: each thing is taken away once.
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Store : Database {
  explicit Store(const std::string& path = ":memory:") : Database(path) {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)"
        " VALUES ('T','a','E','{\"n\":1}','i-1'),('T','a','E','{\"n\":2}',NULL),"
        "('T','b','E','{}','i-2')");
    must("SELECT evercore_subscribe('s')");
  }
  std::string problems() { return must("SELECT problem FROM evercore_check()"); }
  std::string schema() {
    return must("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
  }
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

struct Object {
  std::string type, name;
};

/// Everything of a store but its tables.
std::vector<Object> objects() {
  Store db;
  std::vector<Object> all;
  for (const std::string& line :
       lines(db.must("SELECT type || ' ' || name FROM sqlite_schema WHERE type <> 'table' AND sql"
                     " IS NOT NULL"))) {
    all.push_back({line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1)});
  }
  return all;
}

std::vector<std::string> tables() {
  Store db;
  return lines(
      db.must("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%evercore%'"));
}

}  // namespace

TEST_CASE("each index, trigger and view that is gone is named by check and made anew by migrate") {
  CHECK(objects().size() >= 10);
  for (const Object& object : objects()) {
    CAPTURE(object.name);
    Store db;
    const std::string before = db.schema();
    db.must("DROP " + object.type + " " + object.name);
    CHECK(db.problems() == object.type + " " + object.name + " is missing");
    db.must("SELECT evercore_migrate()");
    CHECK(db.problems().empty());
    CHECK(db.schema() == before);
  }
}

TEST_CASE("each index, trigger and view that is another one is named and made anew") {
  for (const Object& object : objects()) {
    CAPTURE(object.name);
    Store db;
    const std::string before = db.schema();
    db.must("DROP " + object.type + " " + object.name);
    db.must("CREATE " + object.type + " " + object.name +
            (object.type == "index"     ? " ON evercore_event (reference)"
             : object.type == "trigger" ? " AFTER INSERT ON evercore_event BEGIN SELECT 1; END"
                                        : " AS SELECT 1 AS position"));
    CHECK(db.problems() == object.type + " " + object.name + " is different");
    db.must("SELECT evercore_migrate()");
    CHECK(db.problems().empty());
    CHECK(db.schema() == before);
  }
}

TEST_CASE(
    "an index of the right name that is not unique, not partial or of other columns is named") {
  for (const char* index :
       {"INDEX evercore_event_sequence ON evercore_event (aggregate_id, sequence)",
        "UNIQUE INDEX evercore_event_sequence ON evercore_event (aggregate_id, sequence, position)",
        "UNIQUE INDEX evercore_event_sequence ON evercore_event (aggregate_id, sequence) WHERE "
        "aggregate_id > 0"}) {
    CAPTURE(index);
    Store db;
    db.must(std::string("DROP INDEX evercore_event_sequence; CREATE ") + index);
    CHECK(db.problems() == "index evercore_event_sequence is different");
    db.must("SELECT evercore_migrate()");
    CHECK(db.problems().empty());
  }
}

TEST_CASE(
    "each table and each column that is gone is named, and migrate says that it cannot help") {
  for (const std::string& table : tables()) {
    if (table == "evercore_schema") continue;  // EV008: there is no store
    Store whole;
    for (const std::string& column :
         lines(whole.must("SELECT name FROM pragma_table_info('" + table + "')"))) {
      const std::string name = "column " + table + "." + column;
      CAPTURE(name);
      Store db;
      // What names the column would hold it back.
      for (const Object& object : objects()) {
        if (object.type != "index") db.must("DROP " + object.type + " " + object.name);
      }
      db.must("ALTER TABLE " + table + " RENAME COLUMN " + column + " TO other");
      CHECK(("\n" + db.problems() + "\n").find("\n" + name + " is missing\n") != std::string::npos);
      CHECK(db.fails("SELECT evercore_migrate()").find(" is missing: evercore_migrate() cannot") !=
            std::string::npos);
      db.must("ALTER TABLE " + table + " RENAME COLUMN other TO " + column);
      db.must("SELECT evercore_migrate()");
      CHECK(db.problems().empty());
    }
    Store db;
    db.must("ALTER TABLE " + table + " RENAME TO other");
    CHECK(("\n" + db.problems() + "\n").find("\ntable " + table + " is missing\n") !=
          std::string::npos);
    CHECK(db.fails("SELECT evercore_migrate()") ==
          "EV010: table " + table + " is missing: evercore_migrate() cannot mend it");
    db.must("ALTER TABLE other RENAME TO " + table);
    CHECK(db.problems().empty());
    CHECK(db.must("SELECT " + append_call()) == "3");
  }
}

TEST_CASE("a column or table that a tool made another way is named, and does not stop a program") {
  struct Case {
    const char *from, *to, *problem;
  };
  for (const Case& change :
       {Case{"data         TEXT", "data TEXT DEFAULT 7", "column evercore_event.data is different"},
        Case{"STRICT", "", "table evercore_event is different"},
        Case{"declared_tags INTEGER", "declared_tags INTEGER, CHECK (data IS NOT NULL)",
             "table evercore_event is different"}}) {
    const Directory directory;
    {
      Store db(directory.file("s.db"));
      db.must(std::string(
                  "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '") +
              change.from + "', '" + change.to + "') WHERE name = 'evercore_event'");
    }
    Database db(directory.file("s.db"), Database::Store::none);
    CHECK(db.must("SELECT problem FROM evercore_check()") == change.problem);
    db.must("SELECT evercore_migrate(), " + append_call());
  }
}

TEST_CASE("rows that a unique index cannot hold together are named, and nothing is changed") {
  struct Case {
    const char *index, *spoil, *refusal, *cure;
  };
  for (const Case& doubled :
       {Case{"evercore_event_sequence",
             "INSERT INTO evercore_event (position, aggregate_id, sequence, type_id, event_time) "
             "VALUES (9, 1, 2, 1, 0)",
             "EV010: index evercore_event_sequence cannot be made: rows 2 and 9 of evercore_event "
             "have the same aggregate_id, sequence",
             "position = 9"},
        Case{"evercore_event_event_id",
             "INSERT INTO evercore_event (position, aggregate_id, sequence, type_id, event_time, "
             "event_id) VALUES (9, 1, 3, 1, 0, 'i-2')",
             "EV010: index evercore_event_event_id cannot be made: rows 3 and 9 of evercore_event "
             "have the same event_id",
             "position = 9"}}) {
    CAPTURE(doubled.index);
    Store db;
    db.must(std::string("DROP INDEX ") + doubled.index + "; DROP VIEW evercore_log");
    db.must(doubled.spoil);
    const std::string before = db.schema();
    CHECK(db.fails("SELECT evercore_migrate()") == doubled.refusal);
    CHECK(db.schema() == before);
    CHECK(db.autocommit());
    db.must("INSERT INTO _evercore_maintenance VALUES ('by hand')");
    db.must(std::string("DELETE FROM evercore_event WHERE ") + doubled.cure);
    db.must("DELETE FROM _evercore_maintenance");
    db.must("SELECT evercore_migrate()");
    CHECK(db.problems().empty());
  }
  Store db;
  db.must("DROP INDEX evercore_aggregate_key");
  db.must("INSERT INTO _evercore_maintenance VALUES ('by hand')");
  db.must("UPDATE evercore_aggregate SET natural_key = 'a'");
  db.must("DELETE FROM _evercore_maintenance");
  CHECK(db.fails("SELECT evercore_migrate()") ==
        "EV010: index evercore_aggregate_key cannot be made: rows 1 and 2 of evercore_aggregate "
        "have the same type_id, natural_key");
}

TEST_CASE("migrating a store that is whole takes no lock and writes nothing") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  Store db(file);
  Database other(file, Database::Store::none);
  sqlite3_busy_timeout(db.handle(), 0);
  other.must("BEGIN IMMEDIATE");
  CHECK(db.must("SELECT evercore_migrate()") ==
        other.must("SELECT max(version) FROM evercore_schema"));
  other.must("ROLLBACK");
  const std::string before = other.must("PRAGMA data_version");
  db.must("SELECT evercore_migrate()");
  CHECK(other.must("PRAGMA data_version") == before);
}

TEST_CASE("what users add is theirs: it is not named, and it stays when ours is made anew") {
  Store db;
  db.must(
      "CREATE TABLE seen (position);"
      "CREATE INDEX app_by_type ON evercore_event (type_id, position);"
      "CREATE TRIGGER app_project AFTER INSERT ON evercore_event BEGIN INSERT INTO seen VALUES "
      "(NEW.position); END;"
      "CREATE VIEW app_log AS SELECT * FROM evercore_log;"
      "CREATE TRIGGER app_instead INSTEAD OF INSERT ON evercore_log BEGIN INSERT INTO seen VALUES "
      "(-1); END;"
      "ALTER TABLE evercore_aggregate ADD COLUMN app_note TEXT DEFAULT 'x'");
  CHECK(db.problems().empty());
  const std::string before = db.schema();
  // With the view its triggers go, so they are put on another one of its name.
  db.must(
      "DROP VIEW evercore_log; CREATE VIEW evercore_log AS SELECT 1 AS position;"
      "CREATE TRIGGER app_instead INSTEAD OF INSERT ON evercore_log BEGIN INSERT INTO seen VALUES "
      "(-1); END");
  CHECK(db.problems() == "view evercore_log is different");
  db.must("SELECT evercore_migrate()");
  CHECK(db.problems().empty());
  CHECK(db.schema() == before);
  db.must("SELECT " + append_call());
  db.must("INSERT INTO evercore_log (position) VALUES (1)");
  CHECK(db.must("SELECT group_concat(position) FROM seen") == "4,-1");
}

TEST_CASE("what VACUUM, ALTER TABLE and a dump change of the spelling is no difference") {
  const Directory directory;
  Store db(directory.file("s.db"));
  db.must("VACUUM");
  for (const std::string& table : tables()) {
    db.must("ALTER TABLE " + table + " RENAME TO \"for a moment\"");
    db.must("ALTER TABLE \"for a moment\" RENAME TO " + table);
  }
  db.must(
      "ALTER TABLE evercore_event RENAME COLUMN data TO d; ALTER TABLE evercore_event RENAME "
      "COLUMN d TO data");
  CHECK(db.problems().empty());
  CHECK(db.must("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%\"evercore_event\"%'") != "0");
  sqlite3* copy = nullptr;
  REQUIRE(sqlite3_open(directory.file("copy.db").c_str(), &copy) == SQLITE_OK);
  for (const char* type : {"table", "index", "trigger", "view"}) {
    Query texts(db.handle(), std::string("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND "
                                         "name NOT LIKE 'sqlite%' AND type = '") +
                                 type + "'");
    while (texts.step() == SQLITE_ROW) {
      CHECK(run(copy, "/* from a dump */ " + texts.text(0) + " -- the end\n;").ok());
    }
  }
  run(copy, "INSERT INTO evercore_schema (version) VALUES (" +
                db.must("SELECT version FROM evercore_schema") + ")");
  CHECK(sqlite3_close(copy) == SQLITE_OK);
  Database restored(directory.file("copy.db"), Database::Store::none);
  CHECK(restored.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("a store of an older version is mended on its way up and on its way down") {
  Database db;
  db.must("SELECT evercore_migrate(2)");
  db.must("DROP VIEW evercore_subscriptions; DROP INDEX evercore_event_sequence");
  db.must("SELECT evercore_migrate()");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  db.must("DROP VIEW evercore_log; DROP TRIGGER evercore_event_no_delete");
  CHECK(db.must("SELECT evercore_migrate(0)") == "0");
  CHECK(db.must("SELECT count(*) FROM sqlite_schema") == "0");
}

TEST_CASE("triggers that the host switched off are named") {
  Store db;
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  CHECK(db.problems().find("trigger evercore_event_no_delete is disabled") != std::string::npos);
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, nullptr);
  CHECK(db.problems().empty());
}

TEST_CASE("a migration writes into no other database, temporary or attached") {
  const Directory directory;
  { Store other(directory.file("other.db")); }
  Store db;
  db.must("ATTACH '" + directory.file("other.db") + "' AS other");
  const std::string theirs = db.must("SELECT count(*) FROM other.sqlite_schema");
  db.must("ALTER TABLE evercore_snapshot RENAME TO moved");
  CHECK(db.fails("SELECT evercore_migrate(0)").starts_with("EV010"));
  CHECK(db.must("SELECT count(*) FROM other.sqlite_schema") == theirs);
  db.must("ALTER TABLE moved RENAME TO evercore_snapshot");
  db.must(
      "CREATE TEMP TABLE Evercore_Schema (version); INSERT INTO temp.evercore_schema VALUES (7)");
  db.must("DROP VIEW evercore_log");
  CHECK(
      db.fails("SELECT evercore_migrate()") ==
      "EV010: temp.Evercore_Schema bears a name of the store: drop it, a migration would meet it");
  CHECK(db.must("SELECT version FROM temp.evercore_schema") == "7");
  db.must("DROP TABLE temp.evercore_schema");
  db.must("SELECT evercore_migrate()");
}
