// Files that somebody damaged or made on purpose: each call gives an error or a named problem, in
// finite time and memory, and writes into nothing but the store.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

const char* const filled =
    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
    " ('T','a','E','{\"n\":1}'),('T','a','E','{\"n\":2}'),('T','b','E','{}');"
    "SELECT evercore_snapshot(1), evercore_subscribe('s', '{\"event_types\":[\"E\"]}');"
    "SELECT evercore_claim('s', 'w', 60)";

struct Store : Database {
  explicit Store(const std::string& path = ":memory:") : Database(path) { must(filled); }
  /// Writes past evercore.
  void damage(const std::string& sql) {
    must(
        "INSERT INTO _evercore_maintenance VALUES ('damage'); PRAGMA ignore_check_constraints = 1");
    must(sql);
    must("DELETE FROM _evercore_maintenance; PRAGMA ignore_check_constraints = 0");
  }
  std::string problems() { return must("SELECT * FROM evercore_check()"); }
};

const std::vector<std::string>& writes() {
  static const std::vector<std::string> all = {
      "SELECT " + append_call(),
      "INSERT INTO main.evercore_append (aggregate_id, event_type, data) VALUES (1,'Added','{}')",
      "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\""
      ":{}}]}]')",
      "SELECT evercore_append(1,NULL,'Added','{}',NULL,NULL,NULL,'id')",
      "SELECT evercore_create('T','k')",
      "SELECT evercore_ensure('T','k')",
      "SELECT evercore_rekey(1,'z')",
      "SELECT evercore_snapshot(2)",
      "SELECT evercore_save_snapshot(1,1,'{}',1)",
      "SELECT evercore_snapshot_policy('T',5,1)",
      "SELECT evercore_event_type('Other','patch')",
      "SELECT evercore_event_type('Added',NULL,'{\"tags\":{\"n\":\"/n\"}}')",
      "SELECT evercore_fill()",
      "SELECT evercore_ack('s',1,2)",
      "SELECT evercore_renew('s',1,60)",
      "SELECT evercore_release('s',1)",
      "SELECT evercore_claim('s','w',60)",
      "SELECT evercore_pause('s')",
      "SELECT evercore_reset('s','end')",
      "SELECT evercore_subscribe('t')",
      "SELECT evercore_unsubscribe('s')",
      "SELECT evercore_compact(2,0)",
      "SELECT evercore_compact_type('T',0)",
      "SELECT evercore_erase(2)"};
  return all;
}

const std::vector<std::string>& reads() {
  static const std::vector<std::string> all = {
      "SELECT evercore_state(1)",
      "SELECT * FROM evercore_history(1)",
      "SELECT * FROM evercore_follow()",
      "SELECT * FROM evercore_events(1)",
      "SELECT * FROM evercore_replay(1)",
      "SELECT * FROM evercore_fetch('s', 1)",
      "SELECT * FROM evercore_stats()",
      "SELECT evercore_find('T','a')",
      "SELECT evercore_sequence(1, '2026-01-01T00:00:00Z')",
      "SELECT * FROM evercore_check()"};
  return all;
}

/// Every call, each on a copy of what `make` builds: what it gives is of no matter, that it ends is.
void call_everything(const std::function<void(Store&)>& spoil) {
  for (const auto* calls : {&reads(), &writes()}) {
    for (const std::string& call : *calls) {
      CAPTURE(call);
      Store db;
      spoil(db);
      (void)db.run(call);
      (void)db.run(call);
      (void)db.run("SELECT * FROM evercore_check()");
      CHECK(db.autocommit());
      CHECK(db.close() == SQLITE_OK);
    }
  }
}

}  // namespace

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
    Store db;
    db.damage(spoil);
    const std::string before = db.must("SELECT sql FROM sqlite_schema");
    for (const char* call : {"SELECT evercore_migrate()", "SELECT evercore_migrate(0)",
                             "SELECT evercore_migrate(1)", "SELECT evercore_state(1)",
                             "SELECT evercore_ensure('T','c')", "SELECT * FROM evercore_check()"}) {
      CHECK(db.fails(call) == damaged);
    }
    CHECK(db.must("SELECT sql FROM sqlite_schema") == before);
  }
  Store db;
  db.damage("UPDATE evercore_schema SET version = 9223372036854775807");
  CHECK(db.fails("SELECT evercore_migrate()").find("newer than this evercore knows") !=
        std::string::npos);
}

