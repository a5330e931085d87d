// The order of refusals in the three forms of append, and repeats that are passed over one by one.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

std::string call(const std::string& id, const std::string& expected, const std::string& type,
                 const std::string& data, const std::string& event_id = "NULL") {
  return "SELECT evercore_append(" + id + ", " + expected + ", " + type + ", " + data +
         ", NULL, NULL, NULL, " + event_id + ")";
}
std::string row(const std::string& id, const std::string& expected, const std::string& type,
                const std::string& data, const std::string& event_id = "NULL") {
  return "INSERT INTO evercore_append (aggregate_id, expected, event_type, data, event_id) VALUES"
         " (" +
         id + ", " + expected + ", " + type + ", " + data + ", " + event_id + ")";
}
std::string many(const std::string& appends) {
  return "SELECT evercore_append_many('[" + appends + "]')";
}
std::string element(const std::string& head, const std::string& events) {
  return "{" + head + ",\"events\":[" + events + "]}";
}
std::string event(const std::string& id, const std::string& n = "1") {
  return R"({"event_type":"E","event_id":")" + id + R"(","data":{"n":)" + n + "}}";
}

struct Store : Database {
  Store() {
    must("SELECT evercore_ensure('T','a'), evercore_ensure('T','b')");
    must(many(element(R"("aggregate_id":1)", event("x1") + "," + event("x2"))));
  }
};

}  // namespace

TEST_CASE("of several faults of one event the same one is named, in every form") {
  Store db;
  db.must("SELECT evercore_ensure('T','gone'), evercore_erase(3)");
  using Make = std::string (*)(const std::string&, const std::string&, const std::string&,
                               const std::string&, const std::string&);
  for (const Make make : {Make{call}, Make{row}}) {
    CHECK(db.fails(make("99", "'x'", "''", "'[]'", "''")) ==
          "EV004: data: not an object at byte 1");
    CHECK(db.fails(make("99", "'x'", "''", "'{}'", "''")) == "EV005: event_type is empty");
    CHECK(db.fails(make("99", "'x'", "NULL", "NULL", "''")) == "EV005: event_type is NULL");
    CHECK(db.fails(make("99", "'x'", "'E'", "NULL", "''")) == "EV005: event_id is empty");
    CHECK(db.fails(make("99", "-1", "'E'", "'{}'", "'x1'")) ==
          "EV009: expected is out of range: -1");
    CHECK(db.fails(make("99", "7", "'E'", "'{\"n\":2}'", "'x1'")) == "EV002: no aggregate 99");
    CHECK(db.fails(make("3", "7", "'E'", "'{\"n\":2}'", "'x1'")) ==
          "EV002: aggregate 3 was erased");
    CHECK(db.fails(make("1", "7", "'E'", "'{\"n\":2}'", "'x1'")) ==
          "EV007: event_id \"x1\" exists with other content");
    CHECK(db.run(make("1", "7", "'E'", "'{\"n\":1}'", "'x1'")).ok());  // a repeat has its answer
    CHECK(db.fails(make("1", "7", "'E'", "'{\"n\":1}'", "'x9'")) ==
          "EV001: conflict: aggregate 1 is at sequence 2, expected 7");
  }
  const std::string both =
      "INSERT INTO evercore_append (aggregate_id, aggregate_type, natural_key,"
      " expected, event_type, data) VALUES (99, 'T', ";
  CHECK(db.fails(both + "'', -1, 'E', '{}')") == "EV005: natural_key is empty");
  CHECK(db.fails(both + "'k', -1, 'E', '{}')") == "EV009: expected is out of range: -1");
  CHECK(db.fails(both + "'k', 7, 'E', '{}')") ==
        "EV009: aggregate_id is given together with a type or key");
  CHECK(db.events() == 2);
}

TEST_CASE("a payload that is too large with its metadata comes after what is wrong with either") {
  Store db;
  const std::string half =
      "'{\"a\":\"' || hex(zeroblob(4194304 * 2)) || '\"}'";  // 16 MiB of digits
  CHECK(db.fails("SELECT evercore_append(99, NULL, '', '{}', NULL, " + half + ")") ==
        "EV004: metadata: too large");
  const std::string most = "'{\"a\":\"' || hex(zeroblob(4194304)) || '\"}'";
  CHECK(db.fails("SELECT evercore_append(99, NULL, '', " + most + ", NULL, " + most + ")") ==
        "EV004: data: too large");
  CHECK(db.fails("SELECT evercore_append(99, NULL, '', " + most + ", NULL, '[]')") ==
        "EV004: metadata: not an object at byte 1");
}

