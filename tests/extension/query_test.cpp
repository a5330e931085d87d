// Queries and conditions: found by an index from any position, and admitted as some order would.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// `count` events of type E, each with the tag "all" and every hundredth with "rare" too.
std::string events(int count, const std::string& tags) {
  return "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags)"
         " WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < " +
         std::to_string(count) + ") SELECT 'T', 'k' || (i % 10), 'E', '{}', " + tags + " FROM c";
}

int asked(void* count) {
  ++*static_cast<std::int64_t*>(count);
  return 0;
}
/// The steps of SQLite's programs, those within included, of a statement that has run before.
std::int64_t steps(Database& db, const std::string& sql) {
  db.run(sql);
  std::int64_t count = 0;
  sqlite3_progress_handler(db.handle(), 1, asked, &count);
  db.run(sql);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  return count;
}

std::string conditional(const std::string& condition, const std::string& after) {
  return "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"Mark\","
         "\"data\":{},\"tags\":[\"rare\"]}]}]', '" +
         condition + "', " + after + ")";
}

}  // namespace

TEST_CASE("what a query costs depends on what matches, not on how long the log is") {
  for (const char* query :
       {R"([{"tags":["rare"]}])", R"([{"tags":["all","rare"]}])", R"([{"tags":["rare","all"]}])",
        R"([{"types":["F"],"tags":["all"]}])", R"([{"types":["Rare"]}])",
        R"([{"types":["Rare"]},{"tags":["rare"]}])"}) {
    CAPTURE(query);
    std::int64_t cost[2];
    for (const int long_log : {0, 1}) {
      Database db;
      db.must("SELECT evercore_index_types()");
      db.must(events(long_log == 0 ? 20 : 2000, "'[\"all\"]'"));
      db.must(
          "INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES"
          " (1, 'Rare', '{}', '[\"all\",\"rare\"]'), (1, 'F', '{}', '[\"all\"]')");
      db.must(events(long_log == 0 ? 20 : 2000, "'[\"all\"]'"));
      cost[long_log] =
          steps(db, std::string("SELECT count(*) FROM evercore_query('") + query + "')");
      const std::int64_t refused = steps(db, conditional(query, "0"));
      cost[long_log] += refused;
    }
    // The seeks meet deeper trees, and no more than that.
    CHECK(cost[1] < cost[0] * 2);
  }
}

TEST_CASE("a query from a late position does not walk what lies before it") {
  Database db;
  db.must("SELECT evercore_index_types()");
  db.must(events(3000, "'[\"all\",\"t' || (i % 3) || '\"]'"));
  const std::string late = "', 2990)";
  for (const char* query :
       {R"([{"tags":["all"]}])", R"([{"tags":["all","t1"]}])", R"([{"types":["E"]}])", "[]"}) {
    CAPTURE(query);
    const std::string text = std::string("SELECT count(*) FROM evercore_query('") + query;
    CHECK(db.must(text + "')").size() == 4);
    CHECK(steps(db, text + late) * 20 < steps(db, text + "')"));
  }
}

TEST_CASE(
    "an empty condition and one without tags are found by an index in a store that is indexed") {
  Database db;
  CHECK(db.fails("SELECT evercore_append_many('[]', '[]', 0)") ==
        "EV010: a condition without tags needs the index by type: SELECT evercore_index_types()");
  CHECK(db.must(
            "SELECT evercore_index_types(), evercore_index_types(1), evercore_index_types(NULL)") ==
        "1|1|1");
  CHECK(db.must("SELECT sql FROM sqlite_schema WHERE name = 'evercore_event_by_type'") ==
        "CREATE INDEX evercore_event_by_type ON evercore_event (type_id)");
  CHECK(db.must("SELECT evercore_append_many('[]', '[]', 0)") == "[]");
  db.must("SELECT evercore_migrate()");
  CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  db.must("BEGIN; SELECT evercore_index_types(0); ROLLBACK");
  CHECK(db.must("SELECT evercore_append_many('[]', '[{\"types\":[\"E\"]}]', 0)") == "[]");
  CHECK(db.must("SELECT evercore_index_types(0), evercore_index_types(0)") == "0|0");
  CHECK(db.fails("SELECT evercore_append_many('[]', '[{\"types\":[\"E\"]}]', 0)")
            .starts_with("EV010: a condition without tags"));
  // A kept statement by that index does not outlive it.
  CHECK(db.must("SELECT count(*) FROM evercore_query('[{\"types\":[\"E\"]}]')") == "0");
}

