// Migrations: up, down, by several processes at once, by goose, and past this program's knowledge.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

constexpr const char* newer_text =
    "EV008: the store has schema version 99, newer than this evercore knows";
const std::string newer_schema =
    "BEGIN; CREATE TABLE evercore_future (n); INSERT INTO evercore_schema (version) VALUES (99); "
    "COMMIT";

std::string newest() {
  Database db;
  return db.must("SELECT evercore_migrate()");
}

std::string schema_of(Database& db) {
  return db.must(
      "SELECT type, name, sql FROM sqlite_schema WHERE name LIKE '%evercore%' ORDER BY type, name");
}

/// The statements of one part of a migration file, cut as goose cuts them: at a semicolon that ends
/// a line, but for what stands between StatementBegin and StatementEnd.
std::vector<std::string> goose_statements(const std::string& file, const std::string& part) {
  std::ifstream in(file);
  std::vector<std::string> statements;
  std::string current;
  bool wanted = false, block = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("-- +goose ")) {
      const std::string word = line.substr(10);
      if (word == "Up" || word == "Down") wanted = word == part;
      if (word == "StatementBegin") block = true;
      if (word == "StatementEnd") block = false;
      if (word == "StatementEnd" && wanted) statements.push_back(std::exchange(current, ""));
      continue;
    }
    if (!wanted || (line.starts_with("--") && !block)) continue;
    current += line + "\n";
    if (!block && line.ends_with(";")) statements.push_back(std::exchange(current, ""));
  }
  CHECK(current.find_first_not_of(" \n") == std::string::npos);
  return statements;
}

std::vector<std::string> files() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator("migrations/sqlite"))
    all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("migrating is idempotent, goes down to nothing and up again") {
  Database db(":memory:", Database::Store::none);
  CHECK(db.fails("SELECT evercore_find('T','a')") ==
        "EV008: the store is not migrated: SELECT evercore_migrate()");
  CHECK(db.must("SELECT evercore_migrate()") == newest());
  CHECK(db.must("SELECT evercore_migrate()") == newest());
  const std::string schema = schema_of(db);
  CHECK(db.must("SELECT evercore_migrate(0)") == "0");
  CHECK(db.must("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%evercore%'") == "0");
  CHECK(db.fails("SELECT evercore_ensure('T','a')").starts_with("EV008"));
  CHECK(db.fails("SELECT * FROM evercore_follow()").starts_with("EV008"));
  CHECK(db.must("SELECT evercore_migrate()") == newest());
  CHECK(schema_of(db) == schema);
  CHECK(db.fails("SELECT evercore_migrate(99)") == "EV009: target is out of range: 99");
  CHECK(db.fails("SELECT evercore_migrate(-1)") == "EV009: target is out of range: -1");
}

TEST_CASE("a store that holds events does not go down, compacted to nothing or not") {
  for (const char* compact : {"SELECT 1", "SELECT evercore_compact(1, 0)"}) {
    Database db;
    db.must("SELECT evercore_ensure('T','a'), " + append_call());
    db.must(compact);
    const std::string schema = schema_of(db);
    CHECK(db.fails("SELECT evercore_migrate(0)") == "EV010: the store holds events");
    CHECK(schema_of(db) == schema);
    CHECK(db.autocommit());
    CHECK(db.must("SELECT " + append_call()) == "2");
  }
}

TEST_CASE("a migration in the caller's transaction is the caller's to roll back") {
  Database db(":memory:", Database::Store::none);
  db.must(
      "BEGIN; CREATE TABLE mine (n); SELECT evercore_migrate(), evercore_ensure('T','a'); SELECT " +
      append_call());
  CHECK(db.fails("SELECT evercore_migrate(0)") == "EV010: the store holds events");
  CHECK(db.must("SELECT " + append_call()) == "2");
  db.must("ROLLBACK");
  CHECK(db.fails("SELECT " + append_call()).starts_with("EV008"));
  CHECK(db.must("SELECT evercore_migrate(), evercore_ensure('T','a')") == newest() + "|1");
  CHECK(db.must("SELECT " + append_call()) == "1");
}

