// Schemas of states: they hold in every form of append and for every connection, and an append to a long
// aggregate does what one to a short one does.
#include <doctest/doctest.h>

#include <string>

#include "extension/bank.h"

using namespace evercore::test;

namespace {

std::string row(int by, int id = 1) {
  return "(" + std::to_string(id) + ", 'Changed', '{\"by\":" + std::to_string(by) + "}')";
}

std::string insert(const std::string& rows) {
  return "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES " + rows;
}

std::string event(int by, const std::string& rest = "") {
  return R"({"event_type":"Changed","data":{"by":)" + std::to_string(by) + "}" + rest + "}";
}

std::string many(const std::string& events, int id = 1) {
  return "SELECT evercore_append_many('[{\"aggregate_id\":" + std::to_string(id) + ",\"events\":[" +
         events + "]}]')";
}

std::string refusal(int sequence) {
  return "EV011: state of \"Account\" \"a\" at sequence " + std::to_string(sequence) +
         ": /balance: minimum";
}

/// Every way to append one event; with a tag and an event_id it is no simple one, from four events on a
/// call writes them together.
constexpr int forms = 9;
std::string form(int which, int by) {
  static int ids = 0;
  const std::string data = "'{\"by\":" + std::to_string(by) + "}'";
  switch (which) {
    case 0:
      return change(by);
    case 1:
      return "BEGIN IMMEDIATE; " + change(by);
    case 2:
      return "BEGIN; SELECT evercore_ensure('Other', 'o'); " + change(by);
    case 3:
      return insert(row(by));
    case 4:
      return "SELECT evercore_append(1, NULL, 'Changed', " + data +
             ", NULL, NULL, NULL, NULL, '[\"t\"]')";
    case 5:
      return "SELECT evercore_append(1, NULL, 'Changed', " + data + ", NULL, NULL, NULL, 'id" +
             std::to_string(++ids) + "')";
    case 6:
      return many(event(by));
    case 7:
      return many(event(by) + "," + event(0) + "," + event(0) + "," + event(0));
    default:
      return many(event(by) + "," + event(0, ",\"event_id\":\"id" + std::to_string(++ids) + "\"") +
                  "," + event(0) + "," + event(0));
  }
}

/// How often SQLite asks whether to go on: once for each operation of its statements, ours included.
std::int64_t work(Database& db, const std::string& sql) {
  for (int i = 0; i < 2; ++i) db.must("BEGIN IMMEDIATE; " + sql + "; ROLLBACK");  // prepares
  std::int64_t count = 0;
  sqlite3_progress_handler(
      db.handle(), 1,
      [](void* asked) {
        ++*static_cast<std::int64_t*>(asked);
        return 0;
      },
      &count);
  db.must("BEGIN IMMEDIATE");
  db.must(sql);
  db.must("ROLLBACK");
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  return count;
}

}  // namespace

TEST_CASE("what another connection declares of states refuses here, in every form of append") {
  for (int which = 0; which < forms; ++which) {
    CAPTURE(which);
    const Directory directory;
    Bank db(directory.file("s.db"));
    Database other(directory.file("s.db"));
    db.must(change(60));
    db.must(form(which, -40));
    db.run("COMMIT");
    const std::string version = db.must("SELECT evercore_sequence(1)");
    other.must(no_debt);
    const std::string refused = refusal(std::stoi(version) + 1);
    CHECK(db.fails(form(which, -21)) == refused);
    db.run("ROLLBACK");
    db.must(change(-20));
    CHECK(db.fails(form(which, -1)) == refusal(std::stoi(version) + 2));
    db.run("ROLLBACK");
    other.must(declare("null"));
    db.must(form(which, -1));
    db.run("COMMIT");
    CHECK(db.kept() == "");
    other.must(no_debt);
    db.must(change(1));
    CHECK(db.must("SELECT evercore_state(1)") == "{\"balance\":0}");
    CHECK(db.problems() == "");
  }
}

