// Declared tags: every connection derives what the store declares, whatever was rolled back, and old events
// get what they lack, whole or not at all.
#include <doctest/doctest.h>

#include <string>

#include "extension/tagged_store.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

std::string declare(const std::string& tags, const std::string& type = "E") {
  return "SELECT evercore_event_type('" + type + "', NULL, '{\"tags\":" + tags + "}')";
}

const std::string by_c = declare("{\"c\":\"/c\"}");

std::string append(const std::string& data, const std::string& type = "E") {
  return "SELECT evercore_append(1, NULL, '" + type + "', '" + data + "')";
}

struct Store : TaggedStore {
  using TaggedStore::TaggedStore;
  std::string tags() {
    return must(
        "SELECT coalesce(group_concat(position || coalesce(tags, '-') || coalesce(declared_tags, "
        "''),"
        " ' '), '') FROM (SELECT * FROM evercore_event WHERE aggregate_id <> 0 ORDER BY position)");
  }
  /// So many events of E in three calls, and how many are left after the declaration of c.
  std::string unfilled(int events) {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(events) +
        ") SELECT 'T', 'k' || (i % 50), 'E', '{\"c\":' || i || '}' FROM n");
    must(by_c);
    return must("SELECT unfilled FROM evercore_event_type WHERE name = 'E'");
  }
};

}  // namespace

TEST_CASE("a declaration that is taken back is not derived from any more") {
  Store db;
  db.must("BEGIN; SAVEPOINT s");
  db.must(by_c);
  db.must(append("{\"c\":\"1\"}"));
  CHECK(db.tags() == "1[\"c:1\"]1");
  SUBCASE("by a savepoint") {
    db.must("ROLLBACK TO s");
  }
  SUBCASE("by a rollback") {
    db.must("ROLLBACK; BEGIN");
  }
  SUBCASE("by a call that fails") {
    db.must("ROLLBACK TO s");
    db.must(append("{\"d\":[1]}") + "; SAVEPOINT t");
    CHECK(db.fails(declare("{\"d\":\"/d\",\"" + std::string(254, 'x') + "\":\"/d/0\"}"))
              .find("EV009: event 1: tag is longer") == 0);
    db.must("ROLLBACK TO s");
  }
  db.must(append("{\"c\":\"2\",\"d\":\"2\"}"));
  db.must("COMMIT");
  db.must(append("{\"c\":\"3\"}"));
  CHECK(db.tags() == "1- 2-");
  db.must(by_c);
  CHECK(db.tags() == "1[\"c:2\"]1 2[\"c:3\"]1");
  CHECK(db.problems() == "");
}

TEST_CASE("a declaration taken back is the one before it again") {
  Store db;
  db.must(by_c);
  db.must("BEGIN");
  db.must(declare("{\"d\":\"/d\"}"));
  db.must(append("{\"c\":1,\"d\":1}"));
  db.must("ROLLBACK");
  db.must(append("{\"c\":1,\"d\":1}"));
  CHECK(db.tags() == "1[\"c:1\"]1");
}

