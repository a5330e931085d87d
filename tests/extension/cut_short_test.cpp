// A user's trigger or a host's authorizer in the middle of a compaction or an erasure: all of it is
// undone, whatever the trigger says, and what it left out silently is an error.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

struct Store : Database {
  Store() {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES"
        " ('T','a','E','{\"n\":1}'),('T','a','E','{\"n\":2}'),('T','b','E','{\"n\":1}')");
    must("SELECT evercore_save_snapshot(1, 1, '{}', 1), evercore_save_snapshot(1, 2, '{}', 1)");
  }
  std::string contents() {
    return must(
        "SELECT * FROM evercore_event; SELECT * FROM evercore_aggregate; SELECT * FROM "
        "evercore_snapshot; SELECT * FROM evercore_event_id; SELECT * FROM evercore_compacted_type;"
        " SELECT * FROM _evercore_maintenance");
  }
};

constexpr const char* calls[] = {"SELECT evercore_compact(1, 0)",
                                 "SELECT evercore_compact_type('T', 0)",
                                 "SELECT evercore_erase(1)"};

}  // namespace

TEST_CASE("a trigger that raises in a compaction or erasure undoes all of it, in its own words") {
  for (const char* raise :
       {"ABORT, 'EV010: events are append-only'", "FAIL, 'EV010: no'", "ABORT, 'no'"}) {
    for (const char* when :
         {"BEFORE DELETE ON evercore_event", "AFTER UPDATE ON evercore_event",
          "AFTER UPDATE ON evercore_aggregate", "AFTER INSERT ON evercore_compacted_type",
          "BEFORE DELETE ON evercore_snapshot", "BEFORE DELETE ON _evercore_maintenance"}) {
      for (const char* call : calls) {
        for (const bool inside : {false, true}) {
          Store db;
          db.must(std::string("CREATE TRIGGER keep ") + when + " BEGIN SELECT RAISE(" + raise +
                  "); END");
          const std::string before = db.contents();
          CAPTURE(raise);
          CAPTURE(when);
          CAPTURE(call);
          if (inside) db.must("BEGIN IMMEDIATE");
          const Outcome outcome = db.run(call);
          if (inside) db.must("COMMIT");
          if (outcome.ok()) {  // it never came by that place
            CHECK(db.contents() != before);
          } else {
            CHECK(std::string(raise).find(outcome.message) != std::string::npos);
            CHECK(db.contents() == before);
          }
          CHECK(db.must("SELECT * FROM evercore_check()").empty());
          db.must("DROP TRIGGER keep");
          CHECK_FALSE(db.fails("DELETE FROM evercore_event").empty());
        }
      }
    }
  }
}

TEST_CASE("a trigger that ends the transaction in a compaction leaves nothing of it") {
  for (const char* call : calls) {
    Store db;
    db.must(
        "CREATE TRIGGER keep AFTER UPDATE ON evercore_aggregate BEGIN SELECT RAISE(ROLLBACK, 'no');"
        " END");
    const std::string before = db.contents();
    CHECK_FALSE(db.fails(call).empty());
    db.run("ROLLBACK");
    CHECK(db.contents() == before);
    db.must("DROP TRIGGER keep");
    db.must(call);
  }
}

TEST_CASE(
    "a trigger that ignores a part of a compaction or erasure is an error, and all is undone") {
  struct Case {
    const char *when, *call, *what;
  };
  for (const Case& cut : {
           Case{"BEFORE DELETE ON evercore_event", calls[0], "aggregate 1 was compacted in part"},
           Case{"BEFORE DELETE ON evercore_event", calls[1], "aggregate 1 was compacted in part"},
           Case{"BEFORE UPDATE ON evercore_aggregate", calls[0],
                "aggregate 1 was compacted in part"},
           Case{"BEFORE DELETE ON _evercore_maintenance", calls[0],
                "rows stay in _evercore_maintenance"},
           Case{"BEFORE UPDATE ON evercore_event", calls[2], "aggregate 1 was erased in part"},
           Case{"BEFORE UPDATE ON evercore_aggregate", calls[2], "aggregate 1 was erased in part"},
           Case{"BEFORE DELETE ON evercore_snapshot", calls[2], "aggregate 1 was erased in part"},
       }) {
    Store db;
    db.must(std::string("CREATE TRIGGER quiet ") + cut.when + " BEGIN SELECT RAISE(IGNORE); END");
    const std::string before = db.contents();
    CAPTURE(cut.when);
    CAPTURE(cut.call);
    CHECK(db.fails(cut.call) ==
          std::string("EV010: a trigger or an authorizer cut it short: ") + cut.what);
    CHECK(db.contents() == before);
    db.must("DROP TRIGGER quiet");
    db.must(cut.call);
  }
}

