// Files that somebody made on purpose, with other tables, views, versions or encodings in the place of ours:
// each call gives an error, in finite time and memory, and writes into nothing but the store.
#include <doctest/doctest.h>

#include <string>

#include "extension/filled_store.h"

using namespace evercore::test;

TEST_CASE("a schema version that cannot be is EV008 for every call") {
  constexpr const char* damaged =
      "EV008: evercore_schema is damaged: it should hold one row, the version of the store";
  for (const char* spoil :
       {"UPDATE evercore_schema SET version = -1", "UPDATE evercore_schema SET version = 0",
        "UPDATE evercore_schema SET version = -9223372036854775808", "DELETE FROM evercore_schema",
        "INSERT INTO evercore_schema (version) VALUES (1)",
        "DROP TABLE evercore_schema; CREATE TABLE evercore_schema (version); INSERT INTO "
        "evercore_schema VALUES ('3')",
        "DROP TABLE evercore_schema; CREATE TABLE evercore_schema (version); INSERT INTO "
        "evercore_schema VALUES (NULL)",
        "DROP TABLE evercore_schema; CREATE TABLE evercore_schema (version); INSERT INTO "
        "evercore_schema VALUES (3.5)",
        "DROP TABLE evercore_schema; CREATE TABLE evercore_schema (other)"}) {
    CAPTURE(spoil);
    FilledStore db;
    db.damage(spoil);
    const std::string before = db.must("SELECT sql FROM sqlite_schema");
    for (const char* call : {"SELECT evercore_migrate()", "SELECT evercore_migrate(0)",
                             "SELECT evercore_migrate(1)", "SELECT evercore_state(1)",
                             "SELECT evercore_ensure('T','c')", "SELECT * FROM evercore_check()"}) {
      CHECK(db.fails(call) == damaged);
    }
    CHECK(db.must("SELECT sql FROM sqlite_schema") == before);
  }
  FilledStore db;
  db.damage("UPDATE evercore_schema SET version = 9223372036854775807");
  CHECK(db.fails("SELECT evercore_migrate()").find("newer than this evercore knows") !=
        std::string::npos);
}

TEST_CASE("a table or view that hides ours, in any case of letters, is EV008, and stays empty") {
  for (const char* name : {"evercore_append", "Evercore_Append", "EVERCORE_FOLLOW",
                           "evercore_Events", "evercore_replay", "evercore_history",
                           "evercore_fetch", "evercore_check", "evercore_stats"}) {
    FilledStore db;
    const std::string columns =
        "(aggregate_type, natural_key, event_type, data, aggregate_id, expected, reference, "
        "metadata, event_time, event_id)";
    db.must(std::string("CREATE TABLE \"") + name + "\"" + columns);
    for (const std::string& call : writes()) {
      if (call.starts_with("INSERT")) continue;
      CAPTURE(name);
      CAPTURE(call);
      CHECK(db.fails(call) == std::string("EV008: a table or view named ") + name +
                                  " hides the one of the extension");
    }
    CHECK(db.count(name) == 0);
    db.must(std::string("DROP TABLE ") + name);
    CHECK(db.must("SELECT " + append_call()) == "3");
  }
}

TEST_CASE("a table that another connection makes between two calls catches nothing") {
  for (const std::string& call : writes()) {
    if (call.starts_with("INSERT")) continue;
    CAPTURE(call);
    const Directory directory;
    const std::string file = directory.file("s.db");
    FilledStore ours(file);
    for (const std::string& used : writes()) (void)ours.run("BEGIN; " + used), ours.run("ROLLBACK");
    sqlite3* theirs = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &theirs) == SQLITE_OK);
    REQUIRE(run(theirs,
                "CREATE TABLE Evercore_append (aggregate_type, natural_key, event_type, data, "
                "aggregate_id, expected, reference, metadata, event_time, event_id)")
                .ok());
    const std::string before = ours.must("SELECT count(*), max(position) FROM evercore_event");
    const std::string said = ours.fails(call);
    CHECK(said == "EV008: a table or view named Evercore_append hides the one of the extension");
    CHECK(run(theirs, "SELECT count(*) FROM evercore_append").rows == "0");
    CHECK(ours.must("SELECT count(*), max(position) FROM evercore_event") == before);
    CHECK(ours.autocommit());
    CHECK(sqlite3_close(theirs) == SQLITE_OK);
    CHECK(ours.close() == SQLITE_OK);
  }
}