TEST_CASE("a schema of states that is taken back refuses nothing any more") {
  Bank db;
  db.must("BEGIN; SAVEPOINT s");
  db.must(no_debt);
  CHECK(db.fails(change(-1)) == refusal(1));
  SUBCASE("by a savepoint") {
    db.must("ROLLBACK TO s");
  }
  SUBCASE("by a rollback") {
    db.must("ROLLBACK; BEGIN");
  }
  db.must(change(-1) + "; COMMIT");
  db.must(change(-1));
  CHECK(db.kept() == "");
  db.must("BEGIN; " + no_debt);
  db.must(declare("null"));
  db.must(change(-1) + "; COMMIT");
  db.must(no_debt + "; BEGIN; " + declare("null") + "; ROLLBACK");
  CHECK(db.fails(change(1)) == refusal(4));
  CHECK(db.kept() != "");
  db.must(declare("null"));
  CHECK(db.kept() == "");
}

TEST_CASE("a savepoint takes back the state that the next append goes on from") {
  Bank db;
  db.must(no_debt);
  db.must("BEGIN; " + change(100) + "; SAVEPOINT s; " + change(-60) + "; " + insert(row(-40)));
  CHECK(db.fails(change(-1)) == refusal(4));
  db.must("ROLLBACK TO s; " + change(-60));
  CHECK(db.fails(change(-60)) == refusal(3));
  db.must("COMMIT");
  CHECK(db.kept() == "2{\"balance\":40}");
  CHECK(db.problems() == "");
}

TEST_CASE("a state that is not taken is a constraint, and a row that OR IGNORE skips") {
  Bank db;
  db.must(no_debt);
  CHECK(db.run(change(-1)).code == SQLITE_CONSTRAINT_FUNCTION);
  db.must("INSERT OR IGNORE" +
          insert(row(100) + "," + row(-60) + "," + row(-60) + "," + row(-40) + "," + row(-1))
              .substr(6));
  CHECK(db.must("SELECT group_concat(json_extract(data, '$.by')) FROM evercore_events(1)") ==
        "100,-60,-40");
  CHECK(db.kept() == "3{\"balance\":0}");
}

TEST_CASE("of two connections that each withdraw 60 from 100 one is refused") {
  for (int which = 0; which < forms; ++which) {
    CAPTURE(which);
    const Directory directory;
    Bank db(directory.file("s.db"));
    Bank other(directory.file("s.db"));
    db.must("PRAGMA journal_mode = WAL; " + no_debt + "; " + change(100));
    CHECK(other.must("SELECT evercore_state(1)") == "{\"balance\":100}");
    CHECK(other.fails(change(-101)) == refusal(2));
    db.must("BEGIN; SELECT evercore_state(1); COMMIT; " + form(which, -60));
    db.run("COMMIT");
    const int version = std::stoi(db.must("SELECT evercore_sequence(1)"));
    CHECK(other.fails(form(which, -60)) == refusal(version + 1));
    other.run("ROLLBACK");
    CHECK(other.must("SELECT evercore_state(1)") == "{\"balance\":40}");
    CHECK(other.problems() == "");
  }
}

TEST_CASE("a call of many looks at each state of each aggregate, in the order of its events") {
  Bank db;
  db.must("SELECT evercore_ensure('Account', 'b'), evercore_ensure('Account', 'c')");
  db.must(no_debt);
  const std::string three = "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[" +
                            event(5) + "]},{\"aggregate_id\":2,\"events\":[" + event(3) + "," +
                            event(-3) + "," + event(2) + "]},{\"aggregate_id\":1,\"events\":[" +
                            event(-5) + "," + event(7) + "]}";
  db.must(three + "]')");
  CHECK(db.kept() == "3{\"balance\":7}\n3{\"balance\":2}");
  CHECK(db.fails(three + ",{\"aggregate_id\":3,\"events\":[" + event(-1) +
                 "]},{\"aggregate_id\":1,\"events\":[" + event(-50) + "]}]')") ==
        "EV011: state of \"Account\" \"c\" at sequence 1: /balance: minimum");
  CHECK(db.kept() == "3{\"balance\":7}\n3{\"balance\":2}");
  CHECK(db.problems() == "");
}

