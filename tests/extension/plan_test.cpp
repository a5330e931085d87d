// What ANALYZE and PRAGMA optimize found when the store was another one changes no complexity.
#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "extension/counted.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

/// Every text that the extension prepares: they are literals, so the program holds them.
std::set<std::string> prepared_texts() {
  std::ifstream program("/proc/self/exe", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(program), {}};
  constexpr std::string_view carrier = "INSERT INTO main.evercore_append";
  std::set<std::string> texts;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\0', at), bytes.size());
    std::string text = bytes.substr(at, end - at);
    at = end + 1;
    // A front that the compiler keeps without its end runs into what stands behind it.
    if (text.starts_with(carrier) && text[carrier.size()] != ' ') text.erase(0, carrier.size());
    const bool is_statement = text.starts_with("SELECT ") || text.starts_with("INSERT ") ||
                              text.starts_with("UPDATE ") || text.starts_with("DELETE ");
    // The front of one, wherever the compiler cuts it.
    if (!is_statement || text.ends_with("(") || text.ends_with("_append")) continue;
    if (text.find("main.evercore_") != std::string::npos) texts.insert(text);
  }
  return texts;
}

/// What has to look at all there is: the check, the figures, the declarations of another fold and of a schema
/// of states, and the choice of the longest aggregates of a type.
bool looks_at_all(const std::string& text) {
  for (const char* part :
       {"SELECT (SELECT count(*) FROM main.evercore_aggregate)", "WHERE NOT EXISTS (SELECT 1 FROM",
        "WHERE aggregate_id <> 0 ORDER BY aggregate_id", "aggregate_id <> 0 AND NOT EXISTS",
        "aggregate_id = 0 AND (position < 1",
        "DELETE FROM main.evercore_snapshot WHERE application",
        "SELECT DISTINCT s.aggregate_id FROM main.evercore_snapshot",
        "FROM main.evercore_snapshot s CROSS JOIN main.evercore_aggregate a",
        "SELECT DISTINCT x.position FROM main.evercore_event_tag",
        "FROM main.evercore_event_tag x CROSS JOIN main.evercore_event e",
        "FROM main.evercore_event_id i LEFT JOIN", "SELECT i.event_id, i.aggregate_id, i.position",
        "SELECT min(aggregate_id) FROM (", " AS kept ", " AS unkept ",
        "FROM main.evercore_kept_state WHERE EXISTS",
        "SELECT EXISTS (SELECT 1 FROM main.evercore_event) OR",
        "main.evercore_event WHERE aggregate_id = ?1 ORDER BY sequence"}) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

/// The lines of a plan that walk the whole of a table that grows.
std::string walks(Database& db, const std::string& text) {
  std::set<std::string> growing;
  const std::regex named(
      R"(\b(?:main\.)?(evercore_(?:event|aggregate|event_id|snapshot|tag|event_tag|kept_state))\b(?: AS)?(?: (\w+))?)");
  for (std::sregex_iterator at(text.begin(), text.end(), named), end; at != end; ++at) {
    growing.insert((*at)[1].str());
    growing.insert("main." + (*at)[1].str());
    if ((*at)[2].matched && (*at)[2].str() != "WHERE") growing.insert((*at)[2].str());
  }
  Query plan(db.handle(), "EXPLAIN QUERY PLAN " + text);
  REQUIRE(plan.code() == SQLITE_OK);
  std::string found;
  const std::regex whole(R"((SCAN|SEARCH) (\S+)( USING (?:COVERING )?INDEX [^(]*)?)");
  while (plan.step() == SQLITE_ROW) {
    const std::string line = plan.text(3);
    std::smatch match;
    if (!std::regex_match(line, match, whole) || !growing.contains(match[2])) continue;
    if (match[1] == "SEARCH" && !match[3].matched) continue;  // an end of the table
    found += line + "\n";
  }
  return found;
}

/// Stores that were analyzed at some time, and one that never was.
struct Analyzed {
  const char* when;
  int events;
  int aggregates;
  const char* lie;
  const char* event_id = "NULL";
};

constexpr std::array analyzed{
    Analyzed{"never", 1, 1, "DROP TABLE IF EXISTS sqlite_stat1"},
    Analyzed{"at one event", 1, 1, "ANALYZE"},
    Analyzed{"at one event, by PRAGMA optimize", 1, 1, "PRAGMA optimize(0x10002)"},
    Analyzed{"at one event with an event_id", 1, 1, "ANALYZE", "'id' || i"},
    Analyzed{"at two events of one aggregate", 2, 1, "ANALYZE"},
    Analyzed{"at two events", 2, 2, "ANALYZE"},
    Analyzed{"at three events of one aggregate", 3, 1, "ANALYZE"},
    Analyzed{"at three events with event_ids", 3, 2, "ANALYZE", "'id' || i"},
    Analyzed{"at twenty events of one aggregate", 20, 1, "ANALYZE"},
    Analyzed{"at twenty events", 20, 20, "ANALYZE"},
    Analyzed{"at a billion events of ten aggregates", 20, 10,
             "ANALYZE; UPDATE sqlite_stat1 SET stat = '1000000000 100000000 1'"
             " WHERE idx IN ('evercore_event_sequence', 'evercore_aggregate_key');"
             "ANALYZE sqlite_schema"},
};

struct AnalyzedStore : Database {
  explicit AnalyzedStore(const Analyzed& how) {
    must(some(how.events, how.aggregates, 0, how.event_id));
    must("SELECT evercore_snapshot(1)");
    must(
        "SELECT evercore_subscribe('s', '{\"event_types\":[\"E\"]}'); SELECT evercore_claim('s', "
        "'w', 60)");
    must("CREATE INDEX evercore_event_by_type ON evercore_event (type_id, position)");
    must(how.lie);
    must("PRAGMA optimize(0x10002)");
  }
};

}  // namespace

