// Rows that somebody damaged past evercore: each call gives an error or a named problem, in finite time and memory.
#include <doctest/doctest.h>

#include <string>

#include "extension/filled_store.h"

using namespace evercore::test;

TEST_CASE("compaction and erasure do not pass by a subscription that is damaged") {
  for (const char* damage : {"UPDATE evercore_subscription SET partitions = 0",
                             "UPDATE evercore_subscription SET type_ids = ',1'",
                             "UPDATE evercore_subscription SET type_ids = ''",
                             "UPDATE evercore_subscription SET type_ids = '1'",
                             "UPDATE evercore_subscription SET type_ids = ',1,2'",
                             "UPDATE evercore_subscription SET type_ids = ',99,'",
                             "UPDATE evercore_subscription SET aggregate_type = 'Other'",
                             "UPDATE evercore_subscription SET natural_key = 'k'",
                             "UPDATE evercore_subscription SET tags = '{'",
                             "UPDATE evercore_subscription SET tags = '[\"a\"]'",
                             "UPDATE evercore_subscription SET filter = NULL",
                             "UPDATE evercore_subscription SET filter = '{'",
                             "UPDATE evercore_subscription SET partitions = -1",
                             "DELETE FROM evercore_subscription_partition"}) {
    CAPTURE(damage);
    FilledStore db;
    db.damage(damage);
    for (const char* call : {"SELECT evercore_compact(1, 0)",
                             "SELECT evercore_compact_type('T', 0)", "SELECT evercore_erase(1)"}) {
      CAPTURE(call);
      CHECK(db.fails(call) ==
            "EV010: subscription \"s\" is damaged: evercore_check() names the place");
    }
    CHECK(db.events() > 0);
  }
}

TEST_CASE("damaged subscriptions are EV010 or a named problem") {
  struct Case {
    const char *damage, *problem;
    bool fetch_fails;
  };
  for (const Case& damage : {
           Case{"SET type_ids = ',1'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ''", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ','", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',-1,'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',1,0,'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',x,'", "filter of subscription \"s\" is damaged", true},
           Case{"SET type_ids = ',99999999999999999999,'",
                "filter of subscription \"s\" is damaged", true},
           Case{"SET tags = 'x'", "filter of subscription \"s\" is damaged", true},
           Case{"SET natural_key = 'a'", "filter of subscription \"s\" is damaged", true},
           Case{"SET filter = '{'", "filter of subscription \"s\" is damaged", false},
           Case{"SET filter = NULL", "filter of subscription \"s\" is damaged", false},
           Case{"SET partitions = 100000000000000000",
                "partitions of subscription \"s\" are not 0 to 100000000000000000 - 1", true},
           Case{"SET partitions = 0", "partitions of subscription \"s\" are not 0 to 0 - 1", true},
           Case{"SET partitions = -9223372036854775808",
                "partitions of subscription \"s\" are not 0 to -9223372036854775808 - 1", true},
       }) {
    CAPTURE(damage.damage);
    FilledStore db;
    db.damage(std::string("UPDATE evercore_subscription ") + damage.damage);
    CHECK(db.problems() == std::string("NULL|NULL|") + damage.problem);
    const std::string said = db.fails("SELECT * FROM evercore_fetch('s', 1)");
    CHECK(said == (damage.fetch_fails
                       ? "EV010: subscription \"s\" is damaged: evercore_check() names "
                         "the place"
                       : ""));
    call_everything([&](FilledStore& copy) {
      copy.damage(std::string("UPDATE evercore_subscription ") + damage.damage);
    });
  }
}

