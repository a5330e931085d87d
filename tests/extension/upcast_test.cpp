// Upcasts that somebody else wrote into the file, another connection declared or a rollback took back, and
// what they do not touch.
#include <doctest/doctest.h>

#include <string>

#include "extension/tagged_store.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

std::string declare(const std::string& options, const std::string& fold = "NULL") {
  return "SELECT evercore_event_type('E', " + fold + ", '" + options + "')";
}

const std::string renames = declare(R"({"upcast":[{"rename":{"/a":"b"}}]})");
const std::string append = "SELECT evercore_append(1, NULL, 'E', '{\"a\":1}')";
const std::string state = "SELECT evercore_state(1)";
const std::string upcast = "SELECT evercore_upcast('E', '{\"a\":1}')";
const std::string replayed = "SELECT data FROM evercore_replay(1) WHERE event_type IS NOT NULL";
const std::string validate =
    "SELECT evercore_validate('E', '{\"a\":1}', '{\"schema\":{\"required\":[\"b\"]}}')";

}  // namespace

TEST_CASE("an upcast that was damaged is named, and nobody reads past it") {
  for (const char* text : {"[", "x", "", "{}", "null", "[1]", R"([{"rename":{"/a":7}}])",
                           R"([{"rename":{"/a":"a"}}])", R"([{"default":{"/a":1,"/a":2}}])"}) {
    CAPTURE(text);
    TaggedStore db;
    db.must(renames);
    db.must(append);
    db.must("SELECT evercore_snapshot(1)");
    db.must(append);
    db.spoil("UPDATE evercore_event_type SET upcast = '" + std::string(text) +
             "'; UPDATE evercore_schema SET declared_mark = declared_mark + 1");
    const std::string damaged = "upcast of \"E\" is damaged";
    CHECK(db.problems() == " " + damaged);
    for (const std::string& call : {upcast, state, replayed, validate,
                                    std::string("SELECT count(*) FROM evercore_history(1)"),
                                    std::string("SELECT evercore_snapshot(1)")}) {
      CAPTURE(call);
      CHECK(db.fails(call) == "EV008: " + damaged);
    }
    db.must(append);
    CHECK(db.must("SELECT data FROM evercore_events(1, 2)") == "{\"a\":1}");
    db.must(renames);  // another declaration mends it
    CHECK(db.must(state) == "{\"b\":1}");
    CHECK(db.problems() == "");
  }
}

TEST_CASE("an append that needs a damaged upcast is refused") {
  const std::string many =
      R"(SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{"a":1}}]}]'))";
  for (const char* options : {R"({"schema":true})", R"({"tags":{"b":"/b"}})"}) {
    CAPTURE(options);
    TaggedStore db;
    db.must(renames);
    db.must(declare(options));
    db.must(append);
    db.spoil(
        "UPDATE evercore_event_type SET upcast = '[]x'; UPDATE evercore_schema SET declared_mark = "
        "declared_mark + 1");
    for (const std::string& form : {append, many, "BEGIN IMMEDIATE; " + append}) {
      CAPTURE(form);
      CHECK(db.fails(form) == "EV008: upcast of \"E\" is damaged");
      db.run("ROLLBACK");
    }
    CHECK(db.must("SELECT evercore_sequence(1)") == "1");
    CHECK(db.fails(declare(R"({"tags":{"c":"/c"}})")) == "EV008: upcast of \"E\" is damaged");
    CHECK(db.problems() == " upcast of \"E\" is damaged");
  }
}

TEST_CASE("a damaged upcast is nothing to the state where the fold is custom") {
  TaggedStore db;
  db.must(declare(R"({"upcast":[{"rename":{"/a":"b"}}]})", "'custom'"));
  db.must(append);
  db.spoil("UPDATE evercore_event_type SET upcast = 'x'");
  CHECK(db.must(state) == "{}");
  db.must("SELECT evercore_snapshot(1)");
  CHECK(db.problems() == " upcast of \"E\" is damaged");
}

TEST_CASE("what another connection declares is read by at once") {
  const Directory directory;
  TaggedStore db(directory.file("u.db"));
  Database other(directory.file("u.db"));
  db.must(append);
  const auto all = [&] {
    return other.must(upcast) + " " + other.must(state) + " " + other.must(replayed) + " " +
           other.must(validate);
  };
  CHECK(all() == R"({"a":1} {"a":1} {"a":1} : required)");
  db.must(renames);
  CHECK(all() == R"({"b":1} {"b":1} {"b":1} NULL)");
  db.must("BEGIN");
  db.must(declare(R"({"upcast":[{"rename":{"/a":"c"}}]})"));
  CHECK(all() == R"({"b":1} {"b":1} {"b":1} NULL)");
  CHECK(db.must(replayed) == R"({"c":1})");
  db.must("COMMIT");
  CHECK(all() == R"({"c":1} {"c":1} {"c":1} : required)");
  db.must(declare(R"({"upcast":null})"));
  CHECK(all() == R"({"a":1} {"a":1} {"a":1} : required)");
}

TEST_CASE("what another connection declares is seen by the first call of a transaction") {
  const Directory directory;
  TaggedStore db(directory.file("u.db"));
  Database other(directory.file("u.db"));
  db.must(append);
  for (const std::string& call :
       {std::string(upcast), std::string(replayed), std::string(state), std::string(validate)}) {
    for (const char* begin : {"BEGIN", "SAVEPOINT s", "BEGIN; SELECT count(*) FROM evercore_log"}) {
      CAPTURE(call);
      CAPTURE(begin);
      db.must(declare(R"({"upcast":null})"));
      const std::string plain = other.must(call);
      db.must(renames);
      other.must(begin);
      const std::string renamed = other.must(call);
      CHECK(renamed != plain);
      CHECK(other.must(call) == renamed);
      other.must("ROLLBACK");
      CHECK(other.must(call) == renamed);
    }
  }
}