TEST_CASE("no statement walks a table that grows, whatever ANALYZE found") {
  const std::set<std::string> texts = prepared_texts();
  REQUIRE(texts.size() > 60);
  for (const Analyzed& how : analyzed) {
    const std::string when = how.when;
    CAPTURE(when);
    AnalyzedStore db(how);
    db.must("SELECT evercore_append(1, NULL, 'E', '{}')");
    for (const std::string& text : texts) {
      if (looks_at_all(text)) continue;
      CAPTURE(text);
      CHECK(walks(db, text) == "");
    }
  }
}

TEST_CASE("the log, its readers and the aggregates cost what they did before ANALYZE") {
  const std::vector<std::string> texts = {
      "SELECT * FROM evercore_log ORDER BY position DESC LIMIT 100",
      "SELECT * FROM evercore_log ORDER BY position LIMIT 100",
      "SELECT * FROM evercore_log WHERE position > 5000 ORDER BY position LIMIT 100",
      "SELECT * FROM evercore_log WHERE position > 7900",
      "SELECT * FROM evercore_log WHERE position <= 1000 ORDER BY position DESC LIMIT 10",
      "SELECT * FROM evercore_log WHERE position BETWEEN 4000 AND 4010 ORDER BY position",
      "SELECT * FROM evercore_log WHERE position = 4000",
      "SELECT * FROM evercore_log WHERE aggregate_id = 7 ORDER BY sequence",
      "SELECT * FROM evercore_log WHERE aggregate_id = 7 AND sequence > 3 ORDER BY sequence",
      "SELECT * FROM evercore_log WHERE aggregate_id = 7 ORDER BY sequence DESC LIMIT 1",
      "SELECT max(sequence) FROM evercore_log WHERE aggregate_id = 7",
      "SELECT count(*) FROM evercore_log WHERE aggregate_id = 7",
      "SELECT * FROM evercore_log WHERE aggregate_type = 'T' AND natural_key = 'k7'",
      "SELECT * FROM evercore_log WHERE event_id = 'none'",
      "SELECT max(position) FROM evercore_log",
      "SELECT evercore_head()",
      "SELECT * FROM evercore_follow(4000, 10)",
      "SELECT position FROM evercore_follow(7990)",
      "SELECT * FROM evercore_follow(7000, 10, '{\"event_types\":[\"E\"]}')",
      "SELECT * FROM evercore_fetch('s', 1, 10)",
      "SELECT * FROM evercore_events(7)",
      "SELECT * FROM evercore_replay(7)",
      "SELECT evercore_state(7)",
      "SELECT evercore_find('T', 'k7')",
      "SELECT evercore_sequence(7, '2020-01-01')",
      "SELECT * FROM evercore_aggregates WHERE aggregate_id = 7",
      "SELECT * FROM evercore_aggregates WHERE aggregate_type = 'T' AND natural_key = 'k7'",
      "SELECT * FROM evercore_aggregates ORDER BY aggregate_id LIMIT 10",
      "SELECT evercore_unsubscribe('s'); SELECT evercore_compact(7, 1)",
      "SELECT evercore_unsubscribe('s'); SELECT evercore_erase(7)",
      "SELECT evercore_append(7, NULL, 'E', '{}')",
  };
  std::vector<std::int64_t> before;
  for (const Analyzed& how : analyzed) {
    const std::string when = how.when;
    CAPTURE(when);
    AnalyzedStore db(how);
    db.must(some(8020 - how.events, 400, how.events));
    db.must("SELECT evercore_ack('s', 1, 4000)");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      CAPTURE(texts[i]);
      const std::int64_t now = work(db, texts[i]);
      if (before.size() == i) before.push_back(now);
      CHECK(now <= before[i] + before[i] / 5 + 50);
    }
  }
}