TEST_CASE("a table or view that hides ours, in any case of letters, is EV008, and stays empty") {
  for (const char* name : {"evercore_append", "Evercore_Append", "EVERCORE_FOLLOW",
                           "evercore_Events", "evercore_replay", "evercore_history",
                           "evercore_fetch", "evercore_check", "evercore_stats"}) {
    Store db;
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
    Store ours(file);
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
  Store names;
  const std::string all = names.must(
      "SELECT group_concat(name, ' ') FROM sqlite_schema WHERE type = 'table' AND name LIKE "
      "'%evercore%'");
  for (std::size_t at = 0, end = 0; at < all.size(); at = end + 1) {
    end = std::min(all.find(' ', at), all.size());
    const std::string table = all.substr(at, end - at);
    CAPTURE(table);
    for (const char* body :
         {"SELECT * FROM moved", "SELECT * FROM moved WHERE evercore_state(1) IS NOT NULL"}) {
      Store db;
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
      Store ours(file);
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
  Store db;
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
    Store ours(file);
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
    Store ours(file);
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
      Store ours;
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
    Store db;
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

TEST_CASE("compaction and erasure do not pass by a subscription that is damaged") {
  for (const char* damage : {"UPDATE evercore_subscription SET partitions = 0",
                             "UPDATE evercore_subscription SET type_ids = ',1'",
                             "UPDATE evercore_subscription SET type_ids = ''",
                             "UPDATE evercore_subscription SET type_ids = '1'",
                             "UPDATE evercore_subscription SET type_ids = ',1,2'",
                             "UPDATE evercore_subscription SET type_ids = ',99,'",
                             "UPDATE evercore_subscription SET aggregate_type = 'Other'",
                             "UPDATE evercore_subscription SET natural_key = 'k'",
                             "UPDATE evercore_subscription SET tags = '{'",
                             "UPDATE evercore_subscription SET tags = '[\"a\"]'",
                             "UPDATE evercore_subscription SET filter = NULL",
                             "UPDATE evercore_subscription SET filter = '{'",
                             "UPDATE evercore_subscription SET partitions = -1",
                             "DELETE FROM evercore_subscription_partition"}) {
    CAPTURE(damage);
    Store db;
    db.damage(damage);
    for (const char* call : {"SELECT evercore_compact(1, 0)",
                             "SELECT evercore_compact_type('T', 0)", "SELECT evercore_erase(1)"}) {
      CAPTURE(call);
      CHECK(db.fails(call) ==
            "EV010: subscription \"s\" is damaged: evercore_check() names the place");
    }
    CHECK(db.events() > 0);
  }
}

TEST_CASE("damaged subscriptions are EV010 or a named problem") {
  struct Case {
    const char *damage, *problem;
    bool fetch_fails;
  };
  for (const Case& damage : {
           Case{"SET type_ids = ',1'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ''", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ','", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',-1,'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',1,0,'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',x,'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',99999999999999999999,'",
                "filter of subscription \"s\" is damaged", true},
           Case{"SET tags = 'x'", "filter of subscription \"s\" is damaged", true},
           Case{"SET natural_key = 'a'", "filter of subscription \"s\" is damaged", true},
           Case{"SET filter = '{'", "filter of subscription \"s\" is damaged", false},
           Case{"SET filter = NULL", "filter of subscription \"s\" is damaged", false},
           Case{"SET partitions = 100000000000000000",
                "partitions of subscription \"s\" are not 0 to 100000000000000000 - 1", true},
           Case{"SET partitions = 0", "partitions of subscription \"s\" are not 0 to 0 - 1", true},
           Case{"SET partitions = -9223372036854775808",
                "partitions of subscription \"s\" are not 0 to -9223372036854775808 - 1", true},
       }) {
    CAPTURE(damage.damage);
    Store db;
    db.damage(std::string("UPDATE evercore_subscription ") + damage.damage);
    CHECK(db.problems() == std::string("NULL|NULL|") + damage.problem);
    const std::string said = db.fails("SELECT * FROM evercore_fetch('s', 1)");
    CHECK(said == (damage.fetch_fails
                       ? "EV010: subscription \"s\" is damaged: evercore_check() names "
                         "the place"
                       : ""));
    call_everything([&](Store& copy) {
      copy.damage(std::string("UPDATE evercore_subscription ") + damage.damage);
    });
  }
}

TEST_CASE("absurd sequences, bases, positions and ids end in an error or in one named problem") {
  struct Case {
    const char *damage, *problem;
  };
  for (const Case& damage : {
           Case{"UPDATE evercore_event SET sequence = 1000000000000 WHERE sequence = 2",
                "1|NULL|sequences 2 to 999999999999 are missing"},
           Case{"UPDATE evercore_event SET sequence = 4 WHERE sequence = 2",
                "1|NULL|sequences 2 to 3 are missing"},
           Case{"UPDATE evercore_event SET sequence = 3 WHERE sequence = 2",
                "1|NULL|sequence 2 is missing"},
           Case{"UPDATE evercore_event SET sequence = 9223372036854775807 WHERE sequence = 2",
                "1|2|sequence 9223372036854775807 is out of range"},
           Case{"UPDATE evercore_event SET sequence = -9223372036854775808 WHERE sequence = 2",
                "1|2|sequence -9223372036854775808 is at or below the base"},
           Case{"UPDATE evercore_aggregate SET base = 1 WHERE aggregate_id = 1",
                "1|1|sequence 1 is at or below the base"},
           Case{"UPDATE evercore_aggregate SET base = 1000000000000 WHERE aggregate_id = 1",
                "1|1|sequence 1 is at or below the base"},
           Case{"UPDATE evercore_aggregate SET base = 9223372036854775807 WHERE aggregate_id = 1",
                "1|NULL|base is out of range: 9223372036854775807"},
           Case{"UPDATE evercore_aggregate SET base = -9223372036854775808 WHERE aggregate_id = 1",
                "1|NULL|base is out of range: -9223372036854775808"},
           Case{"UPDATE evercore_event SET position = 9223372036854775807 WHERE position = 3",
                "2|9223372036854775807|position is out of range"},
           Case{"UPDATE evercore_event SET position = -5 WHERE position = 3",
                "2|-5|position is out of range"},
           Case{"UPDATE evercore_event SET position = 0 WHERE position = 1",
                "1|0|position is out of range"},
           Case{
               "INSERT INTO evercore_event (position, aggregate_id, sequence, type_id, event_time) "
               "VALUES (9223372036854775807, 0, 1, 0, 0)",
               "NULL|9223372036854775807|position is out of range"},
           Case{"UPDATE evercore_aggregate SET aggregate_id = -1 WHERE aggregate_id = 1; UPDATE "
                "evercore_event SET aggregate_id = -1 WHERE aggregate_id = 1",
                "-1|NULL|aggregate id is out of range"},
           Case{"UPDATE evercore_event SET type_id = 99 WHERE sequence = 2",
                "NULL|NULL|event type 99 is missing"},
           Case{"DELETE FROM evercore_event_type", "NULL|NULL|event type 1 is missing"},
           Case{"DELETE FROM evercore_aggregate_type", "NULL|NULL|aggregate type 1 is missing"},
           Case{"UPDATE evercore_subscription_partition SET position = 99",
                "NULL|NULL|cursor of subscription \"s\" is beyond the head"},
           Case{"UPDATE evercore_subscription_partition SET position = -1",
                "NULL|NULL|cursor of subscription \"s\" is out of range"},
           Case{"UPDATE evercore_subscription_partition SET partition = 7",
                "NULL|NULL|partitions of subscription \"s\" are not 0 to 1 - 1"},
           Case{"UPDATE evercore_event_type SET fold = 77", ""},
           Case{"UPDATE evercore_event_type SET tags = '{\"n\":'; UPDATE evercore_schema SET "
                "declared_mark = 7",
                "NULL|NULL|declared tags of \"E\" are damaged"},
           Case{"UPDATE evercore_event_type SET tags = '{\"n\":\"/n\"}', filled_to = -1, "
                "fill_upto = "
                "9223372036854775807, unfilled = -9223372036854775808; UPDATE evercore_schema SET "
                "declared_mark = 9223372036854775807",
                "NULL|NULL|what is left to fill of \"E\" is out of range"},
           Case{"UPDATE evercore_aggregate_type SET snapshot_every = -9223372036854775808", ""},
           Case{"UPDATE evercore_aggregate_type SET snapshot_every = 1, snapshot_keep = -1", ""},
           Case{"UPDATE evercore_snapshot SET sequence = 9223372036854775807",
                "1|NULL|engine snapshot at sequence 9223372036854775807 differs from the fold"},
           Case{"UPDATE evercore_subscription SET last_token = 9223372036854775807", ""},
           Case{"UPDATE evercore_subscription_partition SET lease = 9223372036854775807", ""},
       }) {
    CAPTURE(damage.damage);
    Store db;
    db.damage(damage.damage);
    const std::string problems = "\n" + db.problems() + "\n";
    CAPTURE(problems);
    if (*damage.problem != '\0') {
      CHECK(problems.find(std::string("\n") + damage.problem + "\n") != std::string::npos);
    }
    CHECK(problems.size() < 1000);
    call_everything([&](Store& copy) { copy.damage(damage.damage); });
  }
  Store db;
  db.damage("UPDATE evercore_event SET position = 9223372036854775807 WHERE position = 3");
  for (const std::string& call : {"SELECT " + append_call(), writes()[1], writes()[2]}) {
    CHECK(db.fails(call) ==
          "EV010: the newest position is damaged: evercore_check() names the place");
  }
  CHECK(db.events() == 3);
  Store beyond;
  beyond.damage("UPDATE evercore_snapshot SET sequence = 9223372036854775807");
  CHECK(beyond.fails("SELECT * FROM evercore_replay(1)") ==
        "EV010: aggregate 1 is damaged: evercore_check() names the place");
}

TEST_CASE("what a maintenance left behind is named, and the next one takes it away") {
  Store db;
  db.must("INSERT INTO _evercore_maintenance VALUES ('open')");
  CHECK(db.problems() ==
        "NULL|NULL|a compaction or erasure was cut short: rows are left in _evercore_maintenance");
  db.must("SELECT evercore_unsubscribe('s'), evercore_compact(2, 0)");
  CHECK(db.problems().empty());
  CHECK_FALSE(db.fails("DELETE FROM evercore_event").empty());
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
  Store db;
  std::string text = "a";
  for (int i = 0; i < 60; ++i) text += "é";
  CHECK(db.fails("SELECT evercore_sequence(1, '" + text + "')") ==
        "EV009: at_time is not a time: \"" + text +
            "\": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]");
  CHECK(db.fails("SELECT evercore_sequence(1, CAST(x'ff31' AS TEXT))") ==
        "EV009: at_time is not UTF-8");
}
