// Damage, triggers and full disks at places that no other test leads to: a clear word, and nothing half done.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct ThreeEvents : Database {
  explicit ThreeEvents(const std::string& path = ":memory:") : Database(path) {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES"
        " ('T','a','E','{\"m\":0}','[\"x\"]'),('T','a','E','{\"m\":1}','[\"y\"]'),"
        "('T','a','F','{\"m\":2}',NULL)");
  }
  void damage(const std::string& sql) {
    must("INSERT INTO _evercore_maintenance VALUES ('test'); " + sql +
         "; DELETE FROM _evercore_maintenance");
  }
  void write_past(const std::string& sequence) {
    damage(
        "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data, "
        "recorded_at)"
        " SELECT aggregate_id, " +
        sequence +
        ", type_id, event_time, data, recorded_at FROM evercore_event WHERE sequence = 3");
  }
  std::string problems() {
    return must("SELECT coalesce(group_concat(problem, '; '), '') FROM evercore_check()");
  }
};

const std::string full = "database or disk is full: nothing was written; free space and call again";

}  // namespace

TEST_CASE("an event that the transaction itself has written past evercore is counted") {
  for (const char* call : {"evercore_append(1, NULL, 'E', '{}')",
                           "evercore_append(1, NULL, 'E', '{}', 'a reference')"}) {
    CAPTURE(call);
    ThreeEvents db;
    db.must("BEGIN; SELECT evercore_append(1, 3, 'E', '{}')");
    db.write_past("5");
    CHECK(db.must("SELECT " + std::string(call)) == "6");
    db.must("COMMIT");
    db.must("SELECT evercore_append(1, NULL, 'E', '{}')");
    CHECK(db.must("SELECT count(DISTINCT sequence) = max(sequence) FROM evercore_event") == "1");
    CHECK(db.problems().empty());
  }
}

TEST_CASE("an object of evercore's name and another kind is named, and not mended") {
  ThreeEvents db;
  db.must("DROP VIEW evercore_in_flight; CREATE TABLE evercore_in_flight (a)");
  CHECK(db.problems() == "view evercore_in_flight is different");
  CHECK(db.fails("SELECT evercore_migrate()") ==
        "EV010: view evercore_in_flight is different: evercore_migrate() cannot mend it");
  db.must("DROP TABLE evercore_in_flight; SELECT evercore_migrate()");
  CHECK(db.problems().empty());
}

TEST_CASE("tags that are none keep their type from being declared anew") {
  ThreeEvents db;
  db.damage("UPDATE evercore_event SET tags = 'x' WHERE sequence = 1");
  CHECK(db.fails("SELECT evercore_event_type('E', NULL, '{\"tags\":{\"m\":\"/m\"}}')") ==
        "EV010: tags of event 1 is damaged: evercore_check() names the place");
  CHECK(db.fails("SELECT evercore_erase(1)") ==
        "EV010: tags of event 1 is damaged: evercore_check() names the place");
  CHECK(db.must("SELECT erased FROM evercore_aggregates") == "0");
}

TEST_CASE("a trigger that keeps the row of a tag keeps the whole erasure back") {
  ThreeEvents db;
  db.must(
      "CREATE TRIGGER keep BEFORE DELETE ON evercore_event_tag BEGIN SELECT RAISE(IGNORE); END");
  CHECK(db.fails("SELECT evercore_erase(1)").find("a tag of event 1 stays") != std::string::npos);
  CHECK(db.must("SELECT count(*) FROM evercore_log WHERE data IS NOT NULL") == "3");
  db.must("DROP TRIGGER keep; SELECT evercore_erase(1)");
  CHECK(db.problems().empty());
}

TEST_CASE("a check tells of a base that is no state, and goes on, and of tags left by an erasure") {
  ThreeEvents db;
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
      " ('T','b','F','{\"m\":0}'),('T','b','F','{\"m\":1}'),('T','b','F','{\"m\":2}');"
      "SELECT evercore_compact(2, 1)");
  for (const char* state : {"x", "{\"m\":", "[1]", "1", ""}) {
    CAPTURE(state);
    db.must("SAVEPOINT s; UPDATE evercore_snapshot SET state = '" + std::string(state) + "'");
    CHECK(db.problems().find("engine snapshot at sequence 2 differs from the fold") !=
          std::string::npos);
    db.must("ROLLBACK TO s; RELEASE s");
  }
  db.must("SELECT evercore_erase(1)");
  CHECK(db.problems().empty());
  db.damage("UPDATE evercore_event SET tags = '[\"x\"]'");
  CHECK(db.problems().find("tags are left of an erased aggregate") != std::string::npos);
}

TEST_CASE("a subscription whose newest token is none gives no other") {
  ThreeEvents db;
  db.must("SELECT evercore_subscribe('s'); UPDATE evercore_subscription SET last_token = -1");
  CHECK(db.fails("SELECT evercore_claim('s', 'w', 60)") ==
        "EV010: subscription \"s\" is damaged: evercore_check() names the place");
}