TEST_CASE("who made or read the counts of a small store plans without them once it is written to") {
  const std::string by_row =
      "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 600)";
  const std::string read = "SELECT * FROM evercore_log; SELECT * FROM evercore_aggregates";
  const std::vector<std::string> writes = {
      some(600, 200, 1),
      "BEGIN; " + some(600, 200, 1) + "; COMMIT",
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
      " SELECT 'T', name, 'E', '{}' FROM people",
      "SELECT evercore_append_many((SELECT json_group_array(json_object('aggregate_type', 'T', "
      "'natural_key', 'k' ||"
      " (i % 200), 'events', json('[{\"event_type\":\"E\",\"data\":{}}]'))) FROM (" +
          by_row + " SELECT i FROM c)))",
      "SELECT evercore_append(1, NULL, 'E', '{}'); BEGIN; SELECT count(evercore_append("
      "evercore_ensure('T', 'k' || i % 200), NULL, 'E', '{}')) FROM (" +
          by_row + " SELECT i FROM c); COMMIT",
  };
  for (const std::string& write : writes) {
    CAPTURE(write);
    const Directory directory;
    const auto prepare = [&](Database& db) {
      db.must("CREATE TABLE people (name TEXT)");
      db.must("INSERT INTO people " + by_row + " SELECT 'k' || i % 200 FROM c");
      db.must(some(1, 1, 0, "'id' || i"));
    };
    Database never(directory.file("never"));
    prepare(never);
    never.must(write);
    const std::int64_t least = work(never, read);

    Database writer(directory.file("store"));
    prepare(writer);
    writer.must("ANALYZE");
    Database reader(directory.file("store"));
    reader.must(read);
    writer.must(write);
    writer.must("SELECT evercore_append(1, NULL, 'E', '{}')");  // when no table of others is open
    CHECK(work(writer, read) < least + least / 20);
    CHECK(work(reader, read) < least + least / 20);
    CHECK(writer.must("SELECT DISTINCT tbl FROM sqlite_stat1") == "people");
    CHECK(writer.must("SELECT count(*) FROM evercore_check()") == "0");
  }
}