TEST_CASE("an upcast that is taken back does nothing any more") {
  TaggedStore db;
  db.must(append);
  db.must("BEGIN; SAVEPOINT s");
  db.must(renames);
  CHECK(db.must(replayed) == "{\"b\":1}");
  SUBCASE("by a savepoint") {
    db.must("ROLLBACK TO s");
  }
  SUBCASE("by a rollback") {
    db.must("ROLLBACK; BEGIN");
  }
  CHECK(db.must(upcast) == "{\"a\":1}");
  CHECK(db.must(replayed) == "{\"a\":1}");
  CHECK(db.must(state) == "{\"a\":1}");
  db.must("COMMIT");
}

TEST_CASE("an upcast that is declared already takes no lock and voids no snapshot") {
  const Directory directory;
  TaggedStore db(directory.file("u.db"));
  db.must(renames);
  db.must(append);
  db.must("SELECT evercore_snapshot(1)");
  Database other(directory.file("u.db"));
  other.must("BEGIN IMMEDIATE");
  sqlite3_busy_timeout(db.handle(), 0);
  CHECK(db.must(declare(R"({"upcast": [ {"rename":{"\/a":"\u0062"}} ]})")) == "E");
  CHECK(db.must("SELECT evercore_event_type('Never', NULL, '{\"upcast\":[]}')") == "Never");
  for (const char* another :
       {R"([{"rename":{"/a":"c"}}])", R"([{"rename":{"/a":"b"}},{"remove":[]}])", "null", "[]",
        R"([{"rename":{"/a":"b","/c":"d"}}])", R"([{"move":{"/a":"/b"}}])"}) {
    CAPTURE(another);
    CHECK(db.run(declare(std::string("{\"upcast\":") + another + "}")).code == SQLITE_BUSY);
  }
  other.must("ROLLBACK");
  CHECK(db.must("SELECT count(*) FROM evercore_snapshot") == "1");
  db.must(declare(R"({"upcast":null})"));
  CHECK(db.must("SELECT count(*) FROM evercore_snapshot") == "0");
}

TEST_CASE("the base of a compacted aggregate stays where another type's upcast is changed") {
  TaggedStore db;
  db.must(append);
  db.must("SELECT evercore_append(1, NULL, 'F', '{\"c\":1}')");
  db.must("SELECT evercore_compact(1, 1)");
  db.must("SELECT evercore_append(1, NULL, 'G', '{\"a\":2}')");
  db.must("SELECT evercore_snapshot(1)");
  CHECK(db.fails(renames).starts_with("EV010"));
  db.must("SELECT evercore_event_type('H', NULL, '{\"upcast\":[{\"remove\":[\"/a\"]}]}')");
  CHECK(db.must("SELECT count(*) FROM evercore_snapshot") == "2");
  CHECK(db.must(state) == R"({"a":2,"c":1})");
  CHECK(db.problems() == "");
}

TEST_CASE("what is not folded as it is declared is named") {
  TaggedStore db;
  db.must(declare(R"({"upcast":[{"rename":{"/a":"b"}}],"tags":{"b":"/b"}})"));
  db.must(append);
  db.must("SELECT evercore_snapshot(1)");
  CHECK(db.problems() == "");
  db.spoil("UPDATE evercore_snapshot SET state = '{\"a\":1}'");
  CHECK(db.problems() == "1 engine snapshot at sequence 1 differs from the fold");
  db.spoil(
      "DELETE FROM evercore_snapshot; DELETE FROM evercore_event_tag;"
      " UPDATE evercore_event SET tags = NULL, declared_tags = NULL");
  CHECK(db.problems() == "1 tags lack what is declared");
}

TEST_CASE("data that are no JSON are refused where an upcast is to read them") {
  for (const char* data : {"[1]", "x", "{\"a\":1", "{\"x\":{\"y\"", ""}) {
    CAPTURE(data);
    TaggedStore db;
    db.must(declare(R"({"upcast":[{"move":{"/x/y":"/z/y"}},{"default":{"/n":1}}]})"));
    db.must(append);
    db.spoil("UPDATE evercore_event SET data = '" + std::string(data) + "'");
    CHECK(db.fails(state).starts_with("EV004: "));
    CHECK(db.fails(replayed).starts_with("EV004: "));
  }
}

TEST_CASE("data upcast are JSON to SQLite's own functions") {
  TaggedStore db;
  db.must(renames);
  CHECK(db.must("SELECT json_array(evercore_upcast('E', '{\"a\":[1]}'))") == R"([{"b":[1]}])");
  CHECK(db.must("SELECT evercore_upcast('E', x'7B2261223A317D')") == R"({"b":1})");
  db.must("CREATE VIEW v AS SELECT evercore_upcast(event_type, data) AS d FROM evercore_log");
  db.must(append);
  CHECK(db.must("SELECT d FROM v") == R"({"b":1})");
}

TEST_CASE("replay gives the other columns of upcast events as they are") {
  TaggedStore db;
  db.must(renames);
  db.must(
      R"(SELECT evercore_append(1, NULL, 'E', '{"a":1}', 'r', '{"a":2}', '2026-01-02', 'i', '["t"]'))");
  CHECK(db.must("SELECT position, sequence, event_type, data, reference, metadata, event_time,"
                " event_id, tags FROM evercore_replay(1) WHERE sequence > 0") ==
        R"(1|1|E|{"b":1}|r|{"a":2}|2026-01-02T00:00:00.000000Z|i|["t"])");
  CHECK(db.must("SELECT count(*), max(event_type) FROM evercore_replay(1)") == "2|E");
}
