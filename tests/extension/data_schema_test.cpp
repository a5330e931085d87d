// Schemas of data: every connection goes by what the store declares, whatever was rolled back, and a
// hostile schema ends in bounded time.
#include <doctest/doctest.h>

#include <string>

#include "extension/tagged_store.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

std::string declare(const std::string& schema, const std::string& type = "E") {
  return "SELECT evercore_event_type('" + type + "', NULL, '{\"schema\":" + schema + "}')";
}

std::string append(const std::string& data, const std::string& type = "E") {
  return "SELECT evercore_append(1, NULL, '" + type + "', '" + data + "')";
}

std::string validate(const std::string& data, const std::string& schema) {
  return "SELECT evercore_validate('E', '" + data + "', '{\"schema\":" + schema + "}')";
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

const std::string needs_n = declare("{\"required\":[\"n\"]}");
const std::string refusal = "EV011: data of \"E\": : required";

}  // namespace

TEST_CASE("a schema that is taken back refuses nothing any more") {
  TaggedStore db;
  db.must("BEGIN; SAVEPOINT s");
  db.must(needs_n);
  CHECK(db.fails(append("{}")) == refusal);
  SUBCASE("by a savepoint") {
    db.must("ROLLBACK TO s");
  }
  SUBCASE("by a rollback") {
    db.must("ROLLBACK; BEGIN");
  }
  db.must(append("{}"));
  db.must("COMMIT");
  db.must(append("{}"));
  CHECK(db.must("SELECT evercore_sequence(1)") == "2");
}

TEST_CASE("a schema taken away in a transaction that is rolled back refuses again") {
  TaggedStore db;
  db.must(needs_n);
  db.must("BEGIN");
  db.must(declare("null"));
  db.must(append("{}"));
  db.must("ROLLBACK");
  CHECK(db.fails(append("{}")) == refusal);
}

TEST_CASE("what another connection declares refuses here, in every form of append") {
  const Directory directory;
  TaggedStore db(directory.file("s.db"));
  Database other(directory.file("s.db"));
  const std::string event = R"({"event_type":"E","data":{}})";
  const std::string forms[] = {
      append("{}"),
      "BEGIN IMMEDIATE; " + append("{}"),
      "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')",
      "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, NULL, '[\"t\"]')",
      "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + event + "]}]')",
      "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" + event + "," + event + "," +
          event + "," + event + "]}]')"};
  for (const std::string& form : forms) {
    CAPTURE(form);
    other.must(declare("null"));
    db.must(form);
    db.run("COMMIT");
    const std::string version = db.must("SELECT evercore_sequence(1)");
    other.must(needs_n);
    CHECK(db.must("SELECT evercore_validate('E', '{}')") == ": required");
    CHECK(db.fails(form) == refusal);
    db.run("ROLLBACK");
    CHECK(db.must("SELECT evercore_sequence(1)") == version);
  }
  other.must("SELECT evercore_rename_type('event', 'E', 'F')");
  db.must(append("{}"));
  CHECK(db.fails(append("{}", "F")) == "EV011: data of \"F\": : required");
  CHECK(db.problems() == "");
}

TEST_CASE("a refusal by schema is a constraint, and a row that OR IGNORE skips") {
  TaggedStore db;
  db.must(needs_n);
  CHECK(db.run(append("{}")).code == SQLITE_CONSTRAINT_FUNCTION);
  db.must(
      "INSERT OR IGNORE INTO evercore_append (aggregate_id, event_type, data) VALUES"
      " (1, 'E', '{}'), (1, 'E', '{\"n\":1}'), (1, 'F', '{}')");
  CHECK(db.must("SELECT group_concat(event_type, '') FROM evercore_events(1)") == "EF");
}

TEST_CASE("a schema that is declared already takes no lock") {
  const Directory directory;
  TaggedStore db(directory.file("s.db"));
  db.must(needs_n);
  Database other(directory.file("s.db"));
  other.must("BEGIN IMMEDIATE");
  sqlite3_busy_timeout(db.handle(), 0);
  CHECK(db.must(needs_n) == "E");
  CHECK(db.must(declare("null", "Undeclared")) == "Undeclared");
  CHECK(db.run(declare("true")).code == SQLITE_BUSY);
}