TEST_CASE("a statement that runs goes on while the counts of a store are taken away") {
  for (const char* query :
       {"SELECT name, (SELECT max(q.name) FROM people q WHERE q.name <= p.name) FROM people p",
        "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT name FROM people",
        "VALUES (1), (2) UNION ALL SELECT position FROM evercore_event",
        "SELECT column1, CASE WHEN column1 = 3 THEN (SELECT count(*) FROM people) END"
        " FROM (VALUES (1), (2), (3))",
        "SELECT a FROM (SELECT 1 a UNION ALL SELECT 2) WHERE a < 2 OR EXISTS (SELECT 1 FROM "
        "people)"}) {
    CAPTURE(query);
    Database db;
    db.must(some(3, 3));
    db.must("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('a'), ('b'), ('c')");
    db.must("ANALYZE");
    Query waits(db.handle(), query);
    REQUIRE(waits.step() == SQLITE_ROW);
    db.must("SELECT evercore_append(1, NULL, 'E', '{}')");
    db.must("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}'); COMMIT");
    db.must(some(3, 3));
    int result = SQLITE_ROW;
    while (result == SQLITE_ROW) result = waits.step();
    CHECK(result == SQLITE_DONE);
    CHECK(db.must("SELECT count(*) FROM sqlite_stat1 WHERE tbl LIKE 'evercore%'") == "0");
  }
}

TEST_CASE("an INSERT that opens a table later on goes on, too") {
  for (const char* rows :
       {"VALUES ('U','a','E','{}'), ('U','b','E', (SELECT json_object('n', count(*)) FROM people))",
        "SELECT 'U','a','E','{}' UNION ALL SELECT 'U','b','E', (SELECT '{}' FROM people)",
        "SELECT 'U', 'k' || column1, 'E', CASE WHEN column1 = 3 THEN (SELECT '{}' FROM people) "
        "ELSE '{}' END"
        " FROM (VALUES (1), (2), (3))"}) {
    CAPTURE(rows);
    Database db;
    db.must(some(1, 1));
    db.must("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('a'); ANALYZE");
    CHECK(
        db.fails(std::string("INSERT INTO evercore_append (aggregate_type, natural_key, event_type,"
                             " data) ") +
                 rows) == "");
  }
}

TEST_CASE("counts that a rollback brought back are taken away by the next write") {
  const std::string good =
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type,"
      " data) VALUES ('T','k0','E','{}')";
  for (const std::string& undone :
       {good + ", ('T','k0','E','bad')", "BEGIN; " + good + ", ('T','k0','E','bad')",
        "SAVEPOINT s; " + good + "; ROLLBACK TO s; RELEASE s",
        "BEGIN IMMEDIATE; CREATE TABLE q (a); SAVEPOINT z; " + good + "; ROLLBACK TO z; COMMIT",
        std::string("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":"
                    "\"E\",\"data\":{}}]},{\"aggregate_id\":99,\"events\":[{\"event_type\":\"E\","
                    "\"data\":{}}]}]')")}) {
    CAPTURE(undone);
    Database db;
    db.must(some(1, 1));
    db.must("CREATE TABLE t (b); ANALYZE");
    static_cast<void>(db.run(undone));
    if (!db.autocommit()) db.must("COMMIT");
    db.must(good);
    CHECK(db.must("SELECT count(*) FROM sqlite_stat1 WHERE tbl LIKE 'evercore%'") == "0");
  }
}

TEST_CASE("counts that were made in the transaction of an append are taken away") {
  const std::string append = "SELECT evercore_append(1, NULL, 'E', '{}'); ";
  for (const std::string& transaction :
       {"BEGIN; ANALYZE; " + append + "COMMIT", "BEGIN; ANALYZE; " + append + append + "COMMIT",
        "SAVEPOINT s; ANALYZE; " + append + "RELEASE s",
        "BEGIN; ANALYZE; " + some(1, 1) + "; COMMIT",
        "BEGIN; " + append + append + "ANALYZE; " + append + "COMMIT",
        "BEGIN; " + append + append + "COMMIT; BEGIN; " + append + "ANALYZE; " + append +
            "COMMIT"}) {
    CAPTURE(transaction);
    const Directory directory;
    Database db(directory.file("store"));
    db.must("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('a')");
    db.must(some(1, 1));
    db.must(transaction);
    CHECK(db.must("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'people'") == "1");
    db.must(append);
    CHECK(db.must("SELECT count(*) FROM sqlite_stat1 WHERE tbl LIKE 'evercore%'") == "0");
  }
}