TEST_CASE("a call with large states of many aggregates keeps them all") {
  Bank db;
  db.must("SELECT evercore_event_type('Grown', 'patch')");
  db.must(declare(R"({"maxProperties":3,"properties":{"n":{"maximum":2}}})"));
  std::string appends;
  const std::string text(1 << 20, 'x');
  for (int round = 1; round <= 2; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string data = round == 1 ? "{\"text\":\"" + text + "\"}" : "{\"n\":2}";
      appends +=
          std::string(appends.empty() ? "" : ",") +
          R"({"aggregate_type":"Account","natural_key":"k)" + std::to_string(i) +
          R"(","events":[{"event_type":"Grown","data":{"n":1}},{"event_type":"Grown","data":)" +
          data + "}]}";
    }
  }
  Query call(db.handle(), "SELECT evercore_append_many(?1)");
  call.bind(1, "[" + appends + "]");
  REQUIRE(call.step() == SQLITE_ROW);
  call.reset();
  CHECK(db.must("SELECT count(*), min(sequence), max(sequence), min(length(state))"
                " FROM evercore_kept_state") == "20|4|4|1048593");
  CHECK(db.problems() == "");
}

TEST_CASE("a schema of states that is declared already takes no lock") {
  const Directory directory;
  Bank db(directory.file("s.db"));
  db.must(no_debt);
  Database other(directory.file("s.db"));
  other.must("BEGIN IMMEDIATE");
  sqlite3_busy_timeout(db.handle(), 0);
  CHECK(db.must(no_debt) == "Account");
  CHECK(db.must("SELECT evercore_aggregate_type('Account')") == "Account");
  CHECK(db.must(declare("null", "Undeclared")) == "Undeclared");
  CHECK(db.run(declare("true")).code == SQLITE_BUSY);
}

TEST_CASE("what is kept of a state is believed at the version alone") {
  Bank db;
  db.must(no_debt + ";" + change(100));
  SUBCASE("where it is missing") {
    db.must("DELETE FROM evercore_kept_state");
  }
  SUBCASE("where it is older") {
    db.must("UPDATE evercore_kept_state SET sequence = 0, state = '{\"balance\":900}'");
  }
  SUBCASE("where it is newer") {
    db.must("UPDATE evercore_kept_state SET sequence = 2, state = '{\"balance\":900}'");
  }
  SUBCASE("where it is no state") {
    db.must("UPDATE evercore_kept_state SET state = '{\"balance'");
  }
  SUBCASE("where something stands behind it") {
    db.must("UPDATE evercore_kept_state SET state = '{\"balance\":900}  x'");
  }
  SUBCASE("where it is a state no longer") {
    db.must("UPDATE evercore_kept_state SET state = '{\"balance\":NaN}'");
  }
  CHECK(db.fails(change(-101)) == refusal(2));
  db.must(change(-100));
  CHECK(db.kept() == "2{\"balance\":0}");
  CHECK(db.problems() == "");
}

TEST_CASE("a schema of states that was damaged is named and lets nothing in") {
  for (const char* text :
       {"{", "", "[1]", "{\"type\":\"text\"}", "null", "7", "{\"$ref\":\"#\"}"}) {
    CAPTURE(text);
    Bank db;
    db.must(change(1) + ";" + no_debt);
    db.spoil("UPDATE evercore_aggregate_type SET schema = '" + std::string(text) + "'");
    CHECK(db.problems() == " schema of aggregate type \"Account\" is damaged");
    for (int which : {0, 3, 6, 7}) {
      CHECK(db.fails(form(which, 1)) == "EV008: schema of aggregate type \"Account\" is damaged");
    }
    db.must("SELECT evercore_append(evercore_ensure('Other', 'o'), 0, 'Changed', '{\"by\":-1}')");
    db.must(no_debt);  // another declaration mends it
    db.must(change(1));
    CHECK(db.problems() == "");
  }
}