TEST_CASE("absurd sequences, bases, positions and ids end in an error or in one named problem") {
  struct Case {
    const char *damage, *problem;
  };
  for (const Case& damage : {
           Case{"UPDATE evercore_event SET sequence = 1000000000000 WHERE sequence = 2",
                "1|NULL|sequences 2 to 999999999999 are missing"},
           Case{"UPDATE evercore_event SET sequence = 4 WHERE sequence = 2",
                "1|NULL|sequences 2 to 3 are missing"},
           Case{"UPDATE evercore_event SET sequence = 3 WHERE sequence = 2",
                "1|NULL|sequence 2 is missing"},
           Case{"UPDATE evercore_event SET sequence = 9223372036854775807 WHERE sequence = 2",
                "1|2|sequence 9223372036854775807 is out of range"},
           Case{"UPDATE evercore_event SET sequence = -9223372036854775808 WHERE sequence = 2",
                "1|2|sequence -9223372036854775808 is at or below the base"},
           Case{"UPDATE evercore_aggregate SET base = 1 WHERE aggregate_id = 1",
                "1|1|sequence 1 is at or below the base"},
           Case{"UPDATE evercore_aggregate SET base = 1000000000000 WHERE aggregate_id = 1",
                "1|1|sequence 1 is at or below the base"},
           Case{"UPDATE evercore_aggregate SET base = 9223372036854775807 WHERE aggregate_id = 1",
                "1|NULL|base is out of range: 9223372036854775807"},
           Case{"UPDATE evercore_aggregate SET base = -9223372036854775808 WHERE aggregate_id = 1",
                "1|NULL|base is out of range: -9223372036854775808"},
           Case{"UPDATE evercore_event SET position = 9223372036854775807 WHERE position = 3",
                "2|9223372036854775807|position is out of range"},
           Case{"UPDATE evercore_event SET position = -5 WHERE position = 3",
                "2|-5|position is out of range"},
           Case{"UPDATE evercore_event SET position = 0 WHERE position = 1",
                "1|0|position is out of range"},
           Case{
               "INSERT INTO evercore_event (position, aggregate_id, sequence, type_id, event_time) "
               "VALUES (9223372036854775807, 0, 1, 0, 0)",
               "NULL|9223372036854775807|position is out of range"},
           Case{"UPDATE evercore_aggregate SET aggregate_id = -1 WHERE aggregate_id = 1; UPDATE "
                "evercore_event SET aggregate_id = -1 WHERE aggregate_id = 1",
                "-1|NULL|aggregate id is out of range"},
           Case{"UPDATE evercore_event SET type_id = 99 WHERE sequence = 2",
                "NULL|NULL|event type 99 is missing"},
           Case{"DELETE FROM evercore_event_type", "NULL|NULL|event type 1 is missing"},
           Case{"DELETE FROM evercore_aggregate_type", "NULL|NULL|aggregate type 1 is missing"},
           Case{"UPDATE evercore_subscription_partition SET position = 99",
                "NULL|NULL|cursor of subscription \"s\" is beyond the head"},
           Case{"UPDATE evercore_subscription_partition SET position = -1",
                "NULL|NULL|cursor of subscription \"s\" is out of range"},
           Case{"UPDATE evercore_subscription_partition SET partition = 7",
                "NULL|NULL|partitions of subscription \"s\" are not 0 to 1 - 1"},
           Case{"UPDATE evercore_event_type SET fold = 77", ""},
           Case{"UPDATE evercore_event_type SET tags = '{\"n\":'; UPDATE evercore_schema SET "
                "declared_mark = 7",
                "NULL|NULL|declared tags of \"E\" are damaged"},
           Case{"UPDATE evercore_event_type SET tags = '{\"n\":\"/n\"}', filled_to = -1, "
                "fill_upto = "
                "9223372036854775807, unfilled = -9223372036854775808; UPDATE evercore_schema SET "
                "declared_mark = 9223372036854775807",
                "NULL|NULL|what is left to fill of \"E\" is out of range"},
           Case{"UPDATE evercore_aggregate_type SET snapshot_every = -9223372036854775808", ""},
           Case{"UPDATE evercore_aggregate_type SET snapshot_every = 1, snapshot_keep = -1", ""},
           Case{"UPDATE evercore_snapshot SET sequence = 9223372036854775807",
                "1|NULL|engine snapshot at sequence 9223372036854775807 differs from the fold"},
           Case{"UPDATE evercore_subscription SET last_token = 9223372036854775807", ""},
           Case{"UPDATE evercore_subscription_partition SET lease = 9223372036854775807", ""},
       }) {
    CAPTURE(damage.damage);
    FilledStore db;
    db.damage(damage.damage);
    const std::string problems = "\n" + db.problems() + "\n";
    CAPTURE(problems);
    if (*damage.problem != '\0') {
      CHECK(problems.find(std::string("\n") + damage.problem + "\n") != std::string::npos);
    }
    CHECK(problems.size() < 1000);
    call_everything([&](FilledStore& copy) { copy.damage(damage.damage); });
  }
  FilledStore db;
  db.damage("UPDATE evercore_event SET position = 9223372036854775807 WHERE position = 3");
  for (const std::string& call : {"SELECT " + append_call(), writes()[1], writes()[2]}) {
    CHECK(db.fails(call) ==
          "EV010: the newest position is damaged: evercore_check() names the place");
  }
  CHECK(db.events() == 3);
  FilledStore beyond;
  beyond.damage("UPDATE evercore_snapshot SET sequence = 9223372036854775807");
  CHECK(beyond.fails("SELECT * FROM evercore_replay(1)") ==
        "EV010: aggregate 1 is damaged: evercore_check() names the place");
}

