// Reading an aggregate whose events are taken away meanwhile, or lacks some: an error, no state.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

const std::string changed =
    "EV010: aggregate 1 was compacted or erased while it was read: read it again";

struct FiveEvents : Database {
  FiveEvents() {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
        " ('T','a','E','{\"m0\":0}'),('T','a','E','{\"m1\":1}'),('T','a','E','{\"m2\":2}'),"
        "('T','a','E','{\"m3\":3}'),('T','a','E','{\"m4\":4}')");
  }
  void damage(const std::string& sql) {
    must("INSERT INTO _evercore_maintenance VALUES ('test'); " + sql +
         "; DELETE FROM _evercore_maintenance");
  }
};

/// What reading on to the end says after `first` rows and then `meanwhile`.
std::string read_on(Database& db, const std::string& from, int first,
                    const std::string& meanwhile) {
  Query query(db.handle(), "SELECT sequence, data FROM " + from);
  for (int i = 0; i < first; ++i) REQUIRE(query.step() == SQLITE_ROW);
  db.must("SELECT " + meanwhile);
  int rc = SQLITE_ROW;
  while (rc == SQLITE_ROW) rc = query.step();
  return rc == SQLITE_DONE ? "whole" : sqlite3_errmsg(db.handle());
}

}  // namespace

TEST_CASE("rows of an aggregate that its own connection compacts or erases meanwhile fail") {
  for (const char* from : {"evercore_history(1)", "evercore_replay(1)", "evercore_events(1)",
                           "evercore_replay(1, 4)", "evercore_events(1, 0, 4)"}) {
    for (const char* meanwhile :
         {"evercore_compact(1, 0)", "evercore_compact(1, 1)", "evercore_erase(1)"}) {
      CAPTURE(from);
      CAPTURE(meanwhile);
      FiveEvents db;
      CHECK(read_on(db, from, 1, meanwhile) == changed);
    }
    CAPTURE(from);
    FiveEvents db;
    CHECK(read_on(db, from, 2, "evercore_compact(1, 4)") == "whole");  // what was read is gone
    CHECK(read_on(db, from, 1, append_call()) == "whole");
  }
}

TEST_CASE("in one statement a history that compacts as it goes gives no state that never was") {
  FiveEvents db;
  db.must("BEGIN IMMEDIATE");
  CHECK(db.fails("SELECT sequence, state, evercore_compact(1, 1) FROM evercore_history(1)") ==
        changed);
  db.must("ROLLBACK");
  CHECK(db.must("SELECT count(*) FROM evercore_history(1)") == "5");
}

TEST_CASE("an erased aggregate is read as it is") {
  FiveEvents db;
  db.must("SELECT evercore_compact(1, 3), evercore_erase(1)");
  CHECK(db.must("SELECT evercore_state(1)") == "{}");
  CHECK(db.must("SELECT group_concat(sequence || state) FROM evercore_history(1)") ==
        "3{},4{},5{}");
  CHECK(db.must("SELECT group_concat(sequence || data) FROM evercore_replay(1)") ==
        "2{},3{},4{},5{}");
  CHECK(db.must("SELECT group_concat(sequence || data) FROM evercore_events(1)") == "3{},4{},5{}");
}

