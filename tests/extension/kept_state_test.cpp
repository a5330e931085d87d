// What is kept of states for appends: how it is filled, and what becomes of it where folds, names and aggregates change.
#include <doctest/doctest.h>

#include <string>

#include "extension/bank.h"

using namespace evercore::test;

TEST_CASE("of more than 100,000 aggregates what is kept is left to evercore_fill") {
  Bank db;
  db.must(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001)"
      "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
      " SELECT 'Account', 'k' || i, 'Changed', '{\"by\":' || i || '}' FROM n");
  db.must("SELECT evercore_append(evercore_ensure('Other', 'o'), 0, 'Changed', '{\"by\":1}')");
  const auto filled = [&] {
    return db.must(
        "SELECT group_concat(filled) FROM (SELECT filled FROM evercore_aggregate_types"
        " ORDER BY aggregate_type)");
  };
  db.must(no_debt);
  CHECK(filled() == "0");
  CHECK(db.count("evercore_kept_state") == 0);
  // States are looked at all the same, and an append keeps what it made up.
  CHECK(db.fails(change(-2, 2)) ==
        "EV011: state of \"Account\" \"k1\" at sequence 2: /balance: minimum");
  db.must(change(-1, 3));
  CHECK(db.count("evercore_kept_state") == 1);
  CHECK(db.must("SELECT evercore_fill(1000)") == "99001");
  CHECK(db.must("SELECT evercore_fill(99000)") == "1");
  CHECK(filled() == "0");
  CHECK(db.must("SELECT evercore_fill(7), evercore_fill()") == "0|0");
  CHECK(filled() == "1");
  CHECK(db.count("evercore_kept_state") == 100'001);

  // A type of fewer is not kept waiting, and events that are left count too.
  db.must(declare("true", "Other"));
  db.must(
      "SELECT evercore_event_type('Changed', '[{\"subtract\":{\"/balance\":\"/by\"}}]',"
      " '{\"tags\":{\"by\":\"/by\"}}')");
  CHECK(filled() == "0,1");
  CHECK(db.must("SELECT aggregate_id || state FROM evercore_kept_state")
            .ends_with("{\"balance\":-1}"));
  CHECK(db.fails(change(1, 2)) ==
        "EV011: state of \"Account\" \"k1\" at sequence 2: /balance: minimum");
  db.must(change(-2, 2));
  CHECK(db.must("SELECT evercore_fill(100)") == "199904");
  CHECK(db.must("SELECT evercore_fill()") == "0");
  CHECK(filled() == "1,1");
  CHECK(db.must("SELECT state FROM evercore_kept_state WHERE aggregate_id = 100002") ==
        "{\"balance\":-100001}");
  CHECK(db.count("evercore_kept_state") == 100'002);
  CHECK(db.problems() == "");
  db.must(declare("null"));
  CHECK(filled() == "1");
  CHECK(db.count("evercore_kept_state") == 1);
}

TEST_CASE("a schema that is taken away leaves nothing to fill") {
  Bank db;
  db.must(change(1) + ";" + no_debt + ";" + change(1));
  db.spoil(
      "DELETE FROM evercore_kept_state; UPDATE evercore_aggregate_type SET filled_to = 0,"
      " fill_upto = 1, unfilled = 1 WHERE name = 'Account'");
  CHECK(db.must("SELECT filled FROM evercore_aggregate_types") == "0");
  SUBCASE("by null") {
    db.must(declare("null"));
    CHECK(db.must("SELECT coalesce(filled_to, fill_upto, unfilled) FROM evercore_aggregate_type"
                  " WHERE name = 'Account'") == "NULL");
    CHECK(db.must("SELECT evercore_fill()") == "0");
  }
  SUBCASE("but another in its place does, and a fold fills") {
    db.must(declare("true"));
    CHECK(db.must("SELECT filled FROM evercore_aggregate_types") == "0");
    db.must("SELECT evercore_event_type('Changed', 'merge')");
    CHECK(db.must("SELECT filled FROM evercore_aggregate_types") == "1");
    CHECK(db.kept() == "2{\"by\":1}");
  }
  CHECK(db.problems() == "");
}

TEST_CASE("erasure leaves nothing of a state, and what a fold or a rename changed is kept anew") {
  Bank db;
  db.must(no_debt + ";" + change(5));
  db.must("SELECT evercore_append(1, 1, 'Named', '{\"name\":\"Ann\"}')");
  db.must(
      "SELECT evercore_event_type('Named', '[{\"set\":{\"/by\":{\"field\":\"event_type\"}}}]')");
  CHECK(db.kept() == "2{\"balance\":5,\"by\":\"Named\"}");
  db.must("SELECT evercore_rename_type('event', 'Named', 'Titled')");
  CHECK(db.kept() == "2{\"balance\":5,\"by\":\"Titled\"}");
  db.must("SELECT evercore_erase(1)");
  CHECK(db.kept() == "");
  CHECK(db.problems() == "");
}
