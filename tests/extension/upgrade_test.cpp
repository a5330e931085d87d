// The file of a release: what 0.1 made and filled is opened by this version, migrated, and goes on. It holds events of all kinds, event
// ids, a compaction, an erasure, both kinds of snapshot, a policy, subscriptions, and a trigger and a view of the user's.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// What both versions must read alike, without the extension: its views are the file's own.
const std::vector<std::string> contents = {
    "SELECT position, aggregate_id, aggregate_type, natural_key, sequence, event_type, data, "
    "reference, metadata, event_time, recorded_at, event_id FROM evercore_log ORDER BY position",
    "SELECT aggregate_id, aggregate_type, natural_key, sequence, first_event_time, last_event_time "
    "FROM evercore_aggregates ORDER BY aggregate_id",
    "SELECT name, partition, filter, position, active FROM evercore_subscriptions ORDER BY 1, 2",
    "SELECT * FROM app_log ORDER BY position", "SELECT count(*) FROM noticed"};

std::vector<std::string> read(sqlite3* db) {
  std::vector<std::string> all;
  for (const std::string& sql : contents) {
    const Outcome outcome = run(db, sql);
    CHECK_MESSAGE(outcome.ok(), outcome.message);
    all.push_back(outcome.rows);
  }
  return all;
}

}  // namespace

TEST_CASE("a file that 0.1 made is migrated and goes on with all that is in it") {
  const Directory directory;
  const std::string file = directory.file("s.db");
  std::filesystem::copy_file("tests/extension/releases/evercore-0.1.0.store", file);
  sqlite3* plain = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &plain) == SQLITE_OK);
  const std::vector<std::string> was = read(plain);
  CHECK(sqlite3_close(plain) == SQLITE_OK);

  Database db(file, Database::Store::none);
  CHECK(db.fails("SELECT evercore_append(2, NULL, 'E', '{}')")
            .starts_with("EV008: the store is not migrated"));
  const std::string version = db.must("SELECT evercore_migrate()");
  CHECK(db.must("SELECT max(version) FROM evercore_schema") == version);
  CHECK(read(db.handle()) == was);
  // What 0.1 should not have taken is named, and folds.
  const std::string check = "SELECT aggregate_id, problem FROM evercore_check()";
  CHECK(db.must(check) == "6|payload: number out of range");
  CHECK(db.must("SELECT evercore_state(1) = '{\"i\":28}', evercore_state(2, 10) = '{\"i\":29}', "
                "evercore_state(6) LIKE '%\"a\":%'") == "1|1|1");
  CHECK(db.must("SELECT count(*) FROM evercore_replay(2, 7)") == "9");
  CHECK(db.must("SELECT count(*) FROM evercore_log WHERE data LIKE '%secret%'") == "0");

  SUBCASE("all forms of append work, repeats are known, and the user's trigger sees each event") {
    CHECK(
        db.must("SELECT evercore_append(1, NULL, 'Patch', '{\"i\":1}', NULL, NULL, NULL, 'id1')") ==
        "1");
    CHECK(db.must("SELECT count(*) FROM noticed") == was.back());
    db.must(
        "SELECT evercore_append(2, 12, 'E', '{}'), evercore_append(2, 13, 'E', '{}', NULL, NULL, "
        "NULL, 'x')");
    db.must("INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (2, 'E', '{}')");
    db.must(
        "SELECT evercore_append_many('[{\"aggregate_id\":2,\"expected\":15,\"events\":"
        "[{\"event_type\":\"E\",\"data\":{}}]}]')");
    CHECK(db.must("SELECT evercore_sequence(2), count(*) - " + was.back() + " FROM noticed") ==
          "16|4");
    CHECK(db.fails("DELETE FROM evercore_event") == "EV010: events are append-only");
  }
  SUBCASE("a subscription goes on where it stood") {
    db.must("UPDATE evercore_subscription_partition SET lease_expires_at = NULL, owner = NULL");
    const std::string token = db.must("SELECT evercore_claim('all', 'next', 60)");
    CHECK(token == "2");
    CHECK(db.must("SELECT min(position), count(*) FROM evercore_fetch('all', 2, 100)") == "6|27");
    CHECK(db.must("SELECT evercore_ack('all', 2, 30)") == "30");
  }
  CHECK(db.must(check) == "6|payload: number out of range");
}