TEST_CASE("counts that were made between two appends of a transaction are not left behind") {
  const std::string append = "SELECT evercore_append(1, NULL, 'E', '{}'); ";
  const std::string many =
      "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
      "\"data\":{}}]}]'); ";
  for (const std::string& last : {append, many, some(3, 2) + "; "}) {
    for (const char* counting : {"ANALYZE; ", "SAVEPOINT s; ANALYZE; RELEASE s; "}) {
      CAPTURE(last);
      CAPTURE(counting);
      const Directory directory;
      Database db(directory.file("store"));
      db.must("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('a')");
      db.must(some(1, 1));
      db.must("BEGIN; " + append + append + counting + last + "COMMIT");
      CHECK(db.must("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'people'") == "1");
      CHECK(db.must("SELECT count(*) FROM sqlite_stat1 WHERE tbl LIKE 'evercore%'") == "0");
    }
  }
}

TEST_CASE(
    "a newest position that the transaction of an append damaged is refused in it and after") {
  const std::string damage =
      "INSERT INTO evercore_event (position, aggregate_id, sequence, type_id, event_time, data)"
      " VALUES (9223372036854775807, 1, 9, 1, 0, '{}')";
  const std::string append = "SELECT evercore_append(1, NULL, 'E', '{}')";
  const std::string refused =
      "EV010: the newest position is damaged: evercore_check() names the place";
  const Directory directory;
  Database db(directory.file("store"));
  db.must(some(1, 1));
  db.must(append + "; BEGIN; " + damage);
  CHECK(db.fails(append) == refused);
  db.must("ROLLBACK; BEGIN; " + append + "; " + append + "; " + damage + "; COMMIT");
  CHECK(db.fails(append) == refused);
}

TEST_CASE("counts that an authorizer keeps are no reason for an append to fail") {
  Database db;
  db.must(some(1, 1));
  db.must("ANALYZE");
  for (const int denied : {SQLITE_DELETE, SQLITE_CREATE_VIEW, SQLITE_DROP_VIEW, SQLITE_ANALYZE}) {
    CAPTURE(denied);
    int action = denied;
    sqlite3_set_authorizer(
        db.handle(),
        [](void* refused, int asked_for, const char* table, const char*, const char*, const char*) {
          const bool stat = table != nullptr && std::string(table) == "sqlite_stat1";
          const bool other = *static_cast<int*>(refused) != SQLITE_DELETE;
          return asked_for == *static_cast<int*>(refused) && (stat || other) ? SQLITE_DENY
                                                                             : SQLITE_OK;
        },
        &action);
    CHECK(db.run("SELECT evercore_append(1, NULL, 'E', '{}')").ok());
    CHECK(db.run("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}'); COMMIT").ok());
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    db.must("ANALYZE");
  }
  CHECK(db.events() == 9);
}

TEST_CASE("where an index that a statement names is gone, the error says what brings it back") {
  for (const char* spoilt :
       {"DROP INDEX evercore_event_sequence",
        "DROP INDEX evercore_event_sequence; CREATE UNIQUE INDEX evercore_event_sequence"
        " ON evercore_event (aggregate_id, sequence) WHERE aggregate_id > 0"}) {
    CAPTURE(spoilt);
    Database db;
    db.must(some(3, 1));
    db.must(spoilt);
    const std::string said = db.fails("SELECT evercore_state(1)");
    CHECK(said.starts_with("EV010: "));
    CHECK(said.find("evercore_migrate() makes it") != std::string::npos);
    CHECK(db.fails("SELECT * FROM evercore_events(1)") == said);
    CHECK(db.must("SELECT problem FROM evercore_check()").find("evercore_event_sequence") !=
          std::string::npos);
    CHECK(db.events() == 3);
    db.must("SELECT evercore_migrate()");
    CHECK(db.must("SELECT evercore_state(1)") == "{\"m\":1}");
  }
}