TEST_CASE("a call of many names the first event at fault, then targets, repeats and versions") {
  Store db;
  const std::string bad_version = element(R"("aggregate_id":1,"expected":7)", event("x8"));
  const std::string no_target = element(R"("aggregate_id":99)", event("x9"));
  const std::string other = element(R"("aggregate_id":1)", event("x1", "2"));
  const std::string mixed = element(R"("aggregate_id":1)", event("x1"));
  const std::string bad_name = element(R"("aggregate_id":99)", R"({"event_type":"","data":{}})");
  const std::string bad_data =
      element(R"("aggregate_id":99,"expected":-1)", R"({"event_type":"","data":[]})");
  const std::string conflict = "EV001: conflict: aggregate 1 is at sequence 2, expected 7";
  CHECK(db.fails(many(bad_version)) == conflict);
  CHECK(db.fails(many(bad_version + "," + mixed)) ==
        "EV007: event_id \"x1\" exists: one call cannot mix repeats and new events");
  CHECK(db.fails(many(bad_version + "," + other)) ==
        "EV007: event_id \"x1\" exists with other content");
  CHECK(db.fails(many(bad_version + "," + element(R"("aggregate_id":1)", event("x8", "2")))) ==
        "EV007: event_id \"x8\" exists with other content");
  CHECK(db.fails(many(bad_version + "," + other + "," + no_target)) == "EV002: no aggregate 99");
  CHECK(db.fails(many(bad_version + "," + no_target + "," + bad_name)) ==
        "EV005: event_type is empty");
  CHECK(db.fails(many(bad_name + "," + bad_data)) == "EV005: event_type is empty");
  CHECK(db.fails(many(bad_data + "," + bad_name)) == "EV004: data: not an object at byte 1");
  CHECK(db.fails(many(element(R"("aggregate_id":99,"x":1)", R"({"event_type":"","data":{}})"))) ==
        "EV005: event_type is empty");
  CHECK(db.fails(many(element(R"("aggregate_id":99,"x":1)", R"({"event_type":"E","data":{}})"))) ==
        "EV009: unknown member \"x\" in an append");
  CHECK(db.events() == 2);
}

TEST_CASE("a number that is an integer is taken however it is spelled") {
  Store db;
  const std::string tail = R"(,"events":[{"event_type":"E","data":{}}]})";
  for (const char* id : {"1e0", "1.0", "10e-1", "0.1E+1", "1.000e0", "\"1\""}) {
    CAPTURE(id);
    CHECK(db.run(many(R"({"aggregate_id":)" + std::string(id) + tail)).ok());
  }
  for (const char* id :
       {"1.5", "1e40", "true", "\"1.0\"", "9223372036854775808", "1.00000000000000000000001"}) {
    CAPTURE(id);
    CHECK(db.fails(many(R"({"aggregate_id":)" + std::string(id) + tail)) ==
          "EV009: aggregate_id is not an integer");
  }
  CHECK(db.run(many(R"({"aggregate_id":2,"expected":0.0)" + tail)).ok());
  CHECK(db.run(many(R"({"aggregate_id":2,"expected":0e-7)" + tail)).message.starts_with("EV001"));
}

TEST_CASE("a version is read alike from each spelling of its number, or refused") {
  const std::string odd = "EV009: expected is not an integer";
  const std::string negative = "EV009: expected is out of range: -2";
  struct Case {
    const char* spelling;
    std::string fault;
  };
  for (const Case& number :
       {Case{"2", ""}, Case{"'2'", ""}, Case{"'+2'", ""}, Case{"' 2\t'", ""}, Case{"2.0", ""},
        Case{"'-2'", negative}, Case{"-2.0", negative}, Case{"'+-2'", odd}, Case{"'2x'", odd},
        Case{"' '", odd}, Case{"2.5", odd}, Case{"9.1e15", odd}, Case{"-9.1e15", odd},
        Case{"1e300", odd}, Case{"'99999999999999999999'", odd}, Case{"x'32'", odd}}) {
    CAPTURE(number.spelling);
    Store db;
    CHECK(db.fails(call("1", number.spelling, "'E'", "'{}'")) == number.fault);
    CHECK(db.fails(row("2", number.spelling, "'E'", "'{}'")) ==
          (number.fault.empty() ? "EV001: conflict: aggregate 2 is at sequence 0, expected 2"
                                : number.fault));
  }
  for (const Case& number :
       {Case{"2", ""}, Case{"2.0", ""}, Case{"2e0", ""}, Case{"2E+0", ""}, Case{"20e-1", ""},
        Case{"0.2e1", ""}, Case{"-2", negative}, Case{"-2.0", negative}, Case{"2.5", odd},
        Case{"2e-99999999999999999999", odd}, Case{"1e19", odd}, Case{"9223372036854775808", odd},
        Case{"true", odd},
        Case{"1e18", "EV001: conflict: aggregate 1 is at sequence 2, expected 1000000000000000000"},
        Case{"0e99999999999999999999", "EV001: conflict: aggregate 1 is at sequence 2, expected 0"},
        Case{"-0.0", "EV001: conflict: aggregate 1 is at sequence 2, expected 0"}}) {
    CAPTURE(number.spelling);
    Store db;
    const std::string head = R"("aggregate_id":1,"expected":)" + std::string(number.spelling);
    CHECK(db.fails(many(element(head, event("new")))) == number.fault);
  }
}