TEST_CASE("a trigger that keeps a base snapshot back makes the compaction fail whole") {
  Store db;
  db.must(
      "CREATE TRIGGER quiet BEFORE INSERT ON evercore_snapshot BEGIN SELECT RAISE(IGNORE); END");
  const std::string before = db.contents();
  CHECK(db.fails(calls[0]) ==
        "EV010: a row was not written: a trigger or rule of its table kept it back");
  CHECK(db.contents() == before);
  db.must("DROP TRIGGER quiet");
  db.must(calls[0]);
}

TEST_CASE("an authorizer that ignores a column does not make a compaction lose its base") {
  for (const char* column : {"base", "natural_key", "erased", "data"}) {
    for (const char* call : calls) {
      Store db;
      const std::string before = db.contents();
      sqlite3_set_authorizer(
          db.handle(),
          [](void* ignored, int action, const char* table, const char* name, const char*,
             const char*) {
            return action == SQLITE_UPDATE && std::string(table).starts_with("evercore_") &&
                           std::string(name) == static_cast<const char*>(ignored)
                       ? SQLITE_IGNORE
                       : SQLITE_OK;
          },
          const_cast<char*>(column));
      CAPTURE(column);
      CAPTURE(call);
      const Outcome outcome = db.run(call);
      sqlite3_set_authorizer(db.handle(), nullptr, nullptr);
      if (!outcome.ok()) CHECK(db.contents() == before);
      CHECK(db.must("SELECT * FROM evercore_check()").empty());
      if (std::string(column) == "base" && call != calls[2]) CHECK_FALSE(outcome.ok());
      if (std::string(column) != "base" && call == calls[2]) CHECK_FALSE(outcome.ok());
    }
  }
}

TEST_CASE("compact_type passes over what is protected, and says so of the one that is asked for") {
  Store db;
  db.must("SELECT evercore_subscribe('s', '{\"aggregate_type\":\"T\",\"natural_key\":\"a\"}')");
  CHECK(db.must("SELECT evercore_compact_type('T', 0)") == "1");
  CHECK(db.must("SELECT base FROM evercore_aggregate ORDER BY aggregate_id") == "0\n1");
  CHECK(db.fails("SELECT evercore_compact(1, 0)") ==
        "EV010: aggregate 1 has events that subscription \"s\" has not read");
}

TEST_CASE("a compaction of which a trigger or an authorizer swallows a part changes nothing") {
  struct Part {
    int action;
    std::string table;
  };
  const std::vector<Part> parts = {{SQLITE_UPDATE, "evercore_event"},
                                   {SQLITE_INSERT, "evercore_event_id"},
                                   {SQLITE_INSERT, "evercore_compacted_type"}};
  for (const Part& part : parts) {
    for (const bool by_trigger : {true, false}) {
      CAPTURE(part.table);
      CAPTURE(by_trigger);
      Store db;
      db.must("SELECT evercore_append(2, 1, 'E', '{\"n\":4}', NULL, NULL, NULL, 'id 1')");
      Part swallowed = part;
      if (by_trigger) {
        db.must("CREATE TRIGGER swallow BEFORE " +
                std::string(part.action == SQLITE_UPDATE ? "UPDATE" : "INSERT") + " ON " +
                part.table + " BEGIN SELECT RAISE(IGNORE); END");
      } else {
        sqlite3_set_authorizer(
            db.handle(),
            [](void* of, int action, const char* table, const char*, const char*, const char*) {
              const auto& [what, where] = *static_cast<Part*>(of);
              return action == what && table == where ? SQLITE_IGNORE : SQLITE_OK;
            },
            &swallowed);
      }
      const std::string before = db.contents();
      CHECK(db.fails("SELECT evercore_compact(2, 0)") ==
            "EV010: a trigger or an authorizer cut it short: aggregate 2 was compacted in part");
      CHECK(db.contents() == before);
      if (by_trigger) db.must("DROP TRIGGER swallow");
      sqlite3_set_authorizer(  // one more, so that statements are prepared anew
          db.handle(),
          [](void*, int, const char*, const char*, const char*, const char*) { return SQLITE_OK; },
          nullptr);
      CHECK(db.must("SELECT evercore_compact(2, 0)") == "2");
      CHECK(db.must("SELECT evercore_append(2, 1, 'E', '{\"n\":4}', NULL, NULL, NULL, 'id 1')") ==
            "2");
      CHECK(db.must("SELECT evercore_append(2, 2, 'E', '{}'); SELECT max(position) FROM"
                    " evercore_log") == "3\n5");
    }
  }
}