TEST_CASE("an event whose rules were damaged is not appended where states are looked at") {
  Bank db;
  db.must(no_debt + ";" + change(1));
  db.spoil("UPDATE evercore_event_type SET rules = '[{]'");
  CHECK(db.fails(change(1)) == "EV008: rules of \"Changed\" are damaged");
  db.must("SELECT evercore_append(evercore_ensure('Other', 'o'), 0, 'Changed', '{\"by\":-1}')");
  db.must("SELECT evercore_append(1, NULL, 'Noted', '{\"note\":1}')");
  CHECK(db.problems() == " rules of \"Changed\" are damaged");
}

TEST_CASE("an aggregate that cannot be folded does not keep a schema from being declared") {
  Bank db;
  db.must(change(1) + ";" + change(2, 1) + "; SELECT evercore_ensure('Account', 'b');" +
          change(3, 2));
  db.must(
      "INSERT INTO _evercore_maintenance VALUES ('test');"
      "DELETE FROM evercore_event WHERE position = 1; DELETE FROM _evercore_maintenance");
  db.must(no_debt);
  CHECK(db.kept() == "1{\"balance\":3}");
  CHECK(db.must("SELECT filled FROM evercore_aggregate_types") == "1");
  CHECK(db.fails(change(1)).starts_with("EV010: "));
  db.must(change(1, 2));
}

TEST_CASE("an append to 10,000 events does what one to 10 does") {
  for (int which : {0, 3, 4, 6, 7}) {
    CAPTURE(which);
    Bank db;
    db.must(no_debt + "; SELECT evercore_ensure('Account', 'b')");
    const auto fill = [&](int id, int events) {
      db.must("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
              std::to_string(events) +
              ") INSERT INTO evercore_append (aggregate_id, event_type,"
              " data) SELECT " +
              std::to_string(id) + ", 'Changed', '{\"by\":10}' FROM n");
    };
    fill(1, 10);
    fill(2, 10);
    const std::int64_t small = work(db, form(which, -1));
    const std::int64_t refused = work(db, insert(row(1)) + "," + row(2));
    fill(1, 9'990);
    CHECK(small > 20);
    CHECK(work(db, form(which, -1)) == small);
    CHECK(work(db, insert(row(1)) + "," + row(2)) == refused);
    CHECK(db.must("SELECT evercore_sequence(1)") == "10000");
  }
}

TEST_CASE("an append to a type without a schema does what it did before another declared one") {
  Bank db;
  db.must("SELECT evercore_ensure('Other', 'o')");
  const std::string append = "SELECT evercore_append(2, NULL, 'Changed', '{\"by\":1}')";
  const std::string two = many(event(1) + "," + event(2), 2);
  db.must(append);
  const std::int64_t once = work(db, append);
  const std::int64_t twice = work(db, two);
  db.must(no_debt + ";" + change(1));
  CHECK(work(db, append) == once);
  CHECK(work(db, two) == twice);
}

TEST_CASE("a state is looked at where a trigger of the user's hangs on the events") {
  Bank db;
  db.must(
      "CREATE TABLE seen (n); CREATE TRIGGER see AFTER INSERT ON evercore_event"
      " BEGIN INSERT INTO seen VALUES (NEW.sequence); END");
  db.must(no_debt + ";" + change(100));
  for (int which = 0; which < forms; ++which) {
    CAPTURE(which);
    CHECK(db.fails(form(which, -101)).starts_with("EV011: state of"));
    db.run("ROLLBACK");
  }
  CHECK(db.must("SELECT group_concat(n) FROM seen") == "1");
  db.must(many(event(-60) + "," + event(-40) + "," + event(1) + "," + event(2)));
  CHECK(db.kept() == "5{\"balance\":3}");
  CHECK(db.problems() == "");
}
