// Tags: their index agrees with the events whatever is rolled back, erased, kept back or damaged.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "extension/tagged_store.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

std::string append(const std::string& tags, const std::string& event_id = "NULL") {
  return "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, " + event_id + ", '" + tags +
         "')";
}

struct Store : TaggedStore {
  using TaggedStore::TaggedStore;
  /// Each position with one of its tags, as the index has it.
  std::string index() {
    return must(
        "SELECT group_concat(entry, ' ') FROM (SELECT x.position || '=' || coalesce(t.tag, '?') AS "
        "entry"
        " FROM evercore_event_tag x LEFT JOIN evercore_tag t USING (tag_id) ORDER BY x.position, "
        "t.tag)");
  }
};

}  // namespace

TEST_CASE("the tags of what a transaction takes back are not known to the next") {
  Store db;
  db.must("BEGIN; SAVEPOINT s");
  db.must(append("[\"x\",\"y\"]"));
  SUBCASE("by a savepoint") {
    db.must("ROLLBACK TO s");
  }
  SUBCASE("by a rollback") {
    db.must("ROLLBACK; BEGIN");
  }
  SUBCASE("by a call that fails") {
    db.must("ROLLBACK TO s");
    db.fails(
        "SELECT "
        "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{},"
        "\"tags\":[\"x\"]}]},{\"aggregate_id\":1,\"expected\":0,\"events\":[{\"event_type\":\"E\","
        "\"data\":{}}]}]')");
  }
  db.must("SELECT evercore_ensure('T', 'b')");
  db.must(append("[\"z\",\"x\"]"));
  db.must("COMMIT");
  db.must(append("[\"y\",\"z\"]"));
  CHECK(db.index() == "1=x 1=z 2=y 2=z");
  CHECK(db.must("SELECT group_concat(tag_id || tag, ' ') FROM evercore_tag") == "1z 2x 3y");
  CHECK(db.problems() == "");
}

TEST_CASE("a tag that another connection's erasure took away is made anew") {
  const Directory directory;
  Store db(directory.file("s.db"));
  db.must(append("[\"x\"]"));
  {
    Database other(directory.file("s.db"));
    other.must("SELECT evercore_erase(1)");
    CHECK(other.must("SELECT count(*) FROM evercore_tag") == "0");
    other.must(
        "SELECT evercore_append(evercore_create('T'), 0, 'E', '{}', NULL, NULL, NULL, NULL,"
        " '[\"other\"]')");
  }
  db.must("SELECT evercore_append(2, 1, 'E', '{}', NULL, NULL, NULL, NULL, '[\"x\"]')");
  CHECK(db.index() == "2=other 3=x");
  CHECK(db.problems() == "");
}

TEST_CASE("an erasure leaves no byte of a tag that no other event bears") {
  const Directory directory;
  Store db(directory.file("s.db"));
  db.must("PRAGMA journal_mode = DELETE");
  db.must(append("[\"secret:ann\",\"course:c1\"]"));
  db.must(
      "SELECT evercore_append(evercore_create('T'), 0, 'E', '{}', NULL, NULL, NULL, NULL,"
      " '[\"course:c1\"]')");
  CHECK(db.must("SELECT evercore_erase(1)") == "1");
  CHECK(db.index() == "2=course:c1");
  std::ifstream file(directory.file("s.db"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  CHECK(bytes.find("secret:ann") == std::string::npos);
  CHECK(bytes.find("course:c1") != std::string::npos);
  CHECK(db.problems() == "");
}

TEST_CASE("a row that OR IGNORE skips leaves no tag") {
  Store db;
  db.must(
      "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data, expected, tags) "
      "VALUES"
      " (1, 'E', '{}', 0, '[\"a\"]'), (1, 'E', '{}', 7, '[\"b\"]'), (1, 'E', '{}', 1, '[7]'),"
      " (1, 'E', '{}', 1, '[\"c\"]')");
  CHECK(db.index() == "1=a 2=c");
  CHECK(db.must("SELECT count(*) FROM evercore_tag") == "2");
}

TEST_CASE("a batch writes the index of each of its events, and its positions") {
  Store db;
  std::string events;
  std::string expected;
  for (int i = 1; i <= 40; ++i) {
    events += std::string(i > 1 ? "," : "") + "{\"event_type\":\"E" + std::to_string(i % 3) +
              "\",\"data\":{}" +
              (i % 4 == 0 ? "" : ",\"tags\":[\"t" + std::to_string(i % 5) + "\"]") + "}";
    if (i % 4 == 0) continue;
    expected += (i > 1 ? " " : "") + std::to_string(i) + "=t" + std::to_string(i % 5);
  }
  db.must("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + events + "]}]')");
  CHECK(db.index() == expected);
  CHECK(db.problems() == "");
}

TEST_CASE("the index is as append-only as the events") {
  Store db;
  db.must(append("[\"a\"]"));
  for (const char* sql :
       {"DELETE FROM evercore_tag", "UPDATE evercore_tag SET tag = 'b'",
        "DELETE FROM evercore_event_tag", "UPDATE evercore_event_tag SET position = 9",
        "UPDATE OR REPLACE evercore_event_tag SET tag_id = 9"}) {
    CAPTURE(sql);
    CHECK(db.fails(sql) == "EV010: tags stay");
  }
  CHECK(db.fails("REPLACE INTO evercore_tag (tag_id, tag) VALUES (1, 'b')")
            .find("EV010: evercore's tables are not open to REPLACE") != std::string::npos);
  CHECK(db.index() == "1=a");
}