TEST_CASE("a schema that was damaged is named and lets nothing in") {
  for (const char* text : {"{", "x", "[1]", "{\"type\":\"text\"}", "{\"pattern\":\"x\"}", "null",
                           "", "{\"type\":\"null\",\"type\":\"null\"}", "{\"$ref\":\"#\"}", "7"}) {
    CAPTURE(text);
    TaggedStore db;
    db.must(append("{}"));
    db.must(needs_n);
    db.spoil("UPDATE evercore_event_type SET schema = '" + std::string(text) +
             "'; UPDATE evercore_schema SET declared_mark = declared_mark + 1");
    CHECK(db.problems() == " schema of \"E\" is damaged");
    for (const std::string& call :
         {append("{\"n\":2}"), std::string("SELECT evercore_validate('E', '{}')"),
          std::string("SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type"
                      "\":\"E\",\"data\":{}}]}]')")}) {
      CHECK(db.fails(call) == "EV008: schema of \"E\" is damaged");
    }
    db.must(append("{}", "F"));
    db.must(needs_n);  // another declaration mends it
    db.must(append("{\"n\":2}"));
    CHECK(db.problems() == "");
  }
}

TEST_CASE("a schema does not keep a snapshot from falling due, nor a type from bearing tags") {
  TaggedStore db;
  db.must("SELECT evercore_snapshot_policy('T', 2, 1)");
  db.must(needs_n);
  db.must(append("{\"n\":1}"));
  db.must(append("{\"n\":2}"));
  CHECK(db.must("SELECT sequence || state FROM evercore_snapshot") == "2{\"n\":2}");
  db.must("SELECT evercore_event_type('E', NULL, '{\"tags\":{\"n\":\"/n\"}}')");
  CHECK(db.fails(append("{}")) == refusal);
  db.must(append("{\"n\":3}"));
  CHECK(db.must("SELECT tags FROM evercore_events(1, 2)") == "[\"n:3\"]");
}

TEST_CASE("alternatives that lead to each other again and again take no time without bound") {
  TaggedStore db;
  // 2^200 ways through 200 definitions, each of which names the next one twice.
  std::string definitions;
  for (int i = 0; i < 200; ++i) {
    const std::string next = "{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"}";
    definitions += "\"d" + std::to_string(i) + "\":{\"anyOf\":[" + next + "," + next + "]},";
  }
  definitions += "\"d200\":{\"required\":[\"never\"]}";
  const std::string schema = "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + definitions + "}}";
  CHECK(db.must(validate("{}", schema)) == ": anyOf");
  CHECK(db.must(validate("{\"never\":1}", schema)) == "NULL");
}

TEST_CASE("definitions that follow each other beyond the stack are too complex for deep data") {
  TaggedStore db;
  std::string definitions;
  for (int i = 0; i < 900; ++i) {
    definitions +=
        "\"d" + std::to_string(i) + "\":{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"},";
  }
  definitions += "\"d900\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d0\"}}}";
  const std::string schema = "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + definitions + "}}";
  const std::string deep = repeated("{\"a\":", 511) + "{}" + repeated("}", 511);
  CHECK(db.must(validate("{}", schema)) == "NULL");
  CHECK(db.must(validate(deep, schema)) == ": too complex");
  db.must("SELECT evercore_event_type('Heavy', NULL, '{\"schema\":" + schema + "}')");
  CHECK(db.fails("SELECT evercore_append(evercore_ensure('T', 'heavy'), 0, 'Heavy', '" + deep +
                 "')") == "EV011: data of \"Heavy\": : too complex");
  CHECK(db.must(validate(deep, R"({"properties":{"a":{"$ref":"#"}}})")) == "NULL");
}

TEST_CASE("a schema of many parts beside large data ends as too complex") {
  TaggedStore db;
  std::string parts = "true";
  for (int i = 0; i < 1900; ++i) parts += ",{\"uniqueItems\":true,\"enum\":[[]]}";
  const std::string schema =
      "{\"properties\":{\"v\":{\"not\":{\"anyOf\":[" + parts.substr(5) + "]}}}}";
  const std::string data = "{\"v\":[" + repeated("0,", 50'000) + "1]}";
  CHECK(db.must(validate(data, schema)) == ": too complex");
}

TEST_CASE("more pairs of a schema and a value than are remembered are told apart as well") {
  TaggedStore db;
  const std::string schema =
      R"({"properties":{"v":{"items":{"$ref":"#/$defs/a"}}},"$defs":{"b":{"type":"integer"},)"
      R"("a":{"anyOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]}}})";
  const std::string data = "{\"v\":[" + repeated("0,", 1'000'001) + "true]}";
  const Outcome outcome = db.run(validate(data, schema));  // its message would hold the data
  CHECK(outcome.rows == "/v/1000001: anyOf");
}
