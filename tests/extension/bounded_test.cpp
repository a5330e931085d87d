// What is asked for by position, type or sequence is found, not looked for: steps are counted.
#include <doctest/doctest.h>

#include <string>

#include "extension/counted.h"
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

namespace {

/// 250,000 events, the last of which is the only one of its type.
struct RareEvent : Database {
  explicit RareEvent(const std::string& path = ":memory:") : Database(path) {
    must(some(1, 1));
    must(
        "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
        " WITH RECURSIVE c (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 249999)"
        " SELECT 1, i, 1, 0, '{}' FROM c");
    must("SELECT evercore_append(1, 249999, 'Rare', '{}')");
  }
  std::int64_t fetched(const std::string& name, const std::string& token = "1") {
    std::int64_t count = 0;
    sqlite3_progress_handler(handle(), 1, asked, &count);
    rows = must("SELECT position FROM evercore_fetch('" + name + "', " + token + ")");
    sqlite3_progress_handler(handle(), 0, nullptr, nullptr);
    return count;
  }
  std::string rows;
};

}  // namespace

TEST_CASE("a fetch of a rare event works in bounded steps, and goes on where the last one ended") {
  for (const char* filter :
       {"{\"event_types\":[\"Rare\"]}", "{\"aggregate_type\":\"T\",\"event_types\":[\"Rare\"]}",
        "{\"aggregate_type\":\"T\",\"natural_key\":\"k0\",\"event_types\":[\"Rare\"]}"}) {
    const std::string name = filter;
    CAPTURE(name);
    RareEvent db;
    db.must("SELECT evercore_subscribe('s', '" + name + "'); SELECT evercore_claim('s', 'w', 60)");
    const std::int64_t first = db.fetched("s");
    CHECK(first > 100000);
    CHECK(db.rows.empty());
    CHECK(db.fetched("s") < first + first / 5);  // without an ack
    CHECK(db.rows.empty());
    CHECK(db.must("SELECT evercore_ack('s', 1, NULL)") == "200000");
    CHECK(db.fetched("s") < first);
    CHECK(db.rows == "250000");
    CHECK(db.must("SELECT evercore_ack('s', 1, 250000)") == "250000");
  }
}

TEST_CASE(
    "what a fetch has looked at is kept by a release, and positions without an event are no work") {
  RareEvent db;
  db.must("SELECT evercore_restored()");
  db.must("SELECT evercore_append(1, NULL, 'Late', '{}')");
  db.must("SELECT evercore_subscribe('s', '{\"event_types\":[\"Late\"]}')");
  std::string token = db.must("SELECT evercore_claim('s', 'w', 60)");
  static_cast<void>(db.fetched("s", token));
  db.must("SELECT evercore_release('s', " + token + ")");
  CHECK(db.must("SELECT position, owner FROM evercore_subscriptions") == "100000|NULL");
  token = db.must("SELECT evercore_claim('s', 'w', 60)");
  int empty = 0;
  for (; empty < 10; ++empty) {
    static_cast<void>(db.fetched("s", token));
    if (!db.rows.empty()) break;
    db.must("SELECT evercore_ack('s', " + token + ", NULL)");
  }
  CHECK(empty == 1);
}

TEST_CASE("a type is compacted without a closer look at aggregates that have nothing to remove") {
  Database few;
  few.must(some(400, 200));
  Database many;
  many.must(some(4000, 2000));
  const std::int64_t before = work(few, "SELECT evercore_compact_type('T', 2)");
  CHECK(work(many, "SELECT evercore_compact_type('T', 2)") < 14 * before);
  const std::int64_t looked = work(many, "SELECT evercore_compact_type('T', 2)");
  CHECK(looked < 2000 * 40);
}

TEST_CASE("a filter of more types than are merged gives their events in order") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a'), evercore_index_types()");
  std::string types;
  for (int i = 0; i < 66; ++i) {
    if (i > 0) types += (i > 1 ? ",\"E" : "\"E") + std::to_string(i) + "\"";
    db.must("SELECT evercore_append(1, NULL, 'E" + std::to_string(65 - i) + "', '{}')");
  }
  db.must("SELECT evercore_subscribe('s', '{\"event_types\":[" + types + "]}')");
  db.must("SELECT evercore_claim('s', 'w', 60)");
  CHECK(db.must("SELECT group_concat(position) = (SELECT group_concat(position) FROM evercore_log"
                " WHERE event_type <> 'E0') FROM evercore_fetch('s', 1)") == "1");
  CHECK(db.must("SELECT count(*) FROM evercore_fetch('s', 1)") == "65");
}
