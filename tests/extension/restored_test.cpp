// A restored copy goes on beyond what was given and lost; a subscription does not silently begin
// below what compaction removed; what is erased is told and stands in nobody's way.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

constexpr const char* jump = "1048576";

struct Compacted : Database {
  /// Positions 1 to 6: aggregate 1 (T, a) has A B A B at 1 to 4, aggregate 2 (T, b) has A A; the
  /// first three of aggregate 1 are gone.
  Compacted() {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time)"
        " VALUES "
        "('T','a','A','{}','2026-01-01T00:00:00Z'),('T','a','B','{}','2026-01-05T00:00:00Z'),"
        "('T','a','A','{}','2026-01-03T00:00:00Z'),('T','a','B','{}','2026-01-04T00:00:00Z'),"
        "('T','b','A','{}','2026-01-05T00:00:00Z'),('T','b','A','{}','2026-01-06T00:00:00Z')");
    must("SELECT evercore_compact(1, 1)");
  }
};

std::string would_miss(const std::string& name, int position) {
  return "EV010: subscription \"" + name +
         "\" would miss events that were compacted, up to position " + std::to_string(position) +
         ": begin the start with the word kept to say that this is meant";
}

}  // namespace

TEST_CASE("after evercore_restored positions and tokens go on far beyond") {
  Database db;
  CHECK(db.must("SELECT evercore_restored()") == jump);
  CHECK(db.must("SELECT count(*) FROM evercore_log") == "0");
  db.must("SELECT evercore_append(evercore_ensure('T','a'), 0, 'E', '{}')");
  db.must("SELECT evercore_subscribe('p', NULL, 'kept'), evercore_claim('p', 'w', 60)");
  CHECK(db.must("SELECT token FROM evercore_subscriptions") == "1048577");
  db.must("SELECT evercore_subscribe('q'), evercore_unsubscribe('q')");
  db.must("SELECT evercore_release('p', 1048577)");
  CHECK(db.must("SELECT evercore_restored()") == "2097153");
  CHECK(db.must("SELECT position FROM evercore_follow()") == "1048577");
  CHECK(db.must("SELECT count(*) FROM evercore_follow(2097153)") == "0");
  CHECK(db.must("SELECT evercore_append(1, 1, 'E', '{}')") == "2");
  CHECK(db.must("SELECT max(position) FROM evercore_log") == "2097154");
  CHECK(db.must("SELECT evercore_claim('p', 'w', 60)") == "2097154");
  db.must("SELECT evercore_subscribe('q'), evercore_subscribe('new')");
  CHECK(db.must("SELECT evercore_claim('q', 'w', 60)") == "2097153");
  CHECK(db.must("SELECT evercore_claim('new', 'w', 60)") == "2097154");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  CHECK(db.must("SELECT count(*) FROM evercore_event WHERE aggregate_id = 0") == "1");
  db.must(
      "SELECT evercore_unsubscribe('p'), evercore_unsubscribe('q'), evercore_unsubscribe('new')");
  db.must("SELECT evercore_append(1, 2, 'E', '{}'), evercore_compact(1, 0)");
  CHECK(db.must("SELECT evercore_append(1, 3, 'E', '{}')") == "4");
  CHECK(db.must("SELECT position FROM evercore_log") == "2097156");
}

TEST_CASE("a restoration that is rolled back leaves nothing, and is followed by nobody before") {
  Database db;
  db.must("SELECT evercore_append(evercore_ensure('T','a'), 0, 'E', '{}')");
  db.must("SELECT evercore_subscribe('p'), evercore_claim('p', 'w', 60)");
  db.must("SELECT evercore_ack('p', 1, 1); BEGIN");
  CHECK(db.must("SELECT evercore_restored()") == "1048577");
  CHECK(db.must("SELECT count(*) FROM evercore_fetch('p', 1)") == "0");
  CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "1");
  db.must("ROLLBACK; SELECT evercore_append(1, 1, 'E', '{}')");
  CHECK(db.must("SELECT position FROM evercore_fetch('p', 1)") == "2");
}