TEST_CASE("check says where tags, their texts and their index differ, once an event") {
  struct Case {
    const char *spoil, *problem;
  };
  for (const Case& change :
       {Case{"DELETE FROM evercore_event_tag WHERE position = 2", "2 tags differ from their index"},
        Case{"DELETE FROM evercore_event_tag WHERE position = 2 AND tag_id = 1",
             "2 tags differ from their index"},
        Case{"INSERT INTO evercore_event_tag VALUES (2, 1, 1)", "1 tags differ from their index"},
        Case{"INSERT INTO evercore_event_tag VALUES (1, 7, 2)", "2 tags differ from their index"},
        Case{"INSERT INTO evercore_event_tag VALUES (1, 1, 3)", "3 tags differ from their index"},
        Case{"INSERT INTO evercore_event_tag VALUES (1, 1, 9), (2, 1, 9)",
             "9 index of tags without event"},
        Case{"UPDATE evercore_tag SET tag = 'c' WHERE tag = 'a'",
             "1 tags differ from their index\n2 tags differ from their index"},
        Case{"UPDATE evercore_event SET tags = '[\"b\"]' WHERE position = 1",
             "1 tags differ from their index"},
        Case{"UPDATE evercore_event SET tags = '[\"a\", \"b\"]' WHERE position = 2",
             "2 tags are damaged"},
        Case{"UPDATE evercore_event SET tags = '[]' WHERE position = 2", "2 tags are damaged"},
        Case{"UPDATE evercore_event SET tags = 'x' WHERE position = 2", "2 tags are damaged"},
        Case{"UPDATE evercore_event SET declared_tags = 3 WHERE position = 2",
             "2 tags are damaged"},
        Case{"UPDATE evercore_event SET tags = NULL WHERE position = 1",
             "1 tags differ from their index"}}) {
    CAPTURE(change.spoil);
    Store db;
    db.must(append("[\"a\"]"));
    db.must(append("[\"a\",\"b\"]"));
    db.must("SELECT evercore_append(1, NULL, 'E', '{}')");
    CHECK(db.problems() == "");
    db.spoil(change.spoil);
    CHECK(db.problems() == change.problem);
  }
}

TEST_CASE("an append whose index a trigger keeps back is refused as a whole") {
  Store db;
  db.must(
      "CREATE TRIGGER no BEFORE INSERT ON evercore_event_tag WHEN NEW.tag_id = 2"
      " BEGIN SELECT RAISE(IGNORE); END");
  CHECK(db.fails(append("[\"a\",\"b\"]")).starts_with("EV010: a row was not written"));
  CHECK(db.must("SELECT count(*) FROM evercore_log") == "0");
  db.must(append("[\"a\"]"));
  CHECK(db.index() == "1=a");
}

TEST_CASE("control characters in tags are spelled as PostgreSQL spells them") {
  Store db;
  db.must(append(R"(["\u0008\u000c\n\r\t\u0001\u007f\"\\ä"])"));
  CHECK(db.must("SELECT tags FROM evercore_log") == "[\"\\b\\f\\n\\r\\t\\u0001\x7f\\\"\\\\ä\"]");
  CHECK(db.must("SELECT unicode(tag) FROM evercore_tag") == "8");
  CHECK(db.problems() == "");
}

TEST_CASE("a store without events goes down to the version before tags and up again") {
  Store db;
  db.must("BEGIN");
  db.must(append("[\"a\"]"));
  CHECK(db.fails("SELECT evercore_migrate(3)") == "EV010: the store holds events");
  db.must("ROLLBACK");
  CHECK(db.must("SELECT evercore_migrate(3), evercore_migrate()") == "3|4");
  CHECK(db.problems() == "");
  db.must(append("[\"a\"]"));
  CHECK(db.index() == "1=a");
}

TEST_CASE(
    "of several faults in one list of tags the first name at fault is told, then their number") {
  Store db;
  const auto list = [](int count, const std::string& more) {
    std::string tags = "[";
    for (int i = 0; i < count; ++i) tags += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) + "\"";
    return tags + more + "]";
  };
  const std::string long_name = ",\"" + std::string(256, 'x') + "\"";
  const std::string empty = db.fails(append(list(1, ",\"\"")));
  const std::string longer = db.fails(append(list(1, long_name)));
  CHECK(empty.starts_with("EV005"));
  CHECK(longer.starts_with("EV005"));
  CHECK(empty != longer);
  CHECK(db.fails(append(list(1, ",\"\"" + long_name))) == empty);
  CHECK(db.fails(append(list(1, long_name + ",\"\""))) == longer);
  const std::string too_many = db.fails(append(list(65, "")));
  CHECK(too_many.starts_with("EV009"));
  CHECK(db.fails(append(list(67, ",\"t0\",\"t66\""))) == too_many);
  CHECK(db.fails(append(list(67, ",\"\""))) == empty);
  CHECK(db.events() == 0);
}

TEST_CASE("stored tags that no call would take are named, of events and of a subscription") {
  std::string many = "[\"t0\"";
  for (int i = 1; i < 65; ++i) many += ",\"t" + std::to_string(i) + "\"";
  many += "]";
  for (const std::string& tags : {many, std::string("[\"\"]"), std::string("[\"a\",7]")}) {
    CAPTURE(tags);
    Store db;
    db.must(append("[\"a\"]"));
    db.must("SELECT evercore_subscribe('s', '{\"tags\":[\"a\"]}'), evercore_claim('s', 'w', 60)");
    db.spoil("UPDATE evercore_event SET tags = '" + tags + "'");
    CHECK(db.problems() == "1 tags are damaged");
    db.spoil("UPDATE evercore_subscription SET tags = '" + tags + "'");
    CHECK(db.fails("SELECT * FROM evercore_fetch('s', 1)") ==
          "EV010: subscription \"s\" is damaged: evercore_check() names the place");
  }
}