TEST_CASE("a view or virtual table in the place of a table of ours is EV008, for every table") {
  FilledStore names;
  const std::string all = names.must(
      "SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table' AND name LIKE "
      "'%evercore%'");
  for (std::size_t at = 0, end = 0; at < all.size(); at = end + 1) {
    end = std::min(all.find(' ', at), all.size());
    const std::string table = all.substr(at, end - at);
    CAPTURE(table);
    for (const char* body :
         {"SELECT * FROM moved", "SELECT * FROM moved WHERE evercore_state(1) IS NOT NULL"}) {
      FilledStore db;
      db.must("PRAGMA legacy_alter_table = 1; ALTER TABLE " + table + " RENAME TO moved");
      db.must("CREATE VIEW " + table + " AS " + std::string(body));
      for (const auto* calls : {&reads(), &writes()}) {
        for (const std::string& call : *calls) CHECK(db.fails(call).starts_with("EV008"));
      }
      CHECK(db.fails("SELECT evercore_migrate()").starts_with("EV008"));
    }
  }
}

TEST_CASE("a view that another connection puts in our tables' place does not recurse") {
  for (const char* table : {"evercore_aggregate", "evercore_event"}) {
    for (const std::string& call : reads()) {
      CAPTURE(call);
      const Directory directory;
      const std::string file = directory.file("s.db");
      FilledStore ours(file);
      for (const std::string& used : reads()) ours.run(used);
      {
        Database theirs(file, Database::Store::none);
        theirs.must(
            std::string("PRAGMA legacy_alter_table = 1; ALTER TABLE ") + table +
            " RENAME TO moved; CREATE VIEW " + table +
            " AS SELECT * FROM moved WHERE evercore_state(1) IS NOT NULL AND EXISTS (SELECT "
            "1 FROM evercore_follow())");
      }
      (void)ours.run(call);
      CHECK(ours.fails(call).starts_with("EV008"));
      CHECK(ours.close() == SQLITE_OK);
    }
  }
}

TEST_CASE("a trigger on our tables may read, one level deep, and no deeper") {
  FilledStore db;
  db.must("CREATE TABLE states (state)");
  db.must(
      "CREATE TRIGGER project AFTER INSERT ON evercore_event BEGIN INSERT INTO states VALUES "
      "(evercore_state(NEW.aggregate_id)); END");
  db.must("SELECT evercore_append(1, NULL, 'E', '{\"n\":7}')");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{\"n\":8}')");
  CHECK(db.must("SELECT * FROM states") == "{\"n\":7}\n{\"n\":8}");
}

TEST_CASE("a newer program that migrated without changing the schema is noticed by every write") {
  for (const std::string& call : writes()) {
    CAPTURE(call);
    const Directory directory;
    const std::string file = directory.file("s.db");
    FilledStore ours(file);
    ours.must("PRAGMA journal_mode = WAL");
    for (const std::string& used : writes()) (void)ours.run("BEGIN; " + used), ours.run("ROLLBACK");
    ours.must("SELECT " + append_call() + "; SELECT " + append_call());
    sqlite3* theirs = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &theirs) == SQLITE_OK);
    REQUIRE(run(theirs, "UPDATE evercore_schema SET version = 99").ok());
    const std::string before = ours.must("SELECT count(*), max(position) FROM evercore_event");
    if (call.find("evercore_claim") ==
        std::string::npos) {  // which looks first, and finds none free
      CHECK(ours.fails(call).starts_with("EV008: the store has schema version 99, newer"));
    }
    CHECK(ours.must("SELECT count(*), max(position) FROM evercore_event") == before);
    CHECK(ours.fails("SELECT evercore_state(1)").starts_with("EV008"));
    REQUIRE(run(theirs, "UPDATE evercore_schema SET version = version - 96").ok());
    CHECK(sqlite3_close(theirs) == SQLITE_OK);
  }
}