TEST_CASE("an append that skips repeats takes a batch that has grown") {
  Store db;
  const std::string grown = event("x1") + "," + event("x2") + "," + event("x3");
  const std::string skip = R"("aggregate_id":1,"repeats":"skip")";
  CHECK(db.fails(many(element(R"("aggregate_id":1)", grown))) ==
        "EV007: event_id \"x1\" exists: one call cannot mix repeats and new events");
  CHECK(db.must(many(element(skip + R"(,"expected":0)", grown + "," + event("x3")))) ==
        R"([{"aggregate_id":1,"first_position":3,"sequence":3,"position":3}])");
  CHECK(db.must(many(element(skip + R"(,"expected":70)", grown))) ==
        R"([{"aggregate_id":1,"first_position":1,"sequence":3,"position":3,"repeated":true}])");
  CHECK(db.fails(many(element(skip + R"(,"expected":1)", grown + "," + event("x4")))) ==
        "EV001: conflict: aggregate 1 is at sequence 3, expected 4");
  CHECK(db.fails(many(element(skip, event("x1", "2")))) ==
        "EV007: event_id \"x1\" exists with other content");
  CHECK(db.fails(many(element(skip, event("x5") + "," + event("x5", "2")))) ==
        "EV007: event_id \"x5\" exists with other content");
  CHECK(db.fails(many(element(skip, grown + "," + event("x4")) + "," +
                      element(R"("aggregate_id":1)", event("x1")))) ==
        "EV007: event_id \"x1\" exists: one call cannot mix repeats and new events");
  CHECK(db.must(many(element(skip, grown) + "," + element(R"("aggregate_id":2)", event("y1")))) ==
        R"([{"aggregate_id":1,"first_position":1,"sequence":3,"position":3,"repeated":true},)"
        R"({"aggregate_id":2,"first_position":4,"sequence":1,"position":4}])");
  CHECK(db.fails(many(element(R"("aggregate_id":1,"repeats":"no")", event("x1")))) ==
        "EV009: repeats is not \"skip\"");
  CHECK(db.run(many(element(R"("aggregate_id":1,"repeats":null)", event("x1")))).ok());
  db.must("SELECT evercore_compact(1, 1)");
  CHECK(db.must(many(element(skip, grown + "," + event("x4")))) ==
        R"([{"aggregate_id":1,"first_position":5,"sequence":4,"position":5}])");
}

TEST_CASE("under OR IGNORE a repeat is no fault and every row stands for itself") {
  for (const char* begin : {"", "BEGIN"}) {
    Store db;
    db.must(begin);
    CHECK(db.run("INSERT OR IGNORE INTO evercore_append (aggregate_type, natural_key, event_type,"
                 " data, event_id) VALUES ('T','a','E','{\"n\":1}','x1'), ('T','a','E','{}','x3'),"
                 " ('T','b','E','{}','x4'), ('T','b','E','{}',NULL), ('T','a','E','{}','x1'),"
                 " ('T','b','E','{}','x4'), ('T','a','E','{}','x5')")
              .ok());
    if (!db.autocommit()) db.must("COMMIT");
    CHECK(
        db.must("SELECT natural_key || sequence, event_id FROM evercore_log WHERE position > 2") ==
        "a3|x3\nb1|x4\nb2|NULL\na4|x5");
    CHECK(db.fails("INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES"
                   " (1,'E','{\"n\":1}','x1'), (1,'E','{}','x6')") ==
          "EV007: event_id \"x1\" exists: one call cannot mix repeats and new events (row 2)");
  }
}