TEST_CASE("what a maintenance left behind is named, and the next one takes it away") {
  FilledStore db;
  db.must("INSERT INTO _evercore_maintenance VALUES ('open')");
  CHECK(db.problems() ==
        "NULL|NULL|a compaction or erasure was cut short: rows are left in _evercore_maintenance");
  db.must("SELECT evercore_unsubscribe('s'), evercore_compact(2, 0)");
  CHECK(db.problems().empty());
  CHECK_FALSE(db.fails("DELETE FROM evercore_event").empty());
}

TEST_CASE("an append behind a sequence below 0 is refused, in every form") {
  FilledStore db;
  db.must("SELECT " + append_call("2"));  // from now on the connection knows what is declared
  db.damage("UPDATE evercore_event SET sequence = sequence - 9 WHERE aggregate_id = 1");
  CHECK(db.fails("SELECT " + append_call()) ==
        "EV010: an aggregate is damaged: evercore_check() names the place");
  for (const std::string& call : {writes()[1], writes()[2]}) {
    CAPTURE(call);
    CHECK(db.fails(call) == "EV010: aggregate 1 is damaged: evercore_check() names the place");
  }
  CHECK(db.count("evercore_event") == 4);
}

TEST_CASE(
    "a fetch of one aggregate ends where the search for its cursor meets a missing sequence") {
  FilledStore db;
  db.must("SELECT evercore_subscribe('a', '{\"aggregate_type\":\"T\",\"natural_key\":\"a\"}')");
  db.must("SELECT evercore_claim('a', 'w', 60)");
  const std::string fetch = "SELECT sequence FROM evercore_fetch('a', 1)";
  CHECK(db.must(fetch) == "1\n2");
  db.damage("DELETE FROM evercore_event WHERE position = 1");
  CHECK(db.must(fetch) == "2");
  db.must("SELECT evercore_ack('a', 1, 2)");
  CHECK(db.must(fetch).empty());
  CHECK(db.problems().find("1|NULL|sequence 1 is missing") != std::string::npos);
}

TEST_CASE("each kind of damage to what a subscription holds is seen by what reads it") {
  struct Case {
    const char *damage, *call, *fault, *problem;
  };
  const char* const fetch = "SELECT * FROM evercore_fetch('s', 1)";
  const char* const compact = "SELECT evercore_compact(1, 0)";
  const char* const claim = "SELECT evercore_claim('s', 'w', 60)";
  const char* const restore = "SELECT evercore_restored()";
  const char* const damaged =
      "EV010: subscription \"s\" is damaged: evercore_check() names the place";
  const char* const least =
      "EV010: least_token of evercore_schema is damaged: evercore_check() names the place";
  const char* const filter = "filter of subscription \"s\" is damaged";
  const char* const token = "newest token of subscription \"s\" is out of range";
  const char* const least_token = "least_token of evercore_schema is out of range";
  for (const Case& damage : {
           Case{"evercore_subscription SET type_ids = '1,2,'", fetch, damaged, filter},
           Case{"evercore_subscription SET type_ids = ',1,2'", fetch, damaged, filter},
           Case{"evercore_subscription SET type_ids = ',1;2,'", fetch, damaged, filter},
           Case{"evercore_subscription_partition SET partition = -1", fetch, damaged,
                "partitions of subscription \"s\" are not 0 to 1 - 1"},
           Case{"evercore_subscription SET filter = '{\"event_types\":[ \"E\"]}'", compact, damaged,
                filter},
           Case{"evercore_subscription SET filter = '{\"aggregate_type\":\"T\"}', type_ids = NULL",
                compact, damaged, filter},
           Case{"evercore_subscription SET filter = '{\"aggregate_type\":\"T\"}', type_ids = NULL,"
                " aggregate_type = 'U'",
                compact, damaged, filter},
           Case{"evercore_subscription SET last_token = -1", claim, damaged, token},
           Case{"evercore_subscription SET last_token = -1", restore, damaged, token},
           Case{"evercore_subscription SET last_token = 9223372036854775807", claim, damaged,
                token},
           Case{"evercore_subscription SET last_token = 9223372036854775807", restore, damaged,
                token},
           Case{"evercore_schema SET least_token = -1", restore, least, least_token},
           Case{"evercore_schema SET least_token = 9223372036854775807", restore, least,
                least_token},
       }) {
    CAPTURE(damage.damage);
    CAPTURE(damage.call);
    FilledStore db;
    if (damage.call == claim) db.must("SELECT evercore_release('s', 1)");
    db.damage("UPDATE " + std::string(damage.damage));
    CHECK(db.fails(damage.call) == damage.fault);
    CHECK(db.problems().find(std::string("NULL|NULL|") + damage.problem) != std::string::npos);
    CHECK(db.events() == 3);
  }
}
