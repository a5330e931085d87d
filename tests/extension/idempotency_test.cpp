// event_id: one event for ever, in every way of appending, and never a mixture.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Store : Database {
  Store() { must("SELECT evercore_ensure('T','a'), evercore_ensure('T','b')"); }
  Outcome append(const std::string& event_id, const std::string& data = "{\"n\":1}",
                 const std::string& id = "1", const std::string& type = "E",
                 const std::string& expected = "NULL") {
    return run("SELECT evercore_append(" + id + "," + expected + ",'" + type + "','" + data +
               "',NULL,NULL,NULL,'" + event_id + "')");
  }
};

std::string row(const std::string& event_id, const std::string& data = "{\"n\":1}") {
  return "(1,'E','" + data + "'," + (event_id == "NULL" ? event_id : "'" + event_id + "'") + ")";
}

const std::string insert =
    "INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES ";

std::string many(const std::string& events) {
  return "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + events + "]}]')";
}
std::string event(const std::string& event_id) {
  return "{\"event_type\":\"E\",\"data\":{\"n\":1}" +
         (event_id.empty() ? "" : ",\"event_id\":\"" + event_id + "\"") + "}";
}

constexpr const char* mixture = "one call cannot mix repeats and new events";

}  // namespace

TEST_CASE("the same event_id is one event and the original sequence each time") {
  Store db;
  CHECK(db.append("x").rows == "1");
  CHECK(db.append("x").rows == "1");
  CHECK(db.append("x", "{\"n\":1}", "1", "E", "0").rows == "1");
  CHECK(db.append("x", "{\"n\":1}", "1", "E", "77").rows == "1");
  CHECK(db.events() == 1);
  for (int i = 0; i < 1000; ++i) db.must("SELECT " + append_call());
  CHECK(db.append("x").rows == "1");
  CHECK(db.events() == 1001);
}

TEST_CASE("other content under the same event_id is EV007, whatever differs") {
  Store db;
  db.append("x");
  for (const Outcome& outcome :
       {db.append("x", "{\"n\":2}"), db.append("x", "{\"n\": 1}"), db.append("x", "{\"n\":1}", "2"),
        db.append("x", "{\"n\":1}", "1", "F")}) {
    CHECK(outcome.code == SQLITE_CONSTRAINT_FUNCTION);
    CHECK(outcome.message == "EV007: event_id \"x\" exists with other content");
  }
  CHECK(db.events() == 1);
}

TEST_CASE("an event_id holds after compaction, and for its content too") {
  Store db;
  db.append("x");
  db.append("y");
  db.must("SELECT " + append_call() + ", evercore_compact(1, 0)");
  CHECK(db.events() == 0);
  CHECK(db.append("x").rows == "1");
  CHECK(db.append("y").rows == "2");
  CHECK(db.append("x", "{\"n\":2}").says("EV007: event_id \"x\" exists with other content"));
  CHECK(db.append("x", "{\"n\":1}", "2").says("EV007"));
  CHECK(db.must(insert + row("x")).empty());
  CHECK(db.must("SELECT last_insert_rowid()") == "1");
  CHECK(db.must(many(event("x") + "," + event("y"))) ==
        "[{\"aggregate_id\":1,\"first_position\":1,\"sequence\":2,\"position\":2,\"repeated\":true}"
        "]");
  CHECK(db.events() == 0);
  CHECK(db.append("z").rows == "4");
}

TEST_CASE("an event_id of an erased aggregate is not given a second time") {
  Store db;
  db.append("x");
  db.must("SELECT evercore_erase(1)");
  CHECK(db.append("x").says("EV002: aggregate 1 was erased"));
  CHECK(db.append("x", "{}", "2").says("EV007"));
  CHECK(db.events() == 1);
}