TEST_CASE("a newer program is noticed by reads at the latest when they have seen its commit") {
  for (const std::string& call : reads()) {
    CAPTURE(call);
    const Directory directory;
    const std::string file = directory.file("s.db");
    FilledStore ours(file);
    for (const std::string& used : reads()) ours.must(used);
    Database(file).must("UPDATE evercore_schema SET version = 99");
    (void)ours.run(call);
    CHECK(ours.fails(call).starts_with("EV008: the store has schema version 99, newer"));
  }
}

TEST_CASE("a database without a store that is copied over an open one is EV008") {
  for (const auto* calls : {&reads(), &writes()}) {
    for (const std::string& call : *calls) {
      CAPTURE(call);
      FilledStore ours;
      for (const std::string& used : reads()) ours.must(used);
      sqlite3* empty = nullptr;
      REQUIRE(sqlite3_open(":memory:", &empty) == SQLITE_OK);
      run(empty, "CREATE TABLE mine (n)");
      sqlite3_backup* backup = sqlite3_backup_init(ours.handle(), "main", empty, "main");
      REQUIRE(backup != nullptr);
      CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
      CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
      CHECK(ours.fails(call) == "EV008: the store is not migrated: SELECT evercore_migrate()");
      CHECK(sqlite3_close(empty) == SQLITE_OK);
    }
  }
}

TEST_CASE("an authorizer that ignores the INSERT of a call makes it an error, not a silence") {
  for (const std::string& call : writes()) {
    CAPTURE(call);
    FilledStore db;
    sqlite3_set_authorizer(
        db.handle(),
        [](void*, int action, const char*, const char*, const char*, const char*) {
          return action == SQLITE_INSERT ? SQLITE_IGNORE : SQLITE_OK;
        },
        nullptr);
    const Outcome outcome = db.run(call);
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    // The INSERT form is the user's own statement; a claim looks first, and finds nothing free; a
    // single append is a statement of its own kind.
    if (call.starts_with("INSERT") || call.starts_with("SELECT evercore_append(1, ") ||
        call.find("evercore_claim") != std::string::npos) {
      continue;
    }
    CHECK_FALSE(outcome.ok());
  }
}

TEST_CASE("a UTF-16 database is refused at migrate, and a store in one says so to every call") {
  for (const char* encoding : {"UTF-16le", "UTF-16be"}) {
    const std::string refusal = std::string("EV010: the database is ") + encoding +
                                ": evercore needs a UTF-8 one, a new one or one made from its dump";
    Database db(":memory:", Database::Store::none);
    db.must(std::string("PRAGMA encoding = '") + encoding + "'");
    CHECK(db.fails("SELECT evercore_migrate()") == refusal);
    CHECK(db.must("SELECT count(*) FROM sqlite_schema") == "0");
    Database utf8;
    Query texts(utf8.handle(),
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'");
    while (texts.step() == SQLITE_ROW) db.must(texts.text(0));
    db.must("INSERT INTO evercore_schema (version) VALUES (" +
            utf8.must("SELECT version FROM evercore_schema") + ")");
    for (const auto* calls : {&reads(), &writes()}) {
      for (const std::string& call : *calls) CHECK(db.fails(call) == refusal);
    }
    CHECK(db.fails("SELECT evercore_migrate()") == refusal);
  }
}

TEST_CASE("messages give the whole text, in UTF-8") {
  FilledStore db;
  std::string text = "a";
  for (int i = 0; i < 60; ++i) text += "é";
  CHECK(db.fails("SELECT evercore_sequence(1, '" + text + "')") ==
        "EV009: at_time is not a time: \"" + text +
            "\": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]");
  CHECK(db.fails("SELECT evercore_sequence(1, CAST(x'ff31' AS TEXT))") ==
        "EV009: at_time is not UTF-8");
}