TEST_CASE("a full disk is named in every form of append, and what was refused goes in later") {
  ThreeEvents db;
  const std::string large = "(SELECT printf('%.*c', 900000, 'x'))";
  const std::string many =
      "SELECT evercore_append_many('[{\"aggregate_type\":\"T\",\"natural_key\":\"c\",\"events\":["
      "{\"event_type\":\"E\",\"data\":{\"a\":1}},{\"event_type\":\"E\",\"data\":{\"a\":\"' || " +
      large + " || '\"}},{\"event_type\":\"E\",\"data\":{}}]}]') IS NOT NULL";
  const std::string one = "SELECT evercore_append(1, NULL, 'E', json_object('a', " + large + "))";
  const std::string row =
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', "
      "json_object('a', " +
      large + "))";
  db.must("PRAGMA max_page_count = 1");
  for (const std::string& sql : {many, one, row}) CHECK(db.fails(sql) == full);
  CHECK(db.events() == 3);
  db.must("PRAGMA max_page_count = 100000");
  for (const std::string& sql : {many, one, row}) db.must(sql);
  CHECK(db.events() == 8);
  CHECK(db.problems().empty());
}

TEST_CASE("tags that are no text are no tags") {
  ThreeEvents db;
  for (const char* tags : {"7", "1.5", "x'5b5d'"}) {
    CAPTURE(tags);
    CHECK(db.fails("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, NULL, " +
                   std::string(tags) + ")") == "EV009: tags is not an array of texts");
  }
}

TEST_CASE("an erasure leaves secure_delete as it was") {
  for (const char* setting : {"0", "1", "2"}) {
    CAPTURE(setting);
    ThreeEvents db;
    db.must("PRAGMA secure_delete = " +
            std::string(setting == std::string("2") ? "FAST" : setting));
    db.must("SELECT evercore_erase(1)");
    CHECK(db.must("PRAGMA secure_delete") == setting);
  }
}

TEST_CASE("what evercore has for its own statements gives others nothing") {
  ThreeEvents db;
  CHECK(db.must("SELECT count(*) FROM _evercore_staged") == "0");
  CHECK(db.must("SELECT _evercore_next_sequence(1, 2, 3, 4) IS NULL FROM (SELECT 1 WHERE 0)") ==
        "1");
  CHECK(db.must("SELECT 'a' = 'b' COLLATE _evercore_same_schema") == "1");
}

TEST_CASE("pointers find members whose names are written with escapes, however many they are") {
  ThreeEvents db;
  std::string tags, sums;
  for (int i = 1; i <= 20; ++i) {
    const std::string name = "m" + std::to_string(i);
    tags += ",\"" + name + "\":\"/in/" + name + "\"";
    sums += ",\"/" + name + "\":\"/in/" + name + "\"";
  }
  db.must("SELECT evercore_event_type('D', '[{\"add\":{" + sums.substr(1) + "}}]', '{\"tags\":{" +
          tags.substr(1) + "}}')");
  for (int i = 0; i < 2; ++i) {
    db.must(
        "SELECT evercore_append(1, NULL, 'D', "
        "'{\"in\":{\"\\u006d3\":3,\"m20\":20,\"\\u006d\":1}}')");
  }
  CHECK(db.must("SELECT tags FROM evercore_log WHERE position = 5") == "[\"m3:3\",\"m20:20\"]");
  CHECK(db.must("SELECT evercore_state(1) ->> '$.m3'") == "6");
  CHECK(db.must("SELECT evercore_state(1) ->> '$.m20'") == "40");
}

TEST_CASE("a single rule that merges takes the part that it names, not all of the data") {
  ThreeEvents db;
  db.must("SELECT evercore_event_type('P', '[{\"merge\":\"/part\"}]')");
  db.must("SELECT evercore_append(1, NULL, 'P', '{\"part\":{\"q\":1},\"rest\":2}')");
  CHECK(db.must("SELECT evercore_state(1)") == "{\"m\":2,\"q\":1}");
}

TEST_CASE("arguments that no caller should give are refused by their names") {
  ThreeEvents db;
  CHECK(db.fails("SELECT * FROM evercore_fetch(NULL, 1)") == "EV005: name is NULL");
  CHECK(db.fails("SELECT evercore_append(1, NULL, 'E', '{}', NULL, 5)") ==
        "EV009: metadata is not text");
  CHECK(db.fails("SELECT evercore_append_many('[{\"aggregate_id\":1,\"natural_key\":\"a\","
                 "\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')") ==
        "EV009: aggregate_id is given together with a type or key");
  std::string names = "\"n0\"";
  for (int i = 1; i <= 64; ++i) names += ",\"n" + std::to_string(i) + "\"";
  CHECK(db.fails("SELECT count(*) FROM evercore_query('[{\"tags\":[" + names + "]}]')") ==
        "EV009: query: /0/tags: more than 64");
}