TEST_CASE("what another connection declares is derived by this one, in every form of append") {
  const Directory directory;
  Store db(directory.file("s.db"));
  Database other(directory.file("s.db"));
  const std::string forms[] = {
      append("{\"c\":1}"), "BEGIN IMMEDIATE; " + append("{\"c\":1}") + "; COMMIT",
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{\"c\":1}')",
      "SELECT "
      "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":"
      "{\"c\":1}}]}]')"};
  for (const std::string& form : forms) {
    CAPTURE(form);
    db.must(append("{}"));  // it knows the type
    other.must(by_c);
    db.must(form);
    CHECK(db.must("SELECT tags FROM evercore_log ORDER BY position DESC LIMIT 1") == "[\"c:1\"]");
    other.must(declare("null"));
    db.must(form);
    CHECK(db.must("SELECT tags FROM evercore_log ORDER BY position DESC LIMIT 1") == "NULL");
  }
  other.must(by_c + "; SELECT evercore_rename_type('event', 'E', 'F')");
  db.must(append("{\"c\":2}", "F"));
  db.must(append("{\"c\":3}", "E"));
  CHECK(db.must(
            "SELECT group_concat(tags) FROM (SELECT tags FROM evercore_log ORDER BY position DESC "
            "LIMIT 2)") == "[\"c:2\"]");
  CHECK(db.problems() == "");
}

TEST_CASE("what is declared already takes no lock") {
  const Directory directory;
  Store db(directory.file("s.db"));
  db.must(by_c);
  db.must("SELECT evercore_event_type('E', 'merge')");
  Database other(directory.file("s.db"));
  other.must("BEGIN IMMEDIATE");
  sqlite3_busy_timeout(db.handle(), 0);
  CHECK(db.must(by_c) == "E");
  CHECK(db.must("SELECT evercore_event_type('E', 'merge')") == "E");
  CHECK(db.run(declare("{\"d\":\"/d\"}")).code == SQLITE_BUSY);
}

TEST_CASE("a batch derives the tags of each of its events") {
  Store db;
  db.must(by_c);
  std::string events;
  std::string expected;
  for (int i = 1; i <= 40; ++i) {
    const std::string number = std::to_string(i);
    const bool declares = i % 3 != 0;
    events += std::string(i > 1 ? "," : "") + "{\"event_type\":\"" + (declares ? "E" : "F") +
              "\",\"data\":{\"c\":" + number + "}" + (i % 4 == 0 ? ",\"tags\":[\"t\"]" : "") + "}";
    expected += (i > 1 ? " " : "") + number;
    if (declares) {
      expected += "[\"c:" + number + "\"" + (i % 4 == 0 ? ",\"t\"]1" : "]1");
    } else {
      expected += i % 4 == 0 ? "[\"t\"]" : "-";
    }
  }
  db.must("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + events + "]}]')");
  CHECK(db.tags() == expected);
  CHECK(db.problems() == "");
}

TEST_CASE("an event whose derived tags make it too large for a batch is written by itself") {
  Store db;
  db.must(by_c);
  std::string elements;
  for (int i = 0; i < 60; ++i) {
    elements += (i > 0 ? "," : "") + ("\"" + std::to_string(i) + std::string(240, 'x') + "\"");
  }
  const std::string event = "{\"event_type\":\"E\",\"data\":{\"c\":[" + elements + "],\"x\":\"" +
                            std::string(500 << 10, 'x') + "\"}}";
  db.must("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + event + "," + event +
          "," + event + "," + event + "]}]')");
  CHECK(db.must("SELECT sum(declared_tags), count(*) FROM evercore_event") == "240|4");
  CHECK(db.problems() == "");
}

TEST_CASE(
    "a call of many is refused by its expected sequence before its declared tags, and by them "
    "before its condition") {
  Store db;
  db.must(declare("{\"" + std::string(250, 'p') + "\":\"/c\"}") +
          "; SELECT evercore_append(1, 0, 'N', '{}', NULL, NULL, NULL, NULL, '[\"n\"]')");
  const auto many = [&](const std::string& second, const std::string& condition) {
    return db.fails(
        "SELECT "
        "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":"
        "{\"c\":\"too long\"}}]},{\"aggregate_type\":\"T\",\"natural_key\":\"b\"," +
        second + "\"events\":[{\"event_type\":\"N\",\"data\":{}}]}]'" + condition + ")");
  };
  CHECK(many("\"expected\":1,", ", '[{\"tags\":[\"n\"]}]'") ==
        "EV001: conflict: aggregate 2 is at sequence 0, expected 1");
  CHECK(many("", ", '[{\"tags\":[\"n\"]}]'") == "EV005: tag is longer than 255 characters");
  CHECK(many("", "") == "EV005: tag is longer than 255 characters");
  CHECK(db.events() == 1);
}

TEST_CASE("a trigger of the user's sees the derived tags, and its failure leaves none") {
  Store db;
  db.must(by_c +
          "; CREATE TABLE seen (tags, declared);"
          "CREATE TRIGGER watch AFTER INSERT ON evercore_event BEGIN"
          " INSERT INTO seen VALUES (NEW.tags, NEW.declared_tags);"
          " SELECT RAISE(ABORT, 'no') WHERE NEW.data = '{\"c\":9}'; END");
  db.must(append("{\"c\":1}"));
  CHECK(db.fails(append("{\"c\":9}")) == "no");
  CHECK(db.must("SELECT * FROM seen") == "[\"c:1\"]|1");
  CHECK(db.must("SELECT count(*) FROM evercore_tag") == "1");
  CHECK(db.problems() == "");
}

