// PRAGMAs of the host: what changes nothing, and what is refused.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

TEST_CASE("deprecated and unusual pragmas of the host change nothing") {
  for (const char* pragma :
       {"count_changes = 1", "reverse_unordered_selects = 1", "recursive_triggers = 1",
        "foreign_keys = 1", "ignore_check_constraints = 1", "case_sensitive_like = 1",
        "full_column_names = 1", "trusted_schema = 0", "cell_size_check = 1",
        "locking_mode = EXCLUSIVE", "auto_vacuum = FULL", "secure_delete = 1",
        "journal_mode = MEMORY", "writable_schema = 1", "legacy_alter_table = 1",
        "temp_store = 2"}) {
    CAPTURE(pragma);
    Database db(":memory:", Database::Store::none);
    (void)db.run(std::string("PRAGMA ") + pragma);
    db.must("SELECT evercore_migrate()");
    CHECK(db.must("SELECT evercore_append(evercore_ensure('T','ä'), 0, 'E', '{\"n\":\"é\"}')") ==
          "1");
    CHECK(db.must("SELECT " + append_call() + ", evercore_snapshot(1)") == "2|2");
    CHECK(db.run("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES "
                 "(1,'F','{}'),(1,'G','{}')")
              .ok());
    db.must("BEGIN; SELECT " + append_call() + "; SELECT " + append_call() + "; COMMIT");
    CHECK(db.must("SELECT "
                  "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"H\","
                  "\"data\":{}}]}]')") ==
          "[{\"aggregate_id\":1,\"first_position\":7,\"sequence\":7,\"position\":7}]");
    CHECK(db.must("SELECT evercore_state(1)") == "{\"n\":1}");
    CHECK(db.must("SELECT evercore_find('T','ä')") == "1");
    CHECK(db.must("SELECT evercore_compact(1, 2)") == "5");
    CHECK(db.fails("SELECT evercore_migrate(0)") == "EV010: the store holds events");
    CHECK(db.must("SELECT group_concat(sequence) FROM evercore_events(1)") == "6,7");
    CHECK(db.must("SELECT count(*) FROM evercore_check()") == "0");
    CHECK(db.close() == SQLITE_OK);
  }
}

TEST_CASE(
    "calls of several statements are refused where nothing could be taken back: journal_mode OFF") {
  const std::string refusal =
      "EV010: with PRAGMA journal_mode = OFF a call that fails cannot be taken back: set it to WAL "
      "or DELETE, in a "
      "database in memory to MEMORY";
  for (const std::string& path : {std::string(":memory:"), std::string("file")}) {
    CAPTURE(path);
    Directory directory;
    const std::string on =
        std::string("PRAGMA journal_mode = ") + (path == "file" ? "DELETE" : "MEMORY") + "; ";
    const std::string name = path == "file" ? directory.file("s.db") : path;
    {
      Database none(name, Database::Store::none);
      none.must("PRAGMA journal_mode = OFF");
      CHECK(none.fails("SELECT evercore_migrate()") == refusal);
      none.must(on + "SELECT evercore_migrate()");
      none.must("SELECT evercore_ensure('T','a'), " + append_call() +
                "; PRAGMA journal_mode = OFF");
      for (const std::string& call :
           {std::string("evercore_create('T')"), std::string("evercore_snapshot(1)"),
            std::string("evercore_compact(1, 1)"), std::string("evercore_event_type('E', 'patch')"),
            std::string("evercore_subscribe('s')")}) {
        CAPTURE(call);
        CHECK(none.fails("SELECT " + call) == refusal);
      }
      CHECK(
          none.fails(
              "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1,'E','{}')") ==
          refusal);
      CHECK(none.must("SELECT evercore_state(1)") == "{\"n\":1}");
      CHECK(none.must("SELECT count(*) FROM evercore_log") == "1");
      // A call that fails before it writes leaves the transaction without a journal, so the mode can still be set.
      none.must(on + "BEGIN");
      CHECK(none.fails("SELECT " + append_call("99")) == "EV002: no aggregate 99");
      none.must("PRAGMA journal_mode = OFF");
      CHECK(none.must("PRAGMA journal_mode") == "off");
      CHECK(none.fails("SELECT evercore_create('T')") == refusal);
      none.must("ROLLBACK; " + on + "SELECT " + append_call());
    }
  }
}