TEST_CASE("a fold of fewer events than version and base promise is an error") {
  const std::string missing = "EV010: events of aggregate 1 are missing between sequences ";
  const std::string names_it = ": evercore_check() names the place";
  FiveEvents db;
  db.damage("DELETE FROM evercore_event WHERE sequence IN (2, 3)");
  for (const char* call : {"evercore_state(1)", "evercore_state(1, 3)", "evercore_snapshot(1)",
                           "evercore_compact(1, 1)", "sequence FROM evercore_history(1)",
                           "sequence FROM evercore_replay(1)"}) {
    CAPTURE(call);
    CHECK(db.fails(std::string("SELECT ") + call) == missing + "1 and 4" + names_it);
  }
  CHECK(db.must("SELECT evercore_state(1, 1)") == "{\"m0\":0}");
  CHECK(db.must("SELECT group_concat(sequence) FROM evercore_events(1)") == "1,4,5");
  CHECK(db.must("SELECT evercore_save_snapshot(1, 3, '{}', 7)") == "3");
  CHECK(db.must("SELECT group_concat(sequence) FROM evercore_replay(1, 7)") == "3,4,5");

  FiveEvents compacted;
  compacted.must("SELECT evercore_compact(1, 2)");
  compacted.must("DELETE FROM evercore_snapshot");
  CHECK(compacted.fails("SELECT evercore_state(1)") == missing + "0 and 4" + names_it);
  CHECK(compacted.fails("SELECT * FROM evercore_history(1)") == missing + "0 and 4" + names_it);
  CHECK(compacted.fails("SELECT * FROM evercore_replay(1)") == missing + "0 and 4" + names_it);
  CHECK(compacted.fails("SELECT * FROM evercore_replay(1, 7)") == missing + "0 and 4" + names_it);

  FiveEvents bare;
  bare.must("SELECT evercore_compact(1, 0)");
  bare.must("DELETE FROM evercore_snapshot");
  CHECK(bare.fails("SELECT evercore_state(1)") == missing + "0 and 6" + names_it);
  CHECK(bare.fails("SELECT * FROM evercore_replay(1, 7)") == missing + "0 and 6" + names_it);
}

TEST_CASE("newest events that somebody removed are missed where a snapshot held them") {
  const std::string missing =
      "EV010: events of aggregate 1 are missing between sequences 3 and 6: evercore_check() names "
      "the place";
  FiveEvents engine;
  engine.must("SELECT evercore_snapshot(1)");
  engine.damage("DELETE FROM evercore_event WHERE sequence > 3");
  for (const char* call : {"evercore_state(1)", "evercore_snapshot(1)", "evercore_compact(1, 0)",
                           "sequence FROM evercore_replay(1)"}) {
    CAPTURE(call);
    CHECK(engine.fails(std::string("SELECT ") + call) == missing);
  }
  const std::string named = "engine snapshot at sequence 5 differs from the fold";
  CHECK(engine.must("SELECT problem FROM evercore_check()") == named);
  engine.must("SELECT evercore_append(1, 3, 'E', '{}'), evercore_append(1, 4, 'E', '{}')");
  CHECK(engine.must("SELECT problem FROM evercore_check()") == named);

  FiveEvents application;
  application.must("SELECT evercore_save_snapshot(1, 5, '{}', 7)");
  application.damage("DELETE FROM evercore_event WHERE sequence > 3");
  CHECK(application.fails("SELECT sequence FROM evercore_replay(1, 7)") == missing);
  CHECK(application.must("SELECT problem FROM evercore_check()") ==
        "application snapshot at sequence 5 is beyond the newest event");
}

TEST_CASE("a range of times is found by an index on what the log shows") {
  Database db;
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time)"
      " SELECT 'A', 'k', 'E', '{}', strftime('%Y-%m-%dT%H:%M:%SZ', 1767225600 + value * 60,"
      " 'unixepoch') FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c"
      " WHERE value < 5000) SELECT value FROM c)");
  db.must(
      "CREATE INDEX app_event_by_time ON evercore_event (printf('%s.%06dZ',"
      " strftime('%Y-%m-%dT%H:%M:%S', (event_time + 62135596800000000) / 1000000 - 62135596800,"
      " 'unixepoch'), (event_time + 62135596800000000) % 1000000))");
  const std::string range =
      "SELECT count(*) FROM (SELECT position, data FROM evercore_log WHERE event_time >="
      " evercore_time('2026-01-02T08:00Z') AND event_time < evercore_time('2026-01-02T09:00Z')"
      " ORDER BY event_time, position)";
  for (const char* before : {"SELECT 1", "ANALYZE"}) {
    CAPTURE(before);
    db.must(before);
    CHECK(db.must(range) == "60");
    CHECK(
        db.must("EXPLAIN QUERY PLAN " + range).find("app_event_by_time (<expr>>? AND <expr><?)") !=
        std::string::npos);
  }
}
