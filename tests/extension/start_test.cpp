// Where a subscription begins, and what its start says where its filter changes.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

TEST_CASE("a start is a number or a text, and within the log") {
  Database db;
  db.must("SELECT evercore_append(evercore_ensure('T', 'a'), 0, 'A', '{}')");
  struct Case {
    const char *start, *answer;
  };
  for (const Case& start :
       {Case{"0", "0"}, Case{"1", "1"}, Case{"1.0", "1"}, Case{"'1'", "1"}, Case{"'kept 1'", "1"},
        Case{"NULL", "0"}, Case{"'end'", "1"}, Case{"-1", "EV009: start is out of range: -1"},
        Case{"-1.0", "EV009: start is out of range: -1"},
        Case{"2", "EV009: start is out of range: 2"},
        Case{"'2'", "EV009: start is out of range: 2"},
        Case{"0.5", "EV009: start is not an integer"}, Case{"x'31'", "EV009: start is not text"}}) {
    CAPTURE(start.start);
    const Outcome outcome =
        db.run("SELECT evercore_subscribe('s', '{\"event_types\":[\"A\",\"A\"]}', " +
               std::string(start.start) + ")");
    CHECK((outcome.ok() ? db.must("SELECT position FROM evercore_subscriptions")
                        : outcome.message) == start.answer);
    if (outcome.ok()) db.must("SELECT evercore_unsubscribe('s')");
  }
}

TEST_CASE(
    "a filter that changes may ask for what was compacted where its start says kept, and no "
    "other") {
  for (const char* start : {"NULL", "'beginning'", "'end'", "0", "1.0", "'1'", "'keptsake'",
                            "'kept'", "'kept beginning'", "'kept 1'"}) {
    CAPTURE(start);
    const bool kept = std::string(start).starts_with("'kept") && std::string(start) != "'keptsake'";
    Database db;
    db.must("SELECT evercore_subscribe('s', '{\"event_types\":[\"B\"]}')");
    db.must(
        "SELECT evercore_append(evercore_ensure('T', 'a'), 0, 'A', '{}'), evercore_compact(1, 0)");
    const auto subscribe = [&](const std::string& type) {
      return db.fails("SELECT evercore_subscribe('s', '{\"event_types\":[\"" + type + "\"]}', " +
                      start + ")");
    };
    CHECK(subscribe("B").empty());
    CHECK(subscribe("C").empty());
    const std::string said = subscribe("A");
    CHECK(said.empty() == kept);
    CHECK((kept || said.find("were compacted") != std::string::npos));
    CAPTURE(said);
    CHECK(db.must("SELECT filter FROM evercore_subscriptions") ==
          (kept ? "{\"event_types\":[\"A\"]}" : "{\"event_types\":[\"C\"]}"));
    CHECK(subscribe(kept ? "A" : "C").empty());
  }
}
