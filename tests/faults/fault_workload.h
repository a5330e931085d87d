// What the fault tests run: one call each of the ways to write, and what must be true after it.
#pragma once

#include <string>
#include <vector>

namespace evercore::test {

/// A call and what it needs before it. `contents` gives one text before the call and another one
/// after it: the store must say one of the two, never anything between.
struct Work {
  const char* name;
  const char* setup;
  const char* call;
};

inline constexpr const char* subscribed = "SELECT evercore_subscribe('s')";
inline constexpr const char* paused = "SELECT evercore_subscribe('s'); SELECT evercore_pause('s')";
inline constexpr const char* claimed =
    "SELECT evercore_subscribe('s'); SELECT evercore_claim('s', 'w', 30)";

inline constexpr const char* tagged =
    "SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, NULL, NULL, '[\"course:c1\"]')";

inline constexpr const char* declared =
    "SELECT evercore_event_type('E', NULL, '{\"tags\":{\"number\":\"/n\"}}')";

inline constexpr const char* with_schema =
    "SELECT evercore_event_type('E', NULL, '{\"schema\":{\"required\":[\"n\"],\"not\":{\"$ref\":"
    "\"#/$defs/d\"},\"$defs\":{\"d\":{\"properties\":{\"n\":{\"enum\":[{\"deep\":\"long enough for"
    " memory\"}]}}}}}}')";

inline constexpr const char* with_states =
    "SELECT evercore_aggregate_type('T', '{\"schema\":{\"properties\":{\"a name long enough for"
    " memory\":{\"minimum\":0},\"n\":{\"maximum\":9}}}}');"
    "SELECT evercore_append(1, NULL, 'E', '{\"a name long enough for memory\":1}')";

inline const std::vector<Work>& works() {
  static const std::vector<Work> all = {
      {"append", "", "SELECT evercore_append(1, NULL, 'E', '{\"n\":2}')"},
      {"append of a new type", "", "SELECT evercore_append(1, NULL, 'Fresh', '{\"n\":2}')"},
      {"append with an event_id", "",
       "SELECT evercore_append(1, NULL, 'Fresh', '{\"n\":2}', 'r', '{}', '2026-01-01T00:00:00Z', "
       "'id-9')"},
      {"append with a snapshot due",
       "SELECT evercore_snapshot_policy('T', 2, 1); SELECT evercore_append(1, NULL, 'E', '{}')",
       "SELECT evercore_append(1, NULL, 'E', '{\"n\":2}')"},
      {"append_many", "",
       "SELECT "
       "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{"
       "\"n\":1}},{\"event_type\":\"Fresh\",\"data\":{\"n\":2},\"event_id\":\"id-9\"}]},"
       "{\"aggregate_type\":\"New\",\"natural_key\":\"k\",\"events\":[{\"event_type\":\"E\","
       "\"data\":{\"text\":\"long enough for memory of its own, and then some\"}}]}]')"},
      {"append_many together", "",
       "SELECT "
       "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{"
       "\"n\":1}},{\"event_type\":\"Fresh\",\"data\":{\"n\":2}},{\"event_type\":\"E\",\"data\":{"
       "\"n\":3}}]},{\"aggregate_type\":\"New\",\"natural_key\":\"k\",\"events\":["
       "{\"event_type\":\"E\",\"data\":{\"n\":4},\"reference\":\"r\"}]}]')"},
      {"append with tags", tagged,
       "SELECT evercore_append(1, NULL, 'E', '{\"n\":2}', NULL, NULL, NULL, NULL,"
       " '[\"course:c1\",\"a tag long enough for memory of its own\"]')"},
      {"append_many with tags and a condition", tagged,
       "SELECT "
       "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{"
       "},\"tags\":[\"course:c2\"]},{\"event_type\":\"E\",\"data\":{}},{\"event_type\":\"E\","
       "\"data\":{}},{\"event_type\":\"E\",\"data\":{},\"tags\":[\"course:c2\",\"course:c1\"]}]}]',"
       " '[{\"types\":[\"F\"],\"tags\":[\"course:c1\"]},{\"tags\":[\"course:c1\"],\"after\":4}]', "
       "0)"},
      {"erase with tags", tagged, "SELECT evercore_erase(1)"},
      {"event_type with tags", tagged,
       "SELECT evercore_event_type('E', 'patch', '{\"tags\":{\"a prefix long enough for "
       "memory\":\"/n\"}}')"},
      {"append with declared tags", declared,
       "SELECT evercore_append(1, NULL, 'E', '{\"n\":[7,8]}')"},
      {"append_many with declared tags", declared,
       "SELECT "
       "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{"
       "\"n\":7}},{\"event_type\":\"F\",\"data\":{}},{\"event_type\":\"E\","
       "\"data\":{}},{\"event_type\":\"E\",\"data\":{\"n\":8},\"tags\":[\"course:c2\"]}]}]')"},
      {"event_type with a schema", "",
       "SELECT evercore_event_type('E', NULL, '{\"schema\":{\"properties\":{\"a name long enough "
       "for"
       " memory\":{\"enum\":[{\"n\":[1]}]}},\"required\":[\"n\"]}}')"},
      {"append with a schema", with_schema,
       "SELECT evercore_append(1, NULL, 'E', '{\"n\":[7,8]}')"},
      {"append_many with a schema", with_schema,
       "SELECT "
       "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{"
       "\"n\":7}},{\"event_type\":\"F\",\"data\":{}},{\"event_type\":\"E\",\"data\":{\"n\":[{"
       "}]}},{\"event_type\":\"E\",\"data\":{\"n\":8}}]}]')"},
      {"aggregate_type with a schema", "",
       "SELECT evercore_aggregate_type('T', '{\"schema\":{\"properties\":{\"a name long enough for"
       " memory\":{\"enum\":[{\"n\":[1]}]}},\"maxProperties\":9}}')"},
      {"aggregate_type without its schema", with_states,
       "SELECT evercore_aggregate_type('T', '{\"schema\":null}')"},
      {"append with a schema of states", with_states,
       "SELECT evercore_append(1, NULL, 'E', '{\"n\":7}')"},
      {"append without a kept state",
       "SELECT evercore_aggregate_type('T', "
       "'{\"schema\":{\"properties\":{\"n\":{\"maximum\":9}}}}');"
       "DELETE FROM evercore_kept_state",
       "SELECT evercore_append(1, NULL, 'Fresh', '{\"n\":7}')"},
      {"append_many with a schema of states", with_states,
       "SELECT "
       "evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{"
       "\"n\":7}},{\"event_type\":\"F\",\"data\":{}}]},{\"aggregate_id\":2,\"events\":[{"
       "\"event_type\":\"E\",\"data\":{\"n\":[{}]}},{\"event_type\":\"E\",\"data\":{\"n\":8}}]}]'"
       ")"},
      {"INSERT form with a schema of states", with_states,
       "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
       "('T','a','E','{}'),('T','k','Fresh','{\"n\":1}'),('T','k','E','{\"n\":3}')"},
      {"event_type of kept states", with_states,
       "SELECT evercore_event_type('E', '[{\"set\":{\"/a name long enough for "
       "memory\":\"/n\"}}]')"},
      {"erase of a kept state", with_states, "SELECT evercore_erase(1)"},
      {"fill of kept states",
       "SELECT evercore_aggregate_type('T', '{\"schema\":true}'); DELETE FROM evercore_kept_state;"
       " UPDATE evercore_aggregate_type SET filled_to = 0, fill_upto = 9, unfilled = 1 WHERE"
       " schema IS NOT NULL",
       "SELECT evercore_fill()"},
      {"fill",
       "SELECT evercore_event_type('E', NULL, '{\"tags\":{\"m\":\"/m\"}}'); UPDATE "
       "evercore_event_type SET"
       " tags = '{\"number\":\"/n\"}', filled_to = 0, fill_upto = 3, unfilled = 2 WHERE name = "
       "'E';"
       " UPDATE evercore_schema SET declared_mark = 9",
       "SELECT evercore_fill()"},
      {"index_types", "", "SELECT evercore_index_types()"},
      {"no index_types", "SELECT evercore_index_types()", "SELECT evercore_index_types(0)"},
      {"INSERT form", "",
       "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) "
       "VALUES "
       "('T','a','E','{}',NULL),('New','k','Fresh','{}','id-9'),('New','k','E','{\"n\":3}',NULL)"},
      {"INSERT SELECT", "",
       "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) SELECT 'Copy', "
       "natural_key, event_type, data FROM evercore_follow()"},
      {"ensure", "",
       "SELECT evercore_ensure('New', 'a natural key long enough for memory of its own')"},
      {"snapshot", "", "SELECT evercore_snapshot(1)"},
      {"save_snapshot", "",
       "SELECT evercore_save_snapshot(1, 1, '{\"state\":\"long enough for memory of its own, and "
       "then some\"}', 4)"},
      {"event_type", "SELECT evercore_snapshot(1)", "SELECT evercore_event_type('E', 'patch')"},
      {"snapshot_policy", "",
       "SELECT evercore_snapshot_policy('A type long enough for memory of its own', 5, 2)"},
      {"compact", "", "SELECT evercore_compact(1, 1)"},
      {"compact_type", "", "SELECT evercore_compact_type('T', 1)"},
      {"rekey", "",
       "SELECT evercore_rekey(1, 'another natural key, long enough for memory of its own')"},
      {"erase", "SELECT evercore_snapshot(1)", "SELECT evercore_erase(1)"},
      {"subscribe", "",
       "SELECT evercore_subscribe('a subscription long enough for memory of its own', "
       "'{\"aggregate_type\":\"T\",\"event_types\":[\"E\",\"Fresh\"]}', 'end', 3)"},
      {"subscribe anew", subscribed, "SELECT evercore_subscribe('s', '{\"event_types\":[\"E\"]}')"},
      {"pause", subscribed, "SELECT evercore_pause('s')"},
      {"resume", paused, "SELECT evercore_resume('s')"},
      {"reset", subscribed, "SELECT evercore_reset('s', 'end')"},
      {"unsubscribe", subscribed, "SELECT evercore_unsubscribe('s')"},
      {"claim", subscribed,
       "SELECT evercore_claim('s', 'an owner long enough for memory of its own', 30)"},
      {"ack", claimed, "SELECT evercore_ack('s', 1, 2)"},
      {"renew", claimed, "SELECT evercore_renew('s', 1, 60)"},
      {"release", claimed, "SELECT evercore_release('s', 1, 'an error long enough for memory')"},
      {"migrate down and up", "SELECT evercore_migrate()", "SELECT evercore_migrate()"},
  };
  return all;
}

/// Aggregate 1 with three events, one of them with an event_id, and aggregate 2 without.
inline const char* const filled =
    "SELECT evercore_ensure('T','a'), evercore_ensure('T','b');"
    "SELECT evercore_append(1, NULL, 'E', '{\"n\":1}'), evercore_append(1, NULL, 'E', '{\"m\":1}', "
    "NULL, NULL, NULL, 'id-1'), evercore_append(1, NULL, 'F', '{}')";

/// Everything in the store but times, as text.
inline const char* const contents =
    "SELECT position, aggregate_id, sequence, type_id, data, reference, metadata, event_id, tags, "
    "declared_tags FROM evercore_event; SELECT type_id, fold, tags, unfilled FROM "
    "evercore_event_type;"
    "SELECT * FROM evercore_tag; SELECT * FROM evercore_event_tag;"
    "SELECT name FROM sqlite_schema WHERE type = 'index';"
    "SELECT * FROM evercore_aggregate_type; SELECT * FROM evercore_event_type;"
    "SELECT aggregate_id, type_id, natural_key, erased, base FROM evercore_aggregate;"
    "SELECT * FROM evercore_kept_state;"
    "SELECT * FROM evercore_snapshot; SELECT * FROM evercore_event_id; SELECT * FROM "
    "evercore_compacted_type; SELECT * FROM _evercore_maintenance;"
    "SELECT * FROM evercore_subscription; SELECT subscription_id, partition, position, token, "
    "owner, "
    "lease, last_error FROM evercore_subscription_partition";

}  // namespace evercore::test
