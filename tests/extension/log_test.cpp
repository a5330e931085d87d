// The columns of the log: the one list in ext/log.h, and every relation that shows events.
#define SQLITE_CORE 1  // this program links the extension
#include "log.h"

#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

#define NAME_LINE(table, name, type, stored) #name "\n"
#define TYPE_LINE(table, name, type, stored) #name " " #type "\n"

const std::string names = EVERCORE_LOG(NAME_LINE, NAME_LINE);
const std::string declared = EVERCORE_LOG(TYPE_LINE, TYPE_LINE);

/// `columns` of what the relation shows, each on a line.
std::string shown(Database& db, const std::string& columns, const std::string& relation) {
  return db.must("SELECT " + columns + " FROM pragma_table_xinfo('" + relation +
                 "') WHERE hidden = 0 ORDER BY cid") +
         "\n";
}

}  // namespace

TEST_CASE("the view and the table functions of the log have the same columns in the same order") {
  Database db;
  CHECK(shown(db, "name", "evercore_log") == names);
  for (const char* relation :
       {"evercore_follow", "evercore_events", "evercore_replay", "evercore_fetch"}) {
    CAPTURE(relation);
    CHECK(shown(db, "name || ' ' || type", relation) == declared);
  }
}

TEST_CASE("a row of the log is the same in the view and in each table function") {
  Database db;
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference,"
      " metadata, event_time, event_id) VALUES ('T', 'a', 'E', '{\"n\":1}', 'r', '{\"m\":2}',"
      " '2026-01-02T03:04:05.678901Z', 'i'), ('T', 'a', 'F', '{}', NULL, NULL, NULL, NULL)");
  db.must("SELECT evercore_subscribe('s'), evercore_claim('s', 'w', 30)");
  db.must("SELECT evercore_subscribe('t', '{\"natural_key\":\"a\",\"aggregate_type\":\"T\"}')");
  db.must("SELECT evercore_claim('t', 'w', 30)");
  const std::string log = db.must("SELECT * FROM evercore_log ORDER BY position");
  for (const char* relation :
       {"evercore_follow()", "evercore_events(1)", "evercore_replay(1) WHERE position > 0",
        "evercore_fetch('s', 1)", "evercore_fetch('t', 1)"}) {
    CAPTURE(relation);
    CHECK(db.must(std::string("SELECT * FROM ") + relation) == log);
  }
}

TEST_CASE("a table function takes any condition of a query, OR among columns too") {
  Database db;
  db.must("SELECT evercore_ensure('T','a'), " + append_call() + ", " +
          append_call("1", "NULL", "{}", "Other"));
  CHECK(db.must("SELECT sequence FROM evercore_events(1) WHERE event_type = 'Other' OR data = "
                "'{\"n\":1}'") == "1\n2");
  CHECK(db.must("SELECT sequence FROM evercore_history(1) WHERE state <> '{}' OR data <> '{}'") ==
        "1\n2");
  CHECK(db.must("SELECT count(*) FROM evercore_aggregates a, evercore_events(a.aggregate_id) e "
                "WHERE e.sequence = 1 OR e.event_type = 'x'") == "1");
  CHECK(db.must("SELECT count(*) FROM evercore_replay(1) WHERE sequence IN (1, 2) OR event_type IS "
                "NULL") == "3");
  CHECK(db.fails("SELECT * FROM evercore_events") ==
        "evercore_events() takes at least 1 argument(s)");
  CHECK(db.fails("SELECT * FROM evercore_events WHERE sequence = 1 OR data = '{}'") ==
        "evercore_events() takes at least 1 argument(s)");
}
