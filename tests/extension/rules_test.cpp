// Rules that somebody else wrote into the file, or another connection declared.
#include <doctest/doctest.h>

#include <string>

#include "extension/tagged_store.h"
#include "support/database.h"

using namespace evercore::test;

namespace {

const std::string adds = "SELECT evercore_event_type('E', '[{\"add\":{\"/n\":\"/v\"}}]')";
const std::string append = "SELECT evercore_append(1, NULL, 'E', '{\"v\":2}')";
const std::string state = "SELECT evercore_state(1)";

}  // namespace

TEST_CASE("rules that were damaged are named, and nothing is folded by them") {
  for (const char* rules :
       {"[", "x", "", "{}", "[1]", "[{\"add\":1}]", "[{\"add\":{\"/n\":\"v\"}}]",
        "[{\"set\":{\"/n\":\"/v\",\"/n\":\"/w\"}}]"}) {
    CAPTURE(rules);
    TaggedStore db;
    db.must(adds);
    db.must(append);
    db.must("SELECT evercore_snapshot(1)");
    db.must(append);
    db.spoil("UPDATE evercore_event_type SET rules = '" + std::string(rules) + "'");
    CHECK(db.problems() == " rules of \"E\" are damaged");
    CHECK(db.fails(state) == "EV008: rules of \"E\" are damaged");
    CHECK(db.fails("SELECT count(*) FROM evercore_history(1)") ==
          "EV008: rules of \"E\" are damaged");
    db.must(append);
    db.must(adds);  // another declaration mends it
    CHECK(db.must(state) == "{\"n\":6}");
    CHECK(db.problems() == "");
  }
}

TEST_CASE("a type with rules folds by nothing else") {
  TaggedStore db;
  db.must(adds);
  db.must(append);
  db.spoil("UPDATE evercore_event_type SET fold = 2");
  CHECK(db.problems() == " rules of \"E\" are damaged");
  CHECK(db.fails(state) == "EV008: rules of \"E\" are damaged");
}

TEST_CASE("what another connection declares is folded by at once") {
  const Directory directory;
  TaggedStore db(directory.file("rules.db"));
  Database other(directory.file("rules.db"));
  db.must(adds);
  db.must(append);
  CHECK(other.must(state) == "{\"n\":2}");
  db.must("SELECT evercore_event_type('E', '[{\"subtract\":{\"/n\":\"/v\"}}]')");
  CHECK(other.must(state) == "{\"n\":-2}");
  db.must("BEGIN");
  db.must(adds);
  CHECK(db.must(state) == "{\"n\":2}");
  db.must("ROLLBACK");
  CHECK(db.must(state) == "{\"n\":-2}");
}

TEST_CASE("a connection that meets more rules than it keeps folds by the newest") {
  TaggedStore db;
  db.must(append);
  for (int i = 0; i < 1003; ++i) {
    const std::string member = "m" + std::to_string(i);
    db.must("SELECT evercore_event_type('E', '[{\"add\":{\"/" + member + "\":\"/v\"}}]')");
    if (db.must(state) != "{\"" + member + "\":2}") FAIL(member);
  }
  db.must(adds);
  CHECK(db.must(state) == "{\"n\":2}");
}
