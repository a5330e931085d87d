// What is asked for by position, type or sequence is found, not looked for: steps are counted.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

constexpr int event_count = 20000;

struct Store : Database {
  Store() {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
        " WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(event_count - 1) +
        ") SELECT 'T', i % 100, CASE WHEN i % 5000 = 4999 THEN 'Rare' ELSE 'E' END, '{}' FROM n");
  }

  /// The steps of SQLite's machine that the statement takes, those of statements within included.
  int steps(const std::string& sql) {
    int count = 0;
    sqlite3_progress_handler(
        handle(), 1,
        [](void* counted) {
          ++*static_cast<int*>(counted);
          return 0;
        },
        &count);
    must(sql);
    sqlite3_progress_handler(handle(), 0, nullptr, nullptr);
    return count;
  }
};

}  // namespace

TEST_CASE("the log by bounds on position is a range, with statistics and without") {
  Store db;
  for (const char* prepare : {"SELECT 1", "ANALYZE"}) {
    CAPTURE(prepare);
    db.must(prepare);
    CHECK(db.steps("SELECT * FROM evercore_log WHERE position <= 1000"
                   " ORDER BY position DESC LIMIT 10") < 2000);
    CHECK(db.steps("SELECT * FROM evercore_log WHERE position > 500 AND position <= 510"
                   " ORDER BY position") < 2000);
    CHECK(db.steps("SELECT max(position) FROM evercore_log WHERE position <= 700") < 1000);
    CHECK(db.steps("SELECT * FROM evercore_log ORDER BY position DESC LIMIT 1") < 1000);
    CHECK(db.steps("SELECT evercore_head()") < 1000);
  }
}

TEST_CASE("an INSERT that reads the log ends") {
  Store db;
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data)"
      " SELECT 1, 'Copy', data FROM evercore_log WHERE position > 19000");
  CHECK(db.must("SELECT count(*) FROM evercore_log WHERE event_type = 'Copy'") == "1000");
  db.must(
      "INSERT INTO evercore_append (aggregate_id, event_type, data)"
      " SELECT 1, 'Again', data FROM evercore_log WHERE event_type = 'Copy'"
      " ORDER BY position DESC");
  CHECK(db.must("SELECT count(*) FROM evercore_log WHERE event_type = 'Again'") == "1000");
}

TEST_CASE("a follower by event type takes the index, and an upper bound ends the scan") {
  Store db;
  const std::string rare =
      "SELECT group_concat(position) FROM evercore_follow(0, NULL, '{\"event_types\":[\"Rare\"";
  CHECK(db.must(rare + "]}')") == "5000,10000,15000,20000");
  CHECK(db.steps(rare + "]}', 100)") < 10000);
  CHECK(db.must("SELECT count(*) FROM evercore_follow(0, NULL,"
                " CAST('{\"event_types\":[\"Rare\"]}' AS BLOB))") == "4");
  db.must("CREATE INDEX by_type ON evercore_event (type_id, position)");
  for (const char* prepare : {"SELECT 1", "ANALYZE"}) {
    CAPTURE(prepare);
    db.must(prepare);
    CHECK(db.must(rare + "]}')") == "5000,10000,15000,20000");  // prepares anew what it needs
    CHECK(db.steps(rare + "]}')") < 2000);
    CHECK(db.must(rare + ",\"None\"]}', 15000)") == "5000,10000,15000");
    CHECK(db.must("SELECT count(*) FROM evercore_follow(4990, 20,"
                  " '{\"event_types\":[\"Rare\",\"E\"]}')") == "20");
  }
}

TEST_CASE("the last events of an aggregate are found from its end") {
  Store db;
  const std::string last = "SELECT group_concat(sequence) FROM evercore_events(1, NULL, -3";
  CHECK(db.must(last + ")") == "200,199,198");
  CHECK(db.must(last + ", 100)") == "100,99,98");
  CHECK(db.steps(last + ")") < 1000);
  CHECK(db.must("SELECT group_concat(sequence) FROM (SELECT sequence FROM"
                " evercore_events(1, NULL, -3) ORDER BY sequence)") == "198,199,200");
  CHECK(db.steps("SELECT sequence FROM evercore_events(1, NULL, -3) ORDER BY sequence") < 1000);
}

TEST_CASE("rows that are read backward fail where the aggregate is compacted meanwhile") {
  Store db;
  Query query(db.handle(), "SELECT sequence FROM evercore_events(1, NULL, -10)");
  REQUIRE(query.step() == SQLITE_ROW);
  db.must("SELECT evercore_compact(1, 3)");
  int rc = SQLITE_ROW;
  while (rc == SQLITE_ROW) rc = query.step();
  CHECK(std::string(sqlite3_errmsg(db.handle())) ==
        "EV010: aggregate 1 was compacted or erased while it was read: read it again");
}