TEST_CASE("a statement of repeats alone answers as the first did and writes nothing") {
  for (const bool inside : {false, true}) {
    Store db;
    db.must(insert + row("x") + "," + row("y"));
    if (inside) db.must("BEGIN");
    db.must(insert + row("x") + "," + row("y"));
    CHECK(db.must("SELECT last_insert_rowid()") == "2");
    CHECK(db.must(many(event("x") + "," + event("y"))) ==
          "[{\"aggregate_id\":1,\"first_position\":1,\"sequence\":2,\"position\":2,\"repeated\":"
          "true}]");
    if (inside) db.must("COMMIT");
    CHECK(db.events() == 2);
  }
}

TEST_CASE("a mixture of repeats and new events is EV007 and writes nothing") {
  for (const bool inside : {false, true}) {
    Store db;
    db.append("x");
    if (inside) db.must("BEGIN");
    for (const std::string& sql :
         {insert + row("x") + "," + row("new"), insert + row("new") + "," + row("x"),
          insert + row("x") + "," + row("NULL"), insert + row("NULL") + "," + row("x"),
          insert + row("NULL") + "," + row("NULL") + "," + row("x"),
          insert + row("new") + "," + row("new"), many(event("x") + "," + event("new")),
          many(event("new") + "," + event("x")), many(event("x") + "," + event("")),
          many(event("") + "," + event("x")), many(event("new") + "," + event("new"))}) {
      CAPTURE(sql);
      const Outcome outcome = db.run(sql);
      CHECK((outcome.code & 0xff) == SQLITE_CONSTRAINT);
      CHECK(outcome.says(mixture));
      CHECK(db.events() == 1);
      CHECK(db.autocommit() == !inside);
    }
    // What one statement did does not count for the next.
    db.must(insert + row("x"));
    db.must(insert + row("new"));
    db.must(insert + row("x"));
    db.must(insert + row("NULL"));
    db.must(insert + row("new") + "," + row("x"));
    if (inside) db.must("COMMIT");
    CHECK(db.events() == 3);
  }
}

TEST_CASE("statements that failed or skipped rows do not count for the next one") {
  for (const bool inside : {false, true}) {
    Store db;
    db.append("x");
    if (inside) db.must("BEGIN");
    (void)db.run(insert + row("new") + ",(99,'E','{}','other')");
    db.must(insert + row("x"));
    (void)db.run(insert + row("x") + ",(99,'E','{}','other')");
    db.must(insert + row("a"));
    db.must(
        "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES "
        "(99,'E','{}','q')");
    db.must(insert + row("x"));
    CHECK(db.run("INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data, event_id) "
                 "VALUES " +
                 row("b") + "," + row("x") + "," + row("c"))
              .ok());
    db.must(insert + row("x") + "," + row("b"));
    CHECK(db.run("INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data, event_id) "
                 "VALUES " +
                 row("x") + "," + row("d") + "," + row("b"))
              .ok());
    db.must(insert + row("d"));
    (void)db.run(
        "INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) SELECT 1, 'E', "
        "'{\"n\":1}', iif(value < 3, 'f' || value, abs(-9223372036854775807 - 1)) FROM "
        "json_each('[1,2,3]')");
    db.must(insert + row("x"));
    if (inside) db.must("COMMIT");
    CHECK(db.must("SELECT group_concat(event_id) FROM evercore_log") == "x,a,b,c,d");
  }
}

TEST_CASE("interleaved statements keep their own account") {
  Store db;
  db.append("x");
  db.must("CREATE TABLE source (event_id); INSERT INTO source VALUES ('p'),('q')");
  // A savepoint rolled back between two statements forgets what the first did.
  db.must("BEGIN; SAVEPOINT s");
  db.must(insert + row("p"));
  db.must("ROLLBACK TO s");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) SELECT 1, 'E', "
      "'{\"n\":1}', event_id FROM source");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) SELECT 1, 'E', "
      "'{\"n\":1}', event_id FROM source");
  db.must("COMMIT");
  CHECK(db.must("SELECT group_concat(event_id) FROM evercore_log") == "x,p,q");
}