TEST_CASE("a filter by tags is found by their index, and a fetch gives what a follower reads") {
  std::int64_t cost[2];
  for (const int long_log : {0, 1}) {
    Database db;
    db.must(events(long_log == 0 ? 20 : 2000, "'[\"all\"]'"));
    db.must(
        "INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES"
        " (1, 'Rare', '{}', '[\"all\",\"rare\"]'), (2, 'F', '{}', '[\"rare\",\"all\"]'),"
        " (1, 'F', '{}', '[\"rare\"]')");
    db.must(events(long_log == 0 ? 20 : 2000, "NULL"));
    const std::string filter = R"({"tags":["all","rare"]})";
    db.must("SELECT evercore_subscribe('s', '" + filter + "'), evercore_claim('s', 'w', 60)");
    const std::string followed =
        "SELECT group_concat(event_type) FROM evercore_follow(0, NULL, '" + filter + "')";
    CHECK(db.must(followed) == "Rare,F");
    CHECK(db.must("SELECT group_concat(event_type) FROM evercore_fetch('s', 1)") == "Rare,F");
    CHECK(db.must("SELECT lag_events FROM evercore_subscriptions") == "2");
    cost[long_log] = steps(db, followed);
    cost[long_log] += steps(db, "SELECT count(*) FROM evercore_fetch('s', 1)");
  }
  CHECK(cost[1] < cost[0] * 2);
}

TEST_CASE("of two connections that decide from one query the second is refused") {
  const Directory directory;
  Database one(directory.file("s.db"));
  one.must("PRAGMA journal_mode = WAL");
  one.must("SELECT evercore_ensure('T', 'a')");
  Database other(directory.file("s.db"));
  const std::string query = R"([{"types":["Mark"],"tags":["rare"]}])";
  const std::string read = "SELECT coalesce(max(position), 0) FROM evercore_query('" + query + "')";
  for (int round = 0; round < 3; ++round) {
    const std::string seen = one.must(read);
    CHECK(other.must(read) == seen);
    Database& first = round % 2 == 0 ? one : other;
    Database& second = round % 2 == 0 ? other : one;
    first.must(conditional(query, seen));
    const Outcome refused = second.run(conditional(query, seen));
    CHECK(refused.code == SQLITE_CONSTRAINT_FUNCTION);
    CHECK(refused.says("EV001: conflict: event " + std::to_string(round + 1) +
                       " (Mark) matches the condition"));
  }
  CHECK(one.must("SELECT count(*) FROM evercore_log") == "3");
}

TEST_CASE("a condition counts what its own transaction appended, and so does a query") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  const std::string query = R"([{"tags":["rare"]}])";
  db.must("BEGIN IMMEDIATE");
  db.must(conditional(query, "0"));
  CHECK(db.fails(conditional(query, "0")).starts_with("EV001: conflict: event 1 (Mark)"));
  CHECK(db.must("SELECT max(position) FROM evercore_query('" + query + "')") == "1");
  db.must(conditional(query, "1"));
  db.must("COMMIT");
  CHECK(db.must("SELECT count(*) FROM evercore_query('" + query + "')") == "2");
}

TEST_CASE("a position that was never given is EV009 in a condition, of the first item at fault") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  db.must(conditional(R"([{"tags":["x"]}])", "0"));
  CHECK(db.fails(conditional(R"([{"tags":["x"]},{"tags":["x"],"after":2}])", "0")) ==
        "EV009: condition: /1/after: out of range");
  CHECK(db.fails(conditional(R"([{"tags":["x"]}])", "2")) == "EV009: after is out of range: 2");
  CHECK(db.fails(conditional(R"([{"tags":["x"],"after":1e19}])", "0")) ==
        "EV009: condition: /0/after: not an integer");
  db.must(conditional(R"([{"tags":["x"],"after":10e-1}])", "'1'"));
  CHECK(db.must("SELECT count(*) FROM evercore_log") == "2");
}