TEST_CASE("eight processes migrate one file at once and all succeed") {
  for (int round = 0; round < 5; ++round) {
    const Directory directory;
    const std::string file = directory.file("s.db");
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        try {
          Database db(file, Database::Store::none);
          sqlite3_busy_timeout(db.handle(), 30000);
          db.must("SELECT evercore_migrate()");
          db.must("SELECT evercore_append(evercore_ensure('T','" + std::to_string(i) +
                  "'), 0, 'E', '{}')");
          _exit(0);
        } catch (const std::exception& failure) {
          std::fprintf(stderr, "%s\n", failure.what());
          _exit(1);
        }
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    Database db(file);
    CHECK(db.events() == 8);
    CHECK(db.must("SELECT count(*), max(version) FROM evercore_schema") == "1|" + newest());
  }
}

TEST_CASE("a store of a newer program is EV008 for every call, and is left as it is") {
  const Directory directory;
  {
    Database db(directory.file("s.db"));
    db.must("SELECT evercore_ensure('T','a'), " + append_call());
    db.must(newer_schema);
  }
  Database db(directory.file("s.db"), Database::Store::none);
  for (const std::string& sql :
       {"SELECT " + append_call(), std::string("SELECT evercore_migrate()"),
        std::string("SELECT evercore_migrate(0)"), std::string("SELECT evercore_ensure('T','b')"),
        std::string("SELECT evercore_state(1)"), std::string("SELECT * FROM evercore_follow()"),
        std::string(
            "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')"),
        std::string("SELECT * FROM evercore_check()"), std::string("SELECT evercore_erase(1)")}) {
    CAPTURE(sql);
    CHECK(db.fails(sql).starts_with(newer_text));
  }
  CHECK(db.events() == 1);
}

TEST_CASE(
    "a newer program that migrates while our statements are kept is noticed before the next "
    "write") {
  for (const std::string& next :
       {"SELECT " + append_call(),
        std::string(
            "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'Added','{}')"),
        std::string("SELECT "
                    "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":"
                    "\"Added\",\"data\":{}}]}]')"),
        std::string("SELECT evercore_append(1,NULL,'Added','{}',NULL,NULL,NULL,'id')"),
        std::string("SELECT evercore_ensure('T','b')"), std::string("SELECT evercore_snapshot(1)"),
        std::string("SELECT evercore_rekey(1,'z')"), std::string("SELECT evercore_compact(1,0)"),
        std::string("SELECT evercore_erase(1)"),
        std::string("SELECT evercore_event_type('Added','patch')")}) {
    CAPTURE(next);
    const Directory directory;
    Database ours(directory.file("s.db"));
    ours.must("PRAGMA journal_mode = WAL");
    Database theirs(directory.file("s.db"));
    ours.must(
        "SELECT evercore_ensure('T','a'), evercore_ensure('T','b'), evercore_ensure('T','c')");
    // Every statement that the call needs has been kept by a call like it.
    for (int i = 0; i < 2; ++i)
      ours.must(
          "SELECT evercore_append(3,NULL,'Added','{}'), "
          "evercore_append(3,NULL,'Added','{}',NULL,NULL,NULL,'id-" +
          std::to_string(i) + "')");
    ours.must(
        "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (3,'Added','{}')");
    ours.must(
        "SELECT "
        "evercore_append_many('[{\"aggregate_id\":3,\"events\":[{\"event_type\":\"Added\",\"data\":"
        "{}}]}]')");
    ours.must(
        "SELECT evercore_append(1,NULL,'Added','{}'), evercore_snapshot(3), evercore_compact(3,1), "
        "evercore_rekey(3,'y'), evercore_event_type('Other','patch'), evercore_erase(2)");
    const std::string before = ours.must(
        "SELECT (SELECT count(*) FROM evercore_log), (SELECT count(*) FROM evercore_snapshot), "
        "(SELECT count(*) FROM evercore_aggregates WHERE natural_key = 'a')");
    theirs.must(newer_schema);
    CHECK(ours.fails(next).starts_with(newer_text));
    CHECK(ours.fails(next).starts_with(newer_text));
    CHECK(
        ours.must(
            "SELECT (SELECT count(*) FROM evercore_log), (SELECT count(*) FROM evercore_snapshot), "
            "(SELECT count(*) FROM evercore_aggregates WHERE natural_key = 'a')") == before);
    CHECK(ours.autocommit());
    CHECK(ours.close() == SQLITE_OK);
  }
}

