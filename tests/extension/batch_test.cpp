// evercore_append_many writes many events by one INSERT: it does what one INSERT for each would do.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// An element of `count` events, numbered from `first` on.
std::string element(const std::string& head, int first, int count, const std::string& more = "") {
  std::string events;
  for (int n = first; n < first + count; ++n) {
    events += (n > first ? "," : "") + std::string(R"({"event_type":"E")") + std::to_string(n % 2) +
              R"(","data":{"n":)" + std::to_string(n) + "}" + more + "}";
  }
  // The event types are E0 and E1.
  for (std::size_t at = 0; (at = events.find("\"E\"", at)) != std::string::npos;) {
    events.erase(at + 2, 1);
  }
  return "{" + head + R"(,"events":[)" + events + "]}";
}

std::string many(const std::string& elements) {
  return "SELECT evercore_append_many('[" + elements + "]')";
}

struct Store : Database {
  Store() { must("SELECT evercore_ensure('T','a'), evercore_ensure('T','b')"); }
};

const std::string log =
    "SELECT position, aggregate_id, sequence, event_type, data, reference, metadata"
    " FROM evercore_log";
const std::string sound = "SELECT * FROM evercore_check()";

}  // namespace

TEST_CASE("a batch gives the positions and sequences that single events would have") {
  Store together;
  Store single;
  const std::string a = R"("aggregate_id":1)";
  const std::string b = R"("aggregate_type":"T","natural_key":"b","expected":0)";
  CHECK(together.must(many(element(a, 1, 3) + "," + element(b, 4, 3) + "," + element(a, 7, 2))) ==
        R"([{"aggregate_id":1,"first_position":1,"sequence":3,"position":3},)"
        R"({"aggregate_id":2,"first_position":4,"sequence":3,"position":6},)"
        R"({"aggregate_id":1,"first_position":7,"sequence":5,"position":8}])");
  for (int n = 1; n <= 8; ++n) {
    single.must(many(element(n >= 4 && n <= 6 ? R"("aggregate_id":2)" : a, n, 1)));
  }
  CHECK(together.must(log) == single.must(log));
  CHECK(together.must(sound).empty());
  CHECK(together.must("SELECT event_time = recorded_at FROM evercore_log WHERE position = 8") ==
        "1");
}

TEST_CASE("a batch keeps all that an event may have") {
  Store db;
  const std::string more =
      R"(,"reference":"r","metadata":{"m":1},"event_time":"2020-01-02T03:04:05Z")";
  db.must(many(element(R"("aggregate_id":1)", 1, 4, more) + "," +
               element(R"("aggregate_id":2)", 5, 2)));
  CHECK(db.must("SELECT DISTINCT aggregate_id, reference, metadata, event_time < '2021',"
                " recorded_at > '2021' FROM evercore_log") == "1|r|{\"m\":1}|1|1\n2|NULL|NULL|0|1");
}

TEST_CASE("a snapshot that falls due within a batch holds the events before it and no others") {
  Store db;
  db.must("SELECT evercore_snapshot_policy('T', 4, 9)");
  const std::string a = R"("aggregate_id":1)";
  db.must(many(element(a, 1, 3) + "," + element(a, 4, 2) + "," + element(a, 6, 5)));
  CHECK(db.must("SELECT sequence, state FROM evercore_snapshot") == "5|{\"n\":5}\n10|{\"n\":10}");
  CHECK(db.must(sound).empty());
}

TEST_CASE("a batch of more bytes than go together is written in parts") {
  Store db;
  std::string events;
  const std::string large(300'000, 'x');
  for (int n = 1; n <= 12; ++n) {
    events += (n > 1 ? "," : "") + std::string(R"({"event_type":"E","data":{"x":")") + large +
              R"(","n":)" + std::to_string(n) + "}}";
  }
  CHECK(db.must(many(R"({"aggregate_id":1,"events":[)" + events + "]}")) ==
        R"([{"aggregate_id":1,"first_position":1,"sequence":12,"position":12}])");
  CHECK(
      db.must("SELECT group_concat(data ->> 'n'), sum(length(data) > 300000) FROM evercore_log") ==
      "1,2,3,4,5,6,7,8,9,10,11,12|12");
}

TEST_CASE("a batch is refused whole for a conflict") {
  Store db;
  CHECK(db.fails(many(element(R"("aggregate_id":1)", 1, 5) + "," +
                      element(R"("aggregate_id":2,"expected":3)", 6, 5))) ==
        "EV001: conflict: aggregate 2 is at sequence 0, expected 3");
  CHECK(db.events() == 0);
}

