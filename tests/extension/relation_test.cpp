// The relations as SQLite sees them: tables with a rowid and hidden columns that take arguments.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Filled : Database {
  Filled() {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES"
        " ('T','a','E','{\"n\":0}','[\"x\"]'),('T','a','E','{\"n\":1}','[\"y\"]'),"
        "('T','c','E','{\"n\":2}','[\"x\"]'),('T','b','E','{\"n\":3}',NULL),"
        "('T','b','E','{\"n\":4}',NULL)");
    must("SELECT evercore_subscribe('s'); SELECT evercore_claim('s', 'w', 60)");
  }
};

}  // namespace

TEST_CASE("each row of a relation has a rowid of its own") {
  Filled db;
  for (const char* from :
       {"evercore_events(1)", "evercore_replay(1)", "evercore_history(1)", "evercore_follow(0)",
        "evercore_query('[{\"tags\":[\"x\"]}]')", "evercore_stats()",
        "evercore_fetch('s', (SELECT token FROM evercore_subscriptions))"}) {
    CAPTURE(from);
    CHECK(db.must("SELECT count(*) > 1 AND count(*) = count(DISTINCT rowid) FROM " +
                  std::string(from)) == "1");
  }
  db.must(
      "SELECT evercore_append(1, NULL, 'F', '{}'); SELECT evercore_index_types();"
      "SELECT evercore_subscribe('f', '{\"event_types\":[\"E\",\"F\"]}');"
      "SELECT evercore_claim('f', 'w', 60)");
  CHECK(db.must("SELECT count(*) > 1 AND count(*) = count(DISTINCT rowid) FROM evercore_fetch('f',"
                " (SELECT token FROM evercore_subscriptions WHERE name = 'f'))") == "1");
  db.must(
      "SELECT evercore_unsubscribe('f'); SELECT evercore_unsubscribe('s'); SELECT "
      "evercore_compact(3, 1)");
  CHECK(db.must("SELECT count(*) = 2 AND count(DISTINCT rowid) = 2 FROM evercore_replay(3)") ==
        "1");
  db.must(
      "INSERT INTO _evercore_maintenance VALUES ('test');"
      "UPDATE evercore_event SET data = 'x' WHERE aggregate_id = 1;"
      "DELETE FROM _evercore_maintenance");
  CHECK(db.must("SELECT count(*) > 1 AND count(*) = count(DISTINCT rowid) FROM evercore_check()") ==
        "1");
}

TEST_CASE("an argument of a relation reads as NULL") {
  Filled db;
  CHECK(db.must("SELECT DISTINCT quote(id) FROM evercore_events(1)") == "NULL");
  CHECK(db.must("SELECT DISTINCT quote(name) FROM evercore_fetch('s', (SELECT token FROM "
                "evercore_subscriptions))") == "NULL");
}

TEST_CASE("a constraint that gives no argument is left to SQLite") {
  Filled db;
  CHECK(db.must("SELECT count(*) FROM evercore_events(1) WHERE \"limit\" > 1") == "0");
  CHECK(db.must("SELECT count(*) FROM evercore_events(1) WHERE rowid > 0 AND sequence >= 2") ==
        "1");
}

TEST_CASE("a lease is a number of seconds, also as text, and nothing else") {
  Filled db;
  CHECK(db.fails("SELECT evercore_claim('s', 'w', 'soon')") ==
        "EV009: lease_seconds is not a number");
  CHECK(db.fails("SELECT evercore_claim('s', 'w', x'3630')") ==
        "EV009: lease_seconds is not a number");
  db.must("SELECT evercore_reset('s', 'end')");
  CHECK(db.must("SELECT evercore_claim('s', 'w', '0.5') IS NOT NULL") == "1");
}