TEST_CASE("a schema that changed without us, an index or table of the user's, goes on working") {
  const Directory directory;
  Database ours(directory.file("s.db"));
  Database theirs(directory.file("s.db"));
  ours.must("SELECT evercore_ensure('T','a')");
  for (int i = 0; i < 5; ++i) {
    ours.must("SELECT " + append_call());
    theirs.must("CREATE TABLE user_table" + std::to_string(i) + " (n)");
    ours.must("SELECT " + append_call());
    ours.must("CREATE INDEX user_index" + std::to_string(i) + " ON evercore_event (event_time)");
    ours.must("BEGIN; SELECT " + append_call() + "; SELECT " + append_call());
    ours.must("CREATE TABLE own" + std::to_string(i) + " (n)");
    ours.must("SELECT " + append_call() + "; COMMIT");
    ours.must("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')");
  }
  CHECK(ours.events() == 30);
  CHECK(ours.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("a newer program that wins the race for the lock is noticed under the lock") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  Database theirs(file, Database::Store::none);
  theirs.must(
      "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE evercore_schema (version INTEGER "
      "PRIMARY KEY); INSERT INTO evercore_schema (version) VALUES (99)");
  Database ours(file, Database::Store::none);
  sqlite3_busy_handler(
      ours.handle(),
      [](void* other, int) {
        static_cast<Database*>(other)->must("COMMIT");
        return 1;
      },
      &theirs);
  CHECK(ours.fails("SELECT evercore_migrate()").starts_with(newer_text));
  CHECK(ours.must("SELECT max(version) FROM evercore_schema") == "99");
  CHECK(ours.autocommit());
}

TEST_CASE("goose's reading of the migration files applies and undoes them with plain SQLite") {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
  const auto apply = [&](const std::string& part, const std::vector<std::string>& all) {
    for (const std::string& file : all) {
      run(db, "BEGIN");
      for (const std::string& statement : goose_statements(file, part)) {
        const Outcome outcome = run(db, statement);
        CAPTURE(statement);
        CHECK_MESSAGE(outcome.ok(), outcome.message);
      }
      run(db, "COMMIT");
    }
  };
  auto all = files();
  REQUIRE_FALSE(all.empty());
  apply("Up", all);
  // Without their texts: goose leaves the comments out.
  constexpr const char* objects =
      "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name";
  const std::string by_goose = run(db, objects).rows;
  Database migrated;
  CHECK(by_goose == migrated.must(objects));
  CHECK(run(db, "SELECT count(*) FROM evercore_log").rows == "0");
  CHECK(run(db, "SELECT count(*) FROM evercore_aggregates").rows == "0");
  std::reverse(all.begin(), all.end());
  apply("Down", all);
  CHECK(run(db, "SELECT count(*) FROM sqlite_schema").rows == "0");
  CHECK(sqlite3_close(db) == SQLITE_OK);
}

TEST_CASE("a store can be read and is guarded without the extension") {
  const Directory directory;
  {
    Database db(directory.file("s.db"));
    db.must(
        "SELECT evercore_append(evercore_ensure('T','a'), 0, 'E', '{\"n\":1}', NULL, NULL, "
        "'1969-12-31T23:59:59.5Z')");
  }
  sqlite3* plain = nullptr;
  REQUIRE(sqlite3_open(directory.file("s.db").c_str(), &plain) == SQLITE_OK);
  CHECK(run(plain, "SELECT natural_key, sequence, event_type, data, event_time FROM evercore_log")
            .rows == "a|1|E|{\"n\":1}|1969-12-31T23:59:59.500000Z");
  CHECK(
      run(plain, "SELECT natural_key, sequence, first_event_time FROM evercore_aggregates").rows ==
      "a|1|1969-12-31T23:59:59.500000Z");
  CHECK(run(plain, "DELETE FROM evercore_event").message == "EV010: events are append-only");
  CHECK(run(plain, "UPDATE evercore_event SET data = NULL").message ==
        "EV010: events are append-only");
  CHECK(sqlite3_close(plain) == SQLITE_OK);
}

TEST_CASE("a store that has given tokens keeps them: it does not go down below them") {
  Database db;
  db.must("SELECT evercore_subscribe('s')");
  CHECK(db.must("SELECT evercore_migrate(1)") == "1");  // none was given
  db.must("SELECT evercore_migrate(), evercore_subscribe('s')");
  CHECK(db.must("SELECT evercore_claim('s', 'w', 60)") == "1");
  db.must("SELECT evercore_unsubscribe('s')");
  const std::string schema = schema_of(db);
  for (const char* target : {"0", "1"}) {
    CHECK(db.fails("SELECT evercore_migrate(" + std::string(target) + ")") ==
          "EV010: the store has given tokens");
  }
  CHECK(schema_of(db) == schema);
  CHECK(db.must("SELECT evercore_migrate(2)") == "2");
  CHECK(db.must("SELECT evercore_migrate(), evercore_subscribe('s')") == newest() + "|s");
  CHECK(db.must("SELECT evercore_claim('s', 'w', 60)") == "2");
}

TEST_CASE(
    "a store whose evercore_schema is gone or empty is EV008, and no new one begins over it") {
  for (const char* loss : {"DROP TABLE evercore_schema", "DELETE FROM evercore_schema",
                           "ALTER TABLE evercore_schema RENAME TO moved"}) {
    for (const bool used : {false, true}) {
      CAPTURE(loss);
      CAPTURE(used);
      const Directory directory;
      Database db(directory.file("s.db"));
      db.must("SELECT evercore_ensure('T','a'), evercore_subscribe('s'); SELECT " + append_call());
      if (!used) {
        Database other(directory.file("s.db"), Database::Store::none);
        other.must(loss);
      } else {
        db.must(loss);
      }
      const std::string schema = schema_of(db);
      for (const std::string& call :
           {"SELECT " + append_call(), std::string("SELECT evercore_state(1)"),
            std::string("SELECT evercore_subscribe('t')"),
            std::string("SELECT evercore_restored()"),
            std::string("SELECT * FROM evercore_check()"), std::string("SELECT evercore_migrate()"),
            std::string("SELECT evercore_migrate(1)"), std::string("SELECT evercore_migrate(0)")}) {
        CAPTURE(call);
        CHECK(db.fails(call) ==
              (std::string(loss).starts_with("DELETE")
                   ? "EV008: evercore_schema is damaged: it should hold one row, the version of the"
                     " store"
                   : "EV008: the store is damaged: evercore_schema is missing, and its other"
                     " tables are there"));
      }
      CHECK(schema_of(db) == schema);
      CHECK(db.must("SELECT count(*) FROM evercore_event") == "1");
    }
  }
}

TEST_CASE("a migration whose triggers an authorizer swallows is EV010, and is undone") {
  for (const char* begin : {"0", "2"}) {
    CAPTURE(begin);
    Database db(":memory:", Database::Store::none);
    db.must("SELECT evercore_migrate(" + std::string(begin) + ")");
    const std::string schema = schema_of(db);
    sqlite3_set_authorizer(
        db.handle(),
        [](void*, int action, const char*, const char*, const char*, const char*) {
          return action == SQLITE_CREATE_TRIGGER ? SQLITE_IGNORE : SQLITE_OK;
        },
        nullptr);
    CHECK(db.fails("SELECT evercore_migrate()") ==
          "EV010: a trigger or an authorizer cut the migration short");
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    CHECK(schema_of(db) == schema);
    CHECK(db.must("SELECT evercore_migrate()") == newest());
  }
}

TEST_CASE("a trigger of the user's on a view stays when a migration makes the view anew") {
  Database db(":memory:", Database::Store::none);
  db.must("SELECT evercore_migrate(2)");
  const std::string trigger =
      "CREATE TRIGGER mine INSTEAD OF INSERT ON evercore_log BEGIN SELECT RAISE(ABORT, 'mine'); "
      "END";
  db.must(trigger);
  for (const char* target : {"3", "2", "3"}) {
    db.must(std::string("SELECT evercore_migrate(") + target + ")");
    CHECK(db.must("SELECT sql FROM sqlite_schema WHERE name = 'mine'") == trigger);
  }
  CHECK(db.fails("INSERT INTO evercore_log (position) VALUES (1)") == "mine");
  db.must("SELECT evercore_migrate(0)");
  CHECK(db.must("SELECT count(*) FROM sqlite_schema WHERE name = 'mine'") == "0");
}

TEST_CASE("… and so does a temporary one") {
  Database db(":memory:", Database::Store::none);
  db.must("SELECT evercore_migrate(2)");
  db.must(
      "CREATE TEMP TRIGGER mine INSTEAD OF INSERT ON evercore_log BEGIN SELECT RAISE(ABORT, "
      "'mine');"
      " END");
  for (const char* target : {"3", "2", "3"}) {
    db.must(std::string("SELECT evercore_migrate(") + target + ")");
    CHECK(db.must("SELECT count(*) FROM sqlite_schema WHERE name = 'mine'") == "0");
    CHECK(db.fails("INSERT INTO evercore_log (position) VALUES (1)") == "mine");
  }
}
