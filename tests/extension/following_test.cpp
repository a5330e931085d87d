// Following in every state of a transaction: committed events alone, and none of them missed.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

const std::string followed = "SELECT group_concat(position) FROM evercore_follow()";
const std::vector<std::string> forms = {
    "SELECT evercore_append(1, NULL, 'E', '{}')",
    "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}'),(1,'E','{}')",
    "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\","
    "\"data\":{}}]}]')",
    "SELECT evercore_append(evercore_ensure('T','new'), NULL, 'New', '{}', NULL, NULL, NULL, 'id')",
};

void seed(Database& db) {
  db.must("SELECT evercore_append(evercore_ensure('T','a'), 0, 'E', '{}')");
}

std::string fetched(Database& db) {
  return db.must("SELECT group_concat(position) FROM evercore_fetch('p', 1)");
}

}  // namespace

TEST_CASE("inside a write transaction a follower stops below what the transaction wrote") {
  const Directory directory;
  int number = 0;
  for (const std::string& path : {std::string(":memory:"), std::string("file")}) {
    for (const char* begin : {"BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT outer_one"}) {
      for (const std::string& append : forms) {
        for (const bool warm : {false, true}) {
          CAPTURE(path);
          CAPTURE(begin);
          CAPTURE(append);
          CAPTURE(warm);
          Database db(path == "file" ? directory.file(std::to_string(++number)) : path);
          if (path == "file") db.must("PRAGMA journal_mode = WAL");
          seed(db);
          db.must("SELECT evercore_subscribe('p'), evercore_claim('p', 'w', 60)");
          if (warm) db.must(followed);
          db.must(begin);
          db.must(append);
          CHECK(db.must(followed) == "1");
          CHECK(fetched(db) == "1");
          db.must("SAVEPOINT s; " + append);
          CHECK(db.must(followed) == "1");
          db.must("ROLLBACK TO s");
          CHECK(db.must(followed) == "1");
          db.must("ROLLBACK");
          CHECK(db.must(followed) == "1");
          db.must("BEGIN IMMEDIATE; " + append);
          CHECK(db.must(followed) == "1");
          db.must("COMMIT");
          CHECK(db.must(followed).starts_with("1,2"));
        }
      }
    }
  }
}

TEST_CASE("a ghost is not followed, so the event that takes its position is not missed") {
  Database db;
  seed(db);
  db.must("BEGIN IMMEDIATE; " + forms[1]);
  CHECK(db.must("SELECT count(*) FROM evercore_follow(1)") == "0");
  db.must("ROLLBACK; SELECT evercore_append(1, NULL, 'E', '{\"real\":1}')");
  CHECK(db.must("SELECT position, data FROM evercore_follow(1)") == "2|{\"real\":1}");
}

TEST_CASE("what another connection committed before the transaction wrote is followed in it") {
  const Directory directory;
  Database one(directory.file("s.db"));
  one.must("PRAGMA journal_mode = WAL");
  Database two(directory.file("s.db"));
  seed(one);
  CHECK(one.must(followed) == "1");
  two.must(forms[0]);
  one.must("BEGIN IMMEDIATE; " + forms[0]);
  CHECK(one.must(followed) == "1,2");
  one.must("ROLLBACK");
  two.must(forms[0]);
  one.must("BEGIN IMMEDIATE");
  CHECK(one.must(followed) == "1,2,3");
  one.must(forms[1]);
  CHECK(one.must(followed) == "1,2,3");
  CHECK(two.must(followed) == "1,2,3");
  one.must("COMMIT");
  CHECK(two.must(followed) == "1,2,3,4,5");
}

TEST_CASE("events written past the functions are not followed either, once the head was seen") {
  Database db;
  seed(db);
  db.must("BEGIN IMMEDIATE");
  CHECK(db.must(followed) == "1");
  db.must(
      "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
      " VALUES (1, 2, 1, 0, '{}')");
  CHECK(db.must(followed) == "1");
  db.must("COMMIT");
  CHECK(db.must(followed) == "1,2");
}

TEST_CASE("a statement that waits with a row leaves its connection's append uncommitted") {
  Database db;
  seed(db);
  db.must("CREATE TABLE mine (n)");
  {
    Query waiting(db.handle(), "INSERT INTO mine VALUES (1), (2) RETURNING n");
    REQUIRE(waiting.step() == SQLITE_ROW);
    db.must(forms[0]);
    CHECK(db.must(followed) == "1");
  }
  CHECK(db.must(followed) == "1,2");
}

TEST_CASE("a filter by key stops at what is committed too") {
  Database db;
  seed(db);
  db.must(
      "SELECT evercore_subscribe('p', '{\"aggregate_type\":\"T\",\"natural_key\":\"a\"}'),"
      " evercore_claim('p', 'w', 60)");
  db.must("BEGIN IMMEDIATE; " + forms[1]);
  CHECK(fetched(db) == "1");
  db.must("SELECT evercore_ack('p', 1, 1)");
  CHECK(fetched(db) == "NULL");
  CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "1");
  db.must("COMMIT");
  CHECK(fetched(db) == "2,3");
}