TEST_CASE("a refused condition leaves nothing, whatever the call would have made") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  db.must(conditional(R"([{"tags":["x"]}])", "0"));
  for (const char* extra : {"", ",\"expected\":0", ",\"repeats\":\"skip\""}) {
    CAPTURE(extra);
    const std::string call =
        std::string(
            "SELECT evercore_append_many('[{\"aggregate_type\":\"New\",\"natural_key\":\"n\"") +
        extra +
        ",\"events\":[{\"event_type\":\"N\",\"data\":{},\"tags\":[\"new\"]},{\"event_type\":\"N\","
        "\"data\":{},\"event_id\":\"n\"}]}]', '[{\"tags\":[\"rare\"]}]')";
    CHECK(db.fails(call).starts_with("EV001: conflict: event 1 (Mark)"));
  }
  CHECK(db.must("SELECT (SELECT count(*) FROM evercore_event), (SELECT count(*) FROM "
                "evercore_aggregate), (SELECT count(*) FROM evercore_event_type), (SELECT count(*) "
                "FROM evercore_tag)") == "1|1|1|1");
}

TEST_CASE("what compaction removed is remembered of a store that compacted before") {
  Database db;
  db.must("SELECT evercore_migrate(3)");
  db.must(
      "INSERT INTO evercore_event_type (name) VALUES ('Old'), ('Older');"
      "INSERT INTO evercore_aggregate_type (name) VALUES ('T');"
      "INSERT INTO evercore_aggregate (type_id) VALUES (1), (1);"
      "INSERT INTO evercore_event VALUES (9, 0, 9, 0, 0, NULL, NULL, NULL, NULL, NULL);"
      "INSERT INTO evercore_compacted_type VALUES (1, 1, 5), (2, 1, 7), (2, 2, 3)");
  db.must("SELECT evercore_migrate()");
  const auto query = [&](const std::string& text, int after) {
    return "SELECT count(*) FROM evercore_query('" + text + "', " + std::to_string(after) + ")";
  };
  CHECK(db.fails(query(R"([{"types":["Old"]}])", 6)) ==
        "EV010: events of \"Old\" up to 7 were compacted");
  CHECK(db.must(query(R"([{"types":["Old"]}])", 7)) == "0");
  CHECK(db.fails(query(R"([{"types":["Never","Older","Old"]}])", 2)) ==
        "EV010: events of \"Older\" up to 3 were compacted");
  CHECK(db.fails(query("[]", 2)) == "EV010: events of \"Old\" up to 7 were compacted");
  CHECK(db.must(query(R"([{"types":["Old"],"tags":["x"]},{"types":["Older"]}])", 3)) == "0");
}

TEST_CASE("what compaction removed stays known, and check says where it does not") {
  Database db;
  db.must("SELECT evercore_index_types()");
  db.must(
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
      " ('T','a','G','{}'),('T','a','G','{}'),('T','a','H','{}')");
  db.must("SELECT evercore_compact(1, 1)");
  const std::string condition = "SELECT evercore_append_many('[]', '[{\"types\":[\"G\"]}]', 0)";
  const std::string refusal = "EV010: events of \"G\" up to 2 were compacted";
  CHECK(db.fails(condition) == refusal);
  const std::string stays = "EV010: what was compacted stays known";
  CHECK(db.fails("DELETE FROM evercore_compacted_type") == stays);
  CHECK(db.fails("UPDATE evercore_compacted_type SET position = 0") == stays);
  CHECK(db.fails("UPDATE evercore_compacted_type SET type_id = 7") == stays);
  CHECK(db.fails("INSERT INTO evercore_compacted_type VALUES (1, 1, 0)"
                 " ON CONFLICT DO UPDATE SET position = excluded.position") == stays);
  CHECK(db.fails("REPLACE INTO evercore_compacted_type VALUES (1, 1, 0)").find("EV010") !=
        std::string::npos);
  CHECK(db.fails(condition) == refusal);
  CHECK(db.must("SELECT evercore_append(1, 3, 'G', '{}'); SELECT evercore_compact(1, 1)") ==
        "4\n1");  // its own writes pass
  CHECK(db.must("SELECT * FROM evercore_check()").empty());
  db.must(
      "INSERT INTO _evercore_maintenance VALUES ('t'); DELETE FROM evercore_compacted_type;"
      " DELETE FROM _evercore_maintenance");
  CHECK(db.must("SELECT * FROM evercore_check()") ==
        "1|NULL|what was compacted of it is not known");
}

