// A restored copy goes on beyond what was given and lost, in one file; tests/surface/kept.sql has the rest.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

constexpr const char* jump = "1048576";

void copy_over(sqlite3* to, sqlite3* from) {
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
  REQUIRE(backup != nullptr);
  CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
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

TEST_CASE("an older copy put under an open connection is not passed by what a fetch saw before") {
  Database db;
  const std::string append = "SELECT evercore_append(evercore_ensure('T','a'), NULL, ";
  db.must(append + "'E', '{}')");
  db.must(
      "SELECT evercore_subscribe('p', '{\"event_types\":[\"Other\"]}'), evercore_claim('p', 'w', "
      "60)");
  sqlite3* copy = nullptr;
  REQUIRE(sqlite3_open(":memory:", &copy) == SQLITE_OK);
  copy_over(copy, db.handle());
  const std::string fetched = "SELECT group_concat(position) FROM evercore_fetch('p', 1)";
  CHECK(db.must(fetched) == "NULL");
  CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "1");
  db.must(append + "'E', '{}')");
  CHECK(db.must(fetched) == "NULL");
  copy_over(db.handle(), copy);
  CHECK(sqlite3_close(copy) == SQLITE_OK);
  for (int i = 0; i < 2; ++i) db.must(append + "'Other', '{}')");
  CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "0");
  CHECK(db.must(fetched) == "2,3");
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

TEST_CASE(
    "a compaction and what follows it in its transaction agree, and a rollback takes back both") {
  Database db;
  for (int i = 0; i < 30; ++i) {
    db.must("SELECT evercore_append(evercore_ensure('T','k" + std::to_string(i % 3) +
            "'), NULL, 'E', '{}')");
  }
  db.must("SELECT evercore_subscribe('p'), evercore_claim('p', 'w', 60)");
  db.must("SELECT evercore_ack('p', 1, 20); BEGIN");
  CHECK(db.must("SELECT evercore_compact(1, 5)") == "5");
  CHECK(db.must("SELECT count(*) FROM evercore_follow(0)") == "25");
  CHECK(db.must("SELECT count(*) FROM evercore_fetch('p', 1)") == "10");
  CHECK(db.fails("SELECT evercore_compact(1, 0)").starts_with("EV010: "));
  CHECK(db.must("SELECT min(position), count(*) FROM evercore_fetch('p', 1)") == "21|10");
  db.must("ROLLBACK");
  CHECK(db.must("SELECT count(*) FROM evercore_follow(0)") == "30");
  CHECK(db.must("SELECT count(*) FROM evercore_fetch('p', 1)") == "10");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
}

TEST_CASE("what an older schema compacted has an upper bound as its position") {
  Database db(":memory:", Database::Store::none);
  db.must("SELECT evercore_migrate()");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
      " ('T','a','A','{}'),('T','a','B','{}'),('T','b','A','{}'),('T','a','C','{}'),"
      "('T','b','A','{}')");
  db.must("SELECT evercore_compact(1, 1), evercore_compact(2, 0)");
  CHECK(db.must(
            "SELECT aggregate_id, type_id, position FROM evercore_compacted_type ORDER BY 1, 2") ==
        "1|1|1\n1|2|2\n2|1|5");
}

TEST_CASE("one fetch goes over what evercore_restored leaves out") {
  Database db;
  db.must("SELECT evercore_subscribe('s', '{\"event_types\":[\"E\"]}')");
  const std::string token = db.must("SELECT evercore_claim('s', 'w', 60)");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
      "('T','a','Other','{}')");
  db.must("SELECT evercore_restored(), evercore_restored()");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
      "('T','a','E','{}')");
  CHECK(db.must("SELECT position FROM evercore_fetch('s', " + token + ")") == "2097154");
}

TEST_CASE("a fetch goes over so many gaps and no more, and the next one goes on behind them") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  db.must("SELECT evercore_subscribe('s', '{\"event_types\":[\"E\"]}')");
  const std::string token = db.must("SELECT evercore_claim('s', 'w', 60)");
  db.must("BEGIN");
  for (int gap = 0; gap < 70; ++gap) {
    db.must("SELECT evercore_append(1, NULL, 'Other', '{}'); SELECT evercore_restored()");
  }
  db.must("SELECT evercore_append(1, NULL, 'E', '{}'); COMMIT");
  const std::string newest = db.must("SELECT max(position) FROM evercore_log");
  const std::string fetch = "SELECT position FROM evercore_fetch('s', " + token + ")";
  CHECK(db.must(fetch).empty());
  CHECK(db.must(fetch) == newest);
}