TEST_CASE("REPLACE and upserts leave what is there, whatever they would replace") {
  const std::string columns =
      " (aggregate_id, sequence, type_id, event_time, data, event_id) VALUES ";
  const std::string refusal =
      "unknown function: EV010: evercore's tables are not open to REPLACE: what is there stays()";
  for (const char* begin : {"", "BEGIN"}) {
    CAPTURE(begin);
    Database db;
    db.must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id)"
        " VALUES ('T','a','E','{\"n\":1}','i-1'),('T','a','E','{\"n\":2}','i-2')");
    db.must("SELECT evercore_ensure('T', 'b')");
    const std::string all =
        "SELECT * FROM evercore_event; SELECT * FROM evercore_aggregate;"
        " SELECT * FROM evercore_aggregate_type; SELECT * FROM evercore_event_type";
    const std::string before = db.must(all);
    db.must(begin);
    for (const std::string& replace :
         {std::string("INSERT OR REPLACE INTO evercore_event SELECT * FROM evercore_event"),
          "REPLACE INTO evercore_event" + columns + "(1,2,1,0,'{}',NULL)",
          "REPLACE INTO evercore_event" + columns + "(1,3,1,0,'{}',NULL),(1,2,1,0,'{}',NULL)",
          "REPLACE INTO evercore_event" + columns + "(1,3,1,0,'{}','i-1')",
          std::string("REPLACE INTO evercore_aggregate (aggregate_id, type_id) VALUES (1, 1)"),
          std::string("REPLACE INTO evercore_aggregate_type (type_id, name) VALUES (1, 'U')"),
          std::string("REPLACE INTO evercore_event_type (name) VALUES ('E')"),
          std::string("UPDATE OR REPLACE evercore_event_type SET name = 'F' WHERE name = 'E'"),
          std::string("UPDATE OR REPLACE evercore_aggregate_type SET name = 'U' WHERE name = 'T'"),
          std::string("REPLACE INTO evercore_event_id SELECT 'i-1', 1, 1, 1, 1, NULL")}) {
      CAPTURE(replace);
      CHECK(db.fails(replace) == refusal);
      CHECK(db.must(all) == before);
    }
    for (const std::string& upsert :
         {"INSERT INTO evercore_event" + columns +
              "(1,2,1,0,'{}',NULL) ON CONFLICT DO UPDATE SET data = excluded.data",
          std::string("DELETE FROM evercore_aggregate"),
          std::string("DELETE FROM evercore_event_type"),
          std::string("DELETE FROM evercore_aggregate_type"),
          std::string("UPDATE evercore_aggregate SET type_id = 2"),
          std::string("UPDATE evercore_event_type SET type_id = 2"),
          std::string("UPDATE OR REPLACE evercore_aggregate_type SET type_id = 2"),
          std::string("UPDATE OR REPLACE evercore_aggregate SET natural_key = 'b'"),
          std::string("UPDATE OR REPLACE evercore_aggregate SET rowid = 2 WHERE rowid = 1"),
          std::string("UPDATE evercore_aggregate SET _rowid_ = 77 WHERE rowid = 1"),
          std::string("UPDATE OR REPLACE evercore_event_type SET rowid = 77 WHERE oid = 1"),
          std::string("UPDATE OR REPLACE evercore_aggregate_type SET oid = 77")}) {
      CAPTURE(upsert);
      CHECK(db.fails(upsert).starts_with("EV010: "));
      CHECK(db.must(all) == before);
    }
    // What replaces nothing is as it was.
    db.must("INSERT OR IGNORE INTO evercore_event" + columns + "(1,2,1,0,'{}',NULL)");
    db.must("INSERT INTO evercore_event" + columns + "(1,2,1,0,'{}',NULL) ON CONFLICT DO NOTHING");
    CHECK(
        db.fails("INSERT INTO evercore_event" + columns + "(1,3,1,0,'{}',NULL),(1,2,1,0,'{}',NULL)")
            .starts_with("UNIQUE constraint failed"));
    CHECK(db.must(all) == before);
    db.must("INSERT OR FAIL INTO evercore_event" + columns + "(1,3,1,0,'{}',NULL)");
    db.must("INSERT OR ROLLBACK INTO evercore_event" + columns + "(1,4,1,0,'{}',NULL)");
    CHECK(db.must("SELECT evercore_append(1, 4, 'E', '{}')") == "5");
    CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
  }
}

TEST_CASE("a store is migrated in a connection that is defensive, and stays so") {
  Database db(":memory:", Database::Store::none);
  sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  for (const char* target : {"3", "2", "3"}) {
    db.must(std::string("SELECT evercore_migrate(") + target + ")");
    int on = 0;
    sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, -1, &on);
    CHECK(on == 1);
    sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1, &on);
    CHECK(on == 0);
  }
  CHECK(db.fails("REPLACE INTO evercore_event_type (name) VALUES ('E')").find("EV010") !=
        std::string::npos);
}
