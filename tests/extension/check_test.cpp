// evercore_check() names each thing in a store that evercore itself would not have written, in one row.
#include <doctest/doctest.h>

#include <string>

#include "support/database.h"

using namespace evercore::test;

namespace {

/// Two events of aggregate 1, the second with an event_id; aggregate 2 compacted; aggregate 3 erased. The
/// states of the others are kept.
struct Store : Database {
  Store() {
    must(
        "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) "
        "VALUES"
        " ('T','a','E','{}',NULL),('T','a','F','{}','i'),('T','b','E','{}','j'),('T','c','F','{}','"
        "k'),"
        " ('T','c','E','{}',NULL)");
    must("SELECT evercore_compact(2, 0), evercore_compact(3, 1), evercore_erase(3)");
    must("SELECT evercore_aggregate_type('T', '{\"schema\":{\"maxProperties\":0}}')");
    must("SELECT evercore_subscribe('s', NULL, 'end', 2)");
    must("SELECT evercore_claim('s', 'w', 60), evercore_claim('s', 'w', 60)");
    must("SELECT evercore_subscribe('r', NULL, 'end'), evercore_unsubscribe('r')");
  }
  std::string problems() { return must("SELECT * FROM evercore_check()"); }
};

struct Damage {
  const char *sql, *row;
};

constexpr Damage damages[] = {
    {"UPDATE evercore_schema SET least_token = -1",
     "NULL|NULL|least_token of evercore_schema is out of range"},
    {"UPDATE evercore_schema SET least_token = 9223372036854775807",
     "NULL|NULL|least_token of evercore_schema is out of range"},
    {"UPDATE evercore_subscription SET last_token = 9223372036854775807 WHERE name = 's'",
     "NULL|NULL|newest token of subscription \"s\" is out of range"},
    {"UPDATE evercore_subscription SET last_token = -5 WHERE name = 'r'",
     "NULL|NULL|newest token of subscription \"r\" is out of range"},
    {"UPDATE evercore_subscription SET last_token = 1 WHERE name = 's'",
     "NULL|NULL|token of subscription \"s\" is not one that was given: 2"},
    {"UPDATE evercore_subscription_partition SET token = -3 WHERE partition = 0",
     "NULL|NULL|token of subscription \"s\" is not one that was given: -3"},
    {"UPDATE evercore_subscription_partition SET token = 0 WHERE partition = 0",
     "NULL|NULL|token of subscription \"s\" is not one that was given: 0"},
    {"UPDATE evercore_subscription_partition SET token = 1",
     "NULL|NULL|token of subscription \"s\" is there twice: 1"},
    {"UPDATE evercore_subscription_partition SET lease = -1 WHERE partition = 1",
     "NULL|NULL|lease of subscription \"s\" is out of range"},
    {"UPDATE evercore_subscription_partition SET lease = NULL WHERE partition = 1",
     "NULL|NULL|lease of subscription \"s\" is out of range"},
    {"UPDATE evercore_subscription_partition SET lease_expires_at = 9223372036854775807"
     " WHERE partition = 1",
     "NULL|NULL|lease of subscription \"s\" is out of range"},
    {"UPDATE evercore_subscription SET name = CAST(x'ff' AS TEXT) WHERE name = 's'",
     "NULL|NULL|name of subscription 1 is not UTF-8"},
    {"UPDATE evercore_aggregate_type SET name = 'T' || char(0)",
     "NULL|NULL|name of aggregate type 1 holds a NUL"},
    {"UPDATE evercore_event_type SET name = CAST(x'80' AS TEXT) WHERE type_id = 2",
     "NULL|NULL|name of event type 2 is not UTF-8"},
    {"UPDATE evercore_event_type SET name = printf('%0300d', 1) WHERE type_id = 2",
     "NULL|NULL|name of event type 2 is longer than 255 characters"},
    {"UPDATE evercore_aggregate SET natural_key = CAST(x'61ff' AS TEXT) WHERE aggregate_id = 2",
     "2|NULL|natural_key is not UTF-8"},
    {"UPDATE evercore_event SET event_id = 'a' || char(0) WHERE position = 2",
     "1|2|event_id holds a NUL"},
    {"UPDATE evercore_event SET reference = CAST(x'ff' AS TEXT) WHERE position = 2",
     "1|2|reference is not UTF-8"},
    {"UPDATE evercore_event_id SET event_id = CAST(x'ff' AS TEXT) WHERE event_id = 'j'",
     "2|3|event_id is not UTF-8"},
    {"UPDATE evercore_aggregate_type SET snapshot_every = -1",
     "NULL|NULL|snapshot policy of aggregate type 1 is out of range"},
    {"UPDATE evercore_aggregate_type SET snapshot_keep = 0",
     "NULL|NULL|snapshot policy of aggregate type 1 is out of range"},
    {"INSERT INTO evercore_snapshot VALUES (9, 0, 0, 1, '{}'), (9, 1, 1, 1, '{}')",
     "9|NULL|no such aggregate, and snapshots are left"},
    {"UPDATE evercore_kept_state SET state = '{\"n\":1}' WHERE aggregate_id = 1",
     "1|2|kept state at sequence 2 differs from the fold"},
    {"UPDATE evercore_kept_state SET state = '{' WHERE aggregate_id = 1",
     "1|2|kept state at sequence 2 differs from the fold"},
    {"UPDATE evercore_kept_state SET state = '[]' WHERE aggregate_id = 2",
     "2|NULL|kept state at sequence 1 differs from the fold"},
    {"UPDATE evercore_kept_state SET sequence = 3 WHERE aggregate_id = 1",
     "1|NULL|kept state at sequence 3 differs from the fold"},
    {"UPDATE evercore_kept_state SET sequence = 0 WHERE aggregate_id = 2",
     "2|NULL|kept state at sequence 0 differs from the fold"},
    {"INSERT INTO evercore_kept_state VALUES (3, 2, '{}')",
     "3|NULL|a kept state is left of an erased aggregate"},
    {"INSERT INTO evercore_kept_state VALUES (9, 1, '{}')",
     "9|NULL|no such aggregate, and a kept state is left"},
    {"UPDATE evercore_aggregate_type SET schema = '[]'",
     "NULL|NULL|schema of aggregate type \"T\" is damaged"},
    {"UPDATE evercore_aggregate_type SET fill_upto = 2",
     "NULL|NULL|what is left to fill of aggregate type \"T\" is out of range"},
    {"UPDATE evercore_aggregate_type SET filled_to = 0, fill_upto = 2, unfilled = 0",
     "NULL|NULL|what is left to fill of aggregate type \"T\" is out of range"},
    {"INSERT INTO evercore_event_id VALUES ('x', 9, 1, 1, 1, NULL)",
     "9|1|no such aggregate, and an event_id is left"},
    {"INSERT INTO evercore_compacted_type VALUES (9, 1, 1)",
     "9|NULL|no such aggregate, and rows of evercore_compacted_type"},
    {"INSERT INTO evercore_compacted_type VALUES (2, 2, 7)",
     "2|NULL|what was compacted of it is beyond the head"},
    {"INSERT INTO evercore_compacted_type VALUES (1, 1, 1)",
     "1|NULL|what was compacted of it is damaged"},
    {"INSERT INTO evercore_compacted_type VALUES (2, 2, -1)",
     "2|NULL|what was compacted of it is damaged"},
    {"INSERT INTO evercore_snapshot VALUES (1, 1, 7, 3, '{}')",
     "1|NULL|application snapshot at sequence 3 is beyond the newest event"},
    {"UPDATE evercore_event_id SET position = 6 WHERE event_id = 'j'",
     "2|6|the position of an event_id is beyond the head"},
    {"UPDATE evercore_event SET data = '{}' WHERE position = 5",
     "3|5|data, metadata or reference is left of an erased aggregate"},
    {"UPDATE evercore_event SET reference = 'me' WHERE position = 5",
     "3|5|data, metadata or reference is left of an erased aggregate"},
    {"UPDATE evercore_aggregate SET natural_key = 'c' WHERE aggregate_id = 3",
     "3|NULL|natural_key is left of an erased aggregate"},
    {"INSERT INTO evercore_snapshot VALUES (3, 0, 0, 2, '{}')",
     "3|NULL|snapshots are left of an erased aggregate"},
    {"UPDATE evercore_event_id SET data_sha256 = x'00' WHERE event_id = 'k'",
     "3|4|the digest of an event_id is left of an erased aggregate"},
    {"UPDATE evercore_event_id SET data_sha256 = NULL WHERE event_id = 'j'",
     "2|3|the digest of an event_id is missing or damaged"},
    {"UPDATE evercore_event_id SET data_sha256 = x'00' WHERE event_id = 'j'",
     "2|3|the digest of an event_id is missing or damaged"},
    {"UPDATE evercore_aggregate SET erased = 7 WHERE aggregate_id = 3",
     "3|NULL|erased is out of range"},
    {"UPDATE evercore_event SET data = NULL WHERE position = 2", "1|2|data is missing"},
    {"UPDATE evercore_event SET event_time = 9223372036854775807 WHERE position = 2",
     "1|2|event_time is out of range"},
    {"UPDATE evercore_event SET recorded_at = -9223372036854775808 WHERE position = 1",
     "1|1|recorded_at is out of range"},
    {"UPDATE evercore_aggregate SET base_max_time = 9223372036854775807 WHERE aggregate_id = 2",
     "2|NULL|base_max_time is out of range"},
};

}  // namespace

TEST_CASE("each damage to a store is one row of evercore_check, and there is none without") {
  CHECK(Store().problems().empty());
  for (const Damage& damage : damages) {
    CAPTURE(damage.sql);
    Store db;
    db.must("INSERT INTO _evercore_maintenance VALUES ('open')");
    db.must(damage.sql);
    db.must("DELETE FROM _evercore_maintenance");
    CHECK(db.problems() == damage.row);
  }
}