TEST_CASE("a batch goes on behind what was written past evercore in its transaction") {
  Store db;
  const std::string a = R"("aggregate_id":1)";
  db.must("BEGIN");
  db.must(many(element(a, 1, 5)));
  db.must(
      "INSERT INTO evercore_event (aggregate_id, sequence, type_id, event_time, data)"
      " VALUES (1, 6, 1, 0, '{\"n\":6}')");
  CHECK(db.must(many(element(a, 7, 5))) ==
        R"([{"aggregate_id":1,"first_position":7,"sequence":11,"position":11}])");
  db.must("COMMIT");
  CHECK(db.must("SELECT group_concat(data ->> 'n') FROM evercore_log") ==
        "1,2,3,4,5,6,7,8,9,10,11");
  CHECK(db.must(sound).empty());
}

TEST_CASE("a trigger of the user's sees each event of a batch as if it came alone") {
  Store db;
  const std::string a = R"("aggregate_id":1)";
  db.must(many(element(a, 1, 5)));
  db.must(
      "CREATE TABLE seen (n UNIQUE, newest);"
      "CREATE TRIGGER see AFTER INSERT ON evercore_event BEGIN"
      " INSERT INTO seen SELECT new.sequence, max(position) FROM evercore_event; END");
  db.must(many(element(a, 6, 5)));
  CHECK(db.must("SELECT * FROM seen") == "6|6\n7|7\n8|8\n9|9\n10|10");
  db.must("INSERT INTO seen VALUES (13, 0)");
  CHECK(db.fails(many(element(a, 11, 5))) == "UNIQUE constraint failed: seen.n");
  CHECK(db.events() == 10);
}

TEST_CASE("an authorizer that ignores what a batch reads or writes makes it fail whole") {
  Store db;
  db.must(many(element(R"("aggregate_id":1)", 1, 5)));
  for (const int ignored : {SQLITE_INSERT, SQLITE_READ}) {
    CAPTURE(ignored);
    int code = ignored;
    sqlite3_set_authorizer(
        db.handle(),
        [](void* ignoring, int action, const char* table, const char*, const char*, const char*) {
          const std::string_view name = table == nullptr ? "" : table;
          const bool meant = *static_cast<int*>(ignoring) == SQLITE_INSERT
                                 ? action == SQLITE_INSERT && name == "evercore_event"
                                 : action == SQLITE_READ && name == "_evercore_staged";
          return meant ? SQLITE_IGNORE : SQLITE_OK;
        },
        &code);
    const auto result = db.run(many(element(R"("aggregate_id":1)", 6, 5)));
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    if (ignored == SQLITE_INSERT) CHECK_FALSE(result.ok());
    CHECK(db.events() == (result.ok() ? 10 : 5));
    CHECK(db.must(sound).empty());
  }
}

TEST_CASE("an authorizer that puts NULL in place of one column takes nothing from a batch") {
  for (const char* hidden : {"data", "reference", "metadata", "recorded_at", "event_time"}) {
    CAPTURE(hidden);
    Store db;
    Store unhindered;
    const std::string call =
        many(element(R"("aggregate_id":1)", 1, 5,
                     R"(,"reference":"r","metadata":{"m":1},"event_time":"2026-01-01T00:00:00Z")"));
    sqlite3_set_authorizer(
        db.handle(),
        [](void* name, int action, const char*, const char* column, const char*, const char*) {
          const bool meant = action == SQLITE_READ && column != nullptr &&
                             std::string_view(column) == static_cast<const char*>(name);
          return meant ? SQLITE_IGNORE : SQLITE_OK;
        },
        const_cast<char*>(hidden));
    const auto result = db.run(call);
    sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
    unhindered.must(call);
    if (result.ok()) CHECK(db.must(log) == unhindered.must(log));
    CHECK(db.events() == (result.ok() ? 5 : 0));
  }
}

TEST_CASE("an authorizer that knows no table of ours but the old ones lets a batch through") {
  Store db;
  sqlite3_set_authorizer(
      db.handle(),
      [](void*, int, const char* table, const char*, const char*, const char*) {
        const std::string_view name = table == nullptr ? "" : table;
        return name == "_evercore_staged" ? SQLITE_DENY : SQLITE_OK;
      },
      nullptr);
  db.must(many(element(R"("aggregate_id":1)", 1, 5)));
  sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
  CHECK(db.events() == 5);
}

TEST_CASE("a batch of more small events than go together is written in parts") {
  Store db;
  CHECK(db.must(many(element(R"("aggregate_id":1)", 1, 10'003))) ==
        R"([{"aggregate_id":1,"first_position":1,"sequence":10003,"position":10003}])");
  CHECK(db.must("SELECT count(*), sum(position = sequence AND data ->> 'n' = position)"
                " FROM evercore_log") == "10003|10003");
  CHECK(db.must(sound).empty());
}