TEST_CASE("an ack stops at what is committed, and NULL moves to where an empty fetch looked") {
  Database db;
  seed(db);
  db.must("SELECT evercore_subscribe('p', '{\"event_types\":[\"Other\"]}')");
  db.must("SELECT evercore_claim('p', 'w', 60); BEGIN IMMEDIATE; " + forms[1]);
  CHECK(fetched(db) == "NULL");
  CHECK(db.fails("SELECT evercore_ack('p', 1, 2)") == "EV009: position is out of range: 2");
  CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "1");
  db.must("ROLLBACK; SELECT evercore_append(1, NULL, 'Other', '{}')");
  CHECK(fetched(db) == "2");
  db.must("SELECT evercore_ack('p', 1, 2)");
  CHECK(fetched(db) == "NULL");
  db.must("BEGIN IMMEDIATE; SELECT evercore_append(1, NULL, 'Other', '{}')");
  CHECK(fetched(db) == "NULL");
  db.must("COMMIT");
  CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "2");
  CHECK(fetched(db) == "3");
}

TEST_CASE("what an empty fetch saw outlives a call that fails later") {
  for (const std::string begin : {"BEGIN IMMEDIATE", "SAVEPOINT mine", "BEGIN"}) {
    Database db;
    seed(db);
    db.must(
        "SELECT evercore_subscribe('p', '{\"event_types\":[\"Other\"]}'), evercore_claim('p', 'w', "
        "60)");
    db.must(begin);
    CHECK(fetched(db) == "NULL");
    db.must("COMMIT");
    CHECK(db.fails("SELECT evercore_append_many("
                   "'[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]',"
                   " '[{\"tags\":[\"t\"]}]', 99)") == "EV009: after is out of range: 99");
    CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == "1");
  }
}

TEST_CASE("what an empty fetch saw goes with a rollback where evercore had written before it") {
  struct Case {
    const char *before, *end, *cursor;
  };
  const char* const wrote = "SELECT evercore_append(1, NULL, 'E', '{}')";
  for (const Case& one :
       {Case{"SELECT 1", "ROLLBACK", "1"}, Case{"SELECT 1", "ROLLBACK TO inner; COMMIT", "1"},
        Case{wrote, "ROLLBACK", "0"}, Case{wrote, "ROLLBACK TO inner; COMMIT", "0"},
        Case{wrote, "COMMIT", "1"}}) {
    CAPTURE(one.before);
    CAPTURE(one.end);
    Database db;
    seed(db);
    db.must("SELECT evercore_subscribe('p', '{\"event_types\":[\"Other\"]}')");
    db.must("SELECT evercore_claim('p', 'w', 60); BEGIN IMMEDIATE; SAVEPOINT inner");
    db.must(one.before);
    CHECK(fetched(db) == "NULL");
    db.must(one.end);
    CHECK(db.must("SELECT evercore_ack('p', 1, NULL)") == one.cursor);
  }
}

TEST_CASE("a fetch in a transaction leaves last_insert_rowid and the counts of changes alone") {
  Database db;
  seed(db);
  db.must(
      "SELECT evercore_subscribe('p', '{\"event_types\":[\"Other\"]}'), evercore_claim('p', 'w', "
      "60)");
  db.must("CREATE TABLE mine (n); BEGIN IMMEDIATE; INSERT INTO mine VALUES (1), (2), (3)");
  const auto counts = [&] {
    return db.must("SELECT last_insert_rowid(), changes(), total_changes()");
  };
  const std::string before = counts();
  CHECK(before.starts_with("3|3|"));
  CHECK(fetched(db) == "NULL");
  CHECK(counts() == before);
}

TEST_CASE("a place beyond what was ever given is an error, not silence") {
  Database db;
  CHECK(db.must("SELECT count(*) FROM evercore_follow(0)") == "0");
  CHECK(db.fails("SELECT * FROM evercore_follow(1)") == "EV009: after is out of range: 1");
  seed(db);
  CHECK(db.must("SELECT count(*) FROM evercore_follow(1)") == "0");
  CHECK(db.fails("SELECT * FROM evercore_follow(2)") == "EV009: after is out of range: 2");
  db.must("SELECT evercore_compact(1, 0)");
  CHECK(db.must("SELECT count(*) FROM evercore_follow(1)") == "0");
  db.must("SELECT evercore_subscribe('p', NULL, 'end'), evercore_claim('p', 'w', 60)");
  CHECK(fetched(db) == "NULL");
  db.must("UPDATE evercore_subscription_partition SET position = 7");
  CHECK(db.fails("SELECT * FROM evercore_fetch('p', 1)") ==
        "EV009: cursor of subscription \"p\" is beyond the head: 7");
}

TEST_CASE("a shared cache that is read uncommitted cannot be followed") {
  const std::string uri = "file:following?mode=memory&cache=shared";
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
  Database one(uri, Database::Store::migrated, flags);
  Database two(uri, Database::Store::migrated, flags);
  seed(one);
  one.must("SELECT evercore_subscribe('p'), evercore_claim('p', 'w', 60)");
  CHECK(two.must(followed) == "1");
  two.must("PRAGMA read_uncommitted = 1");
  CHECK(two.fails(followed).starts_with("EV010: with PRAGMA read_uncommitted in a shared cache"));
  CHECK(two.fails("SELECT * FROM evercore_fetch('p', 1)").starts_with("EV010"));
  two.must("PRAGMA read_uncommitted = 0");
  CHECK(two.must(followed) == "1");
  Database alone;
  alone.must("PRAGMA read_uncommitted = 1");
  CHECK(alone.must(followed) == "NULL");
}