TEST_CASE("a subscription that would miss compacted events says so, unless that is meant") {
  Compacted db;
  for (const char* start : {"NULL", "'beginning'", "0", "2", "'2'", "'2026-01-01T00:00:00Z'",
                            "'2026-01-05T00:00:00Z'"}) {
    CAPTURE(start);
    CHECK(db.fails("SELECT evercore_subscribe('s', NULL, " + std::string(start) + ")") ==
          would_miss("s", 3));
  }
  for (const char* start : {"'end'", "3", "'2026-01-06T00:00:00Z'", "'kept'", "'kept beginning'",
                            "'kept 2'", "'kept 2026-01-01T00:00:00Z'", "'kept end'"}) {
    CAPTURE(start);
    CHECK(db.must("SELECT evercore_subscribe('s', NULL, " + std::string(start) + ")") == "s");
    db.must("SELECT evercore_unsubscribe('s')");
  }
  CHECK(db.fails("SELECT evercore_subscribe('s', NULL, 'kept ')").starts_with("EV009"));
  CHECK(db.fails("SELECT evercore_subscribe('s', NULL, 'kept kept')").starts_with("EV009"));
  CHECK(db.fails("SELECT evercore_subscribe('s', NULL, 'keptbeginning')").starts_with("EV009"));
  CHECK(db.must("SELECT count(*) FROM evercore_subscriptions") == "0");
}

TEST_CASE("only compacted events that pass the filter are missed") {
  Compacted db;
  const auto subscribe = [&](const std::string& filter) {
    return db.fails("SELECT evercore_subscribe('s', '" + filter +
                    "'); SELECT evercore_unsubscribe('s')");
  };
  CHECK(subscribe(R"({"event_types":["B"]})") == would_miss("s", 2));
  CHECK(subscribe(R"({"event_types":["A"]})") == would_miss("s", 3));
  CHECK(subscribe(R"({"aggregate_type":"T","natural_key":"a"})") == would_miss("s", 3));
  CHECK(subscribe(R"({"event_types":["C"]})").empty());
  CHECK(subscribe(R"({"aggregate_type":"Other"})").empty());
  CHECK(subscribe(R"({"aggregate_type":"T","natural_key":"b"})").empty());
  db.must("SELECT evercore_erase(1)");
  CHECK(subscribe("{}").empty());
}

TEST_CASE("a reset and a changed filter are looked at in the same way") {
  Compacted db;
  db.must(R"(SELECT evercore_subscribe('s', '{"event_types":["C"]}'))");
  db.must("SELECT evercore_reset('s', 'beginning')");
  CHECK(db.fails("SELECT evercore_subscribe('s')") == would_miss("s", 3));
  CHECK(db.fails(R"(SELECT evercore_subscribe('s', '{"event_types":["B"]}'))") ==
        would_miss("s", 2));
  db.must(R"(SELECT evercore_subscribe('s', '{"event_types":["C"]}'))");
  db.must(R"(SELECT evercore_subscribe('s', '{"event_types":["B"]}', 'kept'))");
  db.must(R"(SELECT evercore_subscribe('s', '{"event_types":["B"]}'))");  // it does not change
  CHECK(db.fails("SELECT evercore_reset('s', 1)") == would_miss("s", 2));
  db.must("SELECT evercore_reset('s', 'kept 1')");
  db.must("SELECT evercore_reset('s', 2)");
  db.must(R"(SELECT evercore_subscribe('s', '{"event_types":["C"]}', NULL, 2))");
  CHECK(db.fails("SELECT evercore_subscribe('s')") == would_miss("s", 3));
}

TEST_CASE("what an older schema compacted has an upper bound as its position") {
  Database db(":memory:", Database::Store::none);
  db.must("SELECT evercore_migrate()");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
      " ('T','a','A','{}'),('T','a','B','{}'),('T','b','A','{}'),('T','a','C','{}'),"
      "('T','b','A','{}')");
  db.must("SELECT evercore_compact(1, 1), evercore_compact(2, 0)");
  CHECK(db.must("SELECT aggregate_id, type_id, position FROM evercore_compacted_type") ==
        "1|1|1\n1|2|2\n2|1|5");
}

TEST_CASE("an erased aggregate is told, and does not keep a fold from being changed") {
  Compacted db;
  CHECK(db.must("SELECT aggregate_id, erased FROM evercore_aggregates") == "1|0\n2|0");
  CHECK(db.fails("SELECT evercore_event_type('A','patch')").starts_with("EV010"));
  db.must("SELECT evercore_erase(1)");
  CHECK(db.must("SELECT aggregate_id, erased FROM evercore_aggregates") == "1|1\n2|0");
  CHECK(db.must("SELECT evercore_event_type('A','patch')") == "A");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
}