TEST_CASE("a row at fault by its declared tags is one that OR IGNORE skips") {
  Store db;
  db.must(declare("{\"" + std::string(250, 'p') + "\":\"/c\"}"));
  db.must(
      "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data) VALUES"
      " (1, 'E', '{\"c\":\"too long\"}'), (1, 'E', '{\"c\":1}')");
  CHECK(db.must("SELECT count(*), max(sequence), max(declared_tags) FROM evercore_event") ==
        "1|1|1");
}

TEST_CASE("an erased event is passed over, and erasure takes derived tags away") {
  Store db;
  db.must(append("{\"c\":1}") +
          "; SELECT evercore_append(evercore_create('T'), 0, 'E', '{\"c\":2}')");
  db.must("SELECT evercore_erase(1)");
  db.must(by_c);
  CHECK(db.tags() == "1- 2[\"c:2\"]1");
  db.must("SELECT evercore_erase(2)");
  CHECK(db.tags() == "1- 2-");
  CHECK(db.must("SELECT count(*) FROM evercore_tag") == "0");
  CHECK(db.problems() == "");
}

TEST_CASE(
    "filling is whole or not at all, goes on where it stood and finds its events by the index "
    "too") {
  Store db;
  SUBCASE("without an index by type") {}
  SUBCASE("with one") {
    db.must("SELECT evercore_index_types()");
  }
  CHECK(db.unfilled(100'003) == "100003");
  CHECK(db.problems() == "");
  CHECK(db.must("SELECT evercore_fill(2)") == "100001");
  CHECK(db.must("SELECT count(tags) FROM evercore_event") == "2");
  db.must(
      "CREATE TRIGGER stop BEFORE UPDATE ON evercore_event WHEN NEW.position = 10 BEGIN"
      " SELECT RAISE(ABORT, 'stop'); END");
  CHECK(db.fails("SELECT evercore_fill()") == "stop");
  CHECK(db.must("SELECT count(tags) FROM evercore_event") == "2");
  CHECK(db.must("SELECT unfilled FROM evercore_event_type WHERE name = 'E'") == "100001");
  db.must("DROP TRIGGER stop; SELECT evercore_append(1, 0, 'E', '{\"c\":\"new\"}')");
  CHECK(db.must("SELECT evercore_fill(), evercore_fill()") == "0|0");
  CHECK(db.must("SELECT count(tags), sum(declared_tags) FROM evercore_event") == "100004|100004");
  CHECK(db.must("SELECT filled FROM evercore_event_types") == "1");
  CHECK(db.problems() == "");
}

TEST_CASE("another connection knows at once that a type is not filled, and that it is") {
  const Directory directory;
  Store db(directory.file("s.db"));
  Database other(directory.file("s.db"));
  const std::string query = "SELECT count(*) FROM evercore_query('[{\"tags\":[\"c:7\"]}]')";
  CHECK(other.must(query) == "0");
  db.unfilled(100'001);
  CHECK(other.fails(query) == "EV010: events of \"E\" are not tagged yet: SELECT evercore_fill()");
  CHECK(other.fails("SELECT evercore_append_many('[]', '[{\"tags\":[\"c:7\"]}]')") ==
        "EV010: events of \"E\" are not tagged yet: SELECT evercore_fill()");
  db.must("SELECT evercore_fill()");
  CHECK(other.must(query) == "1");
}

TEST_CASE("a store that is put in the place of another declares what it declares") {
  const Directory directory;
  Store db(directory.file("p.db")), other(directory.file("p.db"));
  Store theirs(directory.file("q.db"));
  db.must(declare("{\"x\":\"/x\"}"));
  theirs.must(declare("{\"y\":\"/y\"}"));
  const std::string both = append("{\"x\":1,\"y\":2}");
  db.must(both);
  other.must(both);
  sqlite3_backup* backup = sqlite3_backup_init(db.handle(), "main", theirs.handle(), "main");
  REQUIRE(backup != nullptr);
  CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
  SUBCASE("to the connection that put it there") {
    db.must(both);
  }
  SUBCASE("to another") {
    other.must(both);
  }
  CHECK(db.tags() == "1[\"y:2\"]1");
  CHECK(db.problems() == "");
}

TEST_CASE("a declaration that was damaged is named and derives nothing") {
  for (const char* text : {"{", "x", "[1]", "{\"c\":1}", "{\"c\":\"c\"}", "{\"\":\"/c\"}",
                           "{\"c\":\"/c\",\"c\":\"/d\"}", "null", "{}", ""}) {
    CAPTURE(text);
    Store db;
    db.must(append("{\"c\":1}"));
    db.must(by_c);
    db.spoil("UPDATE evercore_event_type SET tags = '" + std::string(text) +
             "'; UPDATE evercore_schema SET declared_mark = declared_mark + 1");
    CHECK(db.problems() == " declared tags of \"E\" are damaged");
    CHECK(db.fails(append("{\"c\":2}")) == "EV008: declared tags of \"E\" are damaged");
    CHECK(db.fails("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":"
                   "\"E\",\"data\":{}}]}]')") == "EV008: declared tags of \"E\" are damaged");
    db.must(append("{\"c\":2}", "F"));
    db.must(by_c);  // another declaration mends it
    db.must(append("{\"c\":2}"));
    CHECK(db.tags() == "1[\"c:1\"]1 2- 3[\"c:2\"]1");
    CHECK(db.problems() == "");
  }
}

TEST_CASE("what is left to fill of a damaged row is no number that never ends") {
  Store db;
  db.must(append("{\"c\":1}"));
  db.must(by_c);
  db.spoil("UPDATE evercore_event_type SET filled_to = 0, fill_upto = 5, unfilled = -3");
  CHECK(
      db.fails("SELECT evercore_fill()") ==
      "EV010: what is left to fill of an event type is damaged: evercore_check() names the place");
}

TEST_CASE("check names tags that lack what is declared, wrong counts and a range that cannot be") {
  struct Case {
    const char *spoil, *problem;
  };
  for (const Case& change :
       {Case{"UPDATE evercore_event SET tags = NULL, declared_tags = NULL; DELETE FROM "
             "evercore_event_tag; DELETE FROM evercore_tag",
             "1 tags lack what is declared"},
        Case{"UPDATE evercore_event SET declared_tags = 0", "1 tags are damaged"},
        Case{"UPDATE evercore_event SET declared_tags = 2", "1 tags are damaged"},
        Case{"UPDATE evercore_event SET data = '{\"c\":2}'", "1 tags lack what is declared"},
        Case{"UPDATE evercore_event_type SET unfilled = 1",
             " what is left to fill of \"E\" is out of range"},
        Case{"UPDATE evercore_event_type SET filled_to = 2, fill_upto = 1, unfilled = 1",
             " what is left to fill of \"E\" is out of range"}}) {
    CAPTURE(change.spoil);
    Store db;
    db.must(by_c);
    db.must(append("{\"c\":1}"));
    db.spoil(std::string(change.spoil) +
             "; UPDATE evercore_schema SET declared_mark = declared_mark + 1");
    CHECK(db.problems() == change.problem);
  }
}

TEST_CASE("a type that is not filled keeps no fetch from events of other types") {
  TaggedStore db;
  db.must("SELECT evercore_append(1, NULL, 'Old', '{\"n\":1}')");
  db.must("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, NULL, '[\"n:1\"]')");
  db.must("SELECT evercore_event_type('Old', NULL, '{\"tags\":{\"n\":\"/n\"}}')");
  // As a declaration leaves a type of very many events.
  db.spoil(
      "UPDATE evercore_event_type SET filled_to = 0, fill_upto = 1, unfilled = 1 WHERE name = "
      "'Old';"
      "UPDATE evercore_schema SET declared_mark = declared_mark + 1");
  db.must("SELECT evercore_subscribe('beside', '{\"event_types\":[\"E\"],\"tags\":[\"n:1\"]}')");
  db.must(
      "SELECT evercore_subscribe('both', '{\"event_types\":[\"E\",\"Old\"],\"tags\":[\"n:1\"]}')");
  db.must("SELECT evercore_claim('beside', 'w', 60), evercore_claim('both', 'w', 60)");
  CHECK(db.must("SELECT position FROM evercore_fetch('beside', 1)") == "2");
  CHECK(db.fails("SELECT position FROM evercore_fetch('both', 1)") ==
        "EV010: events of \"Old\" are not tagged yet: SELECT evercore_fill()");
  db.must("SELECT evercore_fill()");
  CHECK(db.must("SELECT group_concat(position) FROM evercore_fetch('both', 1)") == "1,2");
}