TEST_CASE("a negative position is before the first, and nothing was compacted there") {
  Database db;
  CHECK(db.must("SELECT count(*) FROM evercore_query('[{\"types\":[\"E\"]}]', -1)") == "0");
  db.must("SELECT evercore_append(evercore_ensure('T','a'), 0, 'E', '{}')");
  for (const char* query : {"[]", "[{\"types\":[\"E\"]}]"}) {
    CHECK(db.must(std::string("SELECT position FROM evercore_query('") + query + "', -1)") == "1");
  }
}

TEST_CASE("an index of the name that is another one serves no condition, and that is said") {
  for (const char* index :
       {"CREATE INDEX evercore_event_by_type ON evercore_event (type_id, sequence)",
        "CREATE INDEX evercore_event_by_type ON evercore_event (type_id) WHERE position > 3",
        "CREATE INDEX evercore_event_by_type ON evercore_aggregate (type_id)"}) {
    CAPTURE(index);
    Database db;
    db.must(index);
    CHECK(db.fails("SELECT evercore_index_types()") ==
          "EV010: index evercore_event_by_type is another one: SELECT evercore_index_types(0) "
          "drops it");
    CHECK(db.must("SELECT * FROM evercore_check()") ==
          "NULL|NULL|index evercore_event_by_type is different");
    db.must("SELECT evercore_index_types(0); SELECT evercore_index_types()");
    CHECK(db.must("SELECT * FROM evercore_check()").empty());
    CHECK(db.must("SELECT evercore_append_many('[]', '[{\"types\":[\"E\"]}]', 0)") == "[]");
  }
}

TEST_CASE("many types, tags and items give each event once and in order") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  std::string all = "[";
  for (int i = 0; i < 90; ++i) {
    db.must("SELECT evercore_append(1, NULL, 'E" + std::to_string(i % 7) +
            "', '{}', NULL, NULL, NULL, NULL, '[\"a" + std::to_string(i % 5) + "\",\"b" +
            std::to_string(i % 3) + "\"]')");
    all += (i == 0 ? "" : ",") + std::string("{\"tags\":[\"a") + std::to_string(i % 5) + "\",\"b" +
           std::to_string(i % 3) + "\"]}";
  }
  all += "]";
  CHECK(db.must("SELECT group_concat(position) = (SELECT group_concat(position) FROM evercore_log)"
                " FROM evercore_query('" +
                all + "')") == "1");
  CHECK(
      db.must("SELECT count(*), min(position), max(position) FROM evercore_query("
              "'[{\"types\":[\"E1\",\"E2\",\"E3\"],\"tags\":[\"a1\",\"b2\"]}]')") ==
      db.must("SELECT count(*), min(position), max(position) FROM evercore_log WHERE event_type IN "
              "('E1', 'E2', 'E3') AND tags = '[\"a1\",\"b2\"]'"));
}

TEST_CASE("more types under one tag than are walked at once come in order too") {
  Database db;
  db.must("SELECT evercore_ensure('T', 'a')");
  for (int i = 0; i < 80; ++i) {
    db.must("SELECT evercore_append(1, NULL, 'E" + std::to_string(i * 7 % 20) +
            "', '{}', NULL, NULL, NULL, NULL, '[\"" + (i % 3 == 2 ? "other" : "x") + "\"]')");
  }
  const std::string positions = "SELECT group_concat(position) FROM ";
  CHECK(db.must(positions + "evercore_query('[{\"tags\":[\"x\"]}]')") ==
        db.must(positions + "evercore_log WHERE tags = '[\"x\"]'"));
  CHECK(db.must(positions + "evercore_query('[{\"tags\":[\"x\"]}]', 30, 9)") ==
        db.must(positions + "(SELECT position FROM evercore_log WHERE tags = '[\"x\"]'"
                            " AND position > 30 LIMIT 9)"));
}
