#include "check_store.h"

#include "aggregate.h"
#include "data_schema_check.h"
#include "declared_tags.h"
#include "schema.h"
#include "subscription.h"
#include "tag.h"
#include "time.h"
#include "type_index.h"
#include "value.h"

namespace evercore::ext {

namespace {

void add(Problems& problems, std::string text) {
  problems.push_back({std::nullopt, std::nullopt, std::move(text)});
}

/// A name as the report shows it. In an illegal one every byte that is not printable ASCII becomes a question mark.
std::string shown(std::string_view name) {
  std::string text(name);
  if (fault_of_name(name, "name", max_subscription_name).empty()) return text;
  for (char& c : text) c = c >= ' ' && c <= '~' ? c : '?';
  return text;
}

std::string of_subscription(const char* what, const Statement& row) {
  return what + (" of subscription \"" + shown(row.text(0)) + "\"");
}

void add_fault(Problems& problems, std::string fault) {
  if (!fault.empty()) add(problems, std::move(fault));
}

void maintenance_left(Connection&, const Statement&, Problems& problems) {
  add(problems, "a compaction or erasure was cut short: rows are left in _evercore_maintenance");
}

void aggregate_type_missing(Connection&, const Statement& row, Problems& problems) {
  add(problems, "aggregate type " + std::to_string(row.integer(0)) + " is missing");
}

void no_such_aggregate(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), row.integer(1), "no such aggregate"});
}

void position_out_of_range(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({std::nullopt, row.integer(0), "position is out of range"});
}

void cursor_beyond(Connection&, const Statement& row, Problems& problems) {
  add(problems, of_subscription("cursor", row) + " is beyond the head");
}

void cursor_negative(Connection&, const Statement& row, Problems& problems) {
  add(problems, of_subscription("cursor", row) + " is out of range");
}

void partitions_wrong(Connection&, const Statement& row, Problems& problems) {
  add(problems, of_subscription("partitions", row) + " are not 0 to " +
                    std::to_string(row.integer(1)) + " - 1");
}

void check_filter(Connection& connection, const Statement& row, Problems& problems) {
  if (!is_sound_filter(connection, row)) {
    add(problems, of_subscription("filter", row) + " is damaged");
  }
}

void check_least_token(Connection&, const Statement& row, Problems& problems) {
  if (row.integer(0) >= 0 && row.integer(0) <= most_token) return;
  add(problems, "least_token of evercore_schema is out of range");
}

/// What is left to fill of a type, in three columns: all NULL, or a range and how many.
bool is_sound_fill(const Statement& row, int after, bool declares) {
  const bool filled = row.is_null(after) && row.is_null(after + 1) && row.is_null(after + 2);
  return filled || (declares && !row.is_null(after) && row.integer(after) >= 0 &&
                    row.integer(after) <= row.integer(after + 1) && row.integer(after + 2) >= 1);
}

void check_aggregate_type(Connection& connection, const Statement& row, Problems& problems) {
  const std::string type = " of aggregate type " + std::to_string(row.integer(0));
  add_fault(problems, fault_of_name(row.text(1), "name" + type, max_type_name));
  if (row.integer(2) < 0 || row.integer(3) < 1) {
    add(problems, "snapshot policy" + type + " is out of range");
  }
  const std::string named = " of aggregate type \"" + shown(row.text(1)) + "\"";
  if (!row.is_null(4) && !sound_schema(connection, row.text(4))) {
    add(problems, "schema" + named + " is damaged");
  }
  if (!is_sound_fill(row, 5, !row.is_null(4))) {
    add(problems, "what is left to fill" + named + " is out of range");
  }
}

void check_event_type(Connection& connection, const Statement& row, Problems& problems) {
  const std::string type = "name of event type " + std::to_string(row.integer(0));
  add_fault(problems, fault_of_name(row.text(1), type, max_type_name));
  const std::string named = " of \"" + shown(row.text(1)) + "\"";
  if (!row.is_null(2) && !sound_declaration(connection, row.text(2))) {
    add(problems, "declared tags" + named + " are damaged");
  }
  if (!row.is_null(6) && !sound_schema(connection, row.text(6))) {
    add(problems, "schema" + named + " is damaged");
  }
  if (!row.is_null(7) &&
      (row.integer(8) != 0 || !connection.rules.find(connection.payload, row.text(7)))) {
    add(problems, "rules" + named + " are damaged");
  }
  if (stored_upcast(connection, row.nullable_text(9)).damaged) {
    add(problems, "upcast" + named + " is damaged");
  }
  if (!is_sound_fill(row, 3, !row.is_null(2))) {
    add(problems, "what is left to fill" + named + " is out of range");
  }
}

/// Removed subscriptions are checked too: their tokens go on when they are made again.
void check_subscription(Connection&, const Statement& row, Problems& problems) {
  const std::string number = std::to_string(row.integer(1));
  add_fault(problems,
            fault_of_name(row.text(0), "name of subscription " + number, max_subscription_name));
  if (row.integer(2) < 0 || row.integer(2) > most_token) {
    add(problems, of_subscription("newest token", row) + " is out of range");
  }
}

void token_wrong(Connection&, const Statement& row, Problems& problems) {
  add(problems, of_subscription("token", row) +
                    " is not one that was given: " + std::to_string(row.integer(1)));
}

void token_twice(Connection&, const Statement& row, Problems& problems) {
  add(problems,
      of_subscription("token", row) + " is there twice: " + std::to_string(row.integer(1)));
}

/// Checks a partition that has an owner, or has a lease or an expiry without one.
void check_lease(Connection&, const Statement& row, Problems& problems) {
  const bool whole = !row.is_null(1) && !row.is_null(2) && !row.is_null(3);
  const std::int64_t lease = row.integer(2);
  const std::int64_t expires = row.integer(3);
  if (whole && lease >= 1 && static_cast<double>(lease) <= longest_lease * 1e6 &&
      expires >= least_time && expires <= most_time) {
    return;
  }
  add(problems, of_subscription("lease", row) + " is out of range");
}

void tags_of_nothing(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({std::nullopt, row.integer(0), "index of tags without event"});
}

/// Finds rows of the index beyond an event's own tags. Tags that lack their row were found by the walk.
void check_index_of_tags(Connection& connection, const Statement& row, Problems& problems) {
  const auto tags = stored_tags(connection.payload, row.text(2));
  if (!row.is_null(2) &&
      (!tags || !is_indexed(connection, *tags, row.integer(3), row.integer(1)))) {
    return;
  }
  const auto count = tags ? static_cast<std::int64_t>(tags->names.size()) : 0;
  if (row.integer(4) == count) return;
  problems.push_back({row.integer(0), row.integer(1), "tags differ from their index"});
}

void snapshots_of_nothing(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), std::nullopt, "no such aggregate, and snapshots are left"});
}

/// A program that starts from such a snapshot would have a state of events that do not exist. Engine snapshots are
/// compared with the fold instead.
void snapshot_beyond(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), std::nullopt,
                      "application snapshot at sequence " + std::to_string(row.integer(1)) +
                          " is beyond the newest event"});
}

void kept_state_of_nothing(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), std::nullopt, "no such aggregate, and a kept state is left"});
}

void compacted_types_of_nothing(Connection&, const Statement& row, Problems& problems) {
  problems.push_back(
      {row.integer(0), std::nullopt, "no such aggregate, and rows of evercore_compacted_type"});
}

void compacted_unknown(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), std::nullopt, "what was compacted of it is not known"});
}

void compacted_damaged(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), std::nullopt, "what was compacted of it is damaged"});
}

void compacted_beyond(Connection&, const Statement& row, Problems& problems) {
  problems.push_back({row.integer(0), std::nullopt, "what was compacted of it is beyond the head"});
}

/// The event_ids of events that were compacted.
void check_event_id(Connection&, const Statement& row, Problems& problems) {
  const auto report = [&](std::string_view text) {
    problems.push_back({row.integer(1), row.integer(2), std::string(text)});
  };
  const std::string fault = fault_of_name(row.text(0), "event_id", max_event_id);
  if (!fault.empty()) report(fault);
  if (row.integer(5) != 0) report("the position of an event_id is beyond the head");
  if (row.is_null(3)) {
    report("no such aggregate, and an event_id is left");
  } else if (row.integer(3) == 0 && row.integer(4) != 32) {
    report("the digest of an event_id is missing or damaged");
  } else if (row.integer(3) != 0 && !row.is_null(4)) {
    report("the digest of an event_id is left of an erased aggregate");
  }
}

constexpr Look before[] = {
    {"SELECT 1 FROM main._evercore_maintenance LIMIT 1", maintenance_left},
    {"SELECT DISTINCT a.type_id FROM main.evercore_aggregate a WHERE NOT EXISTS (SELECT 1"
     " FROM main.evercore_aggregate_type t WHERE t.type_id = a.type_id) ORDER BY a.type_id",
     aggregate_type_missing},
};

constexpr Look after[] = {
    {"SELECT aggregate_id, position FROM main.evercore_event e WHERE aggregate_id <> 0"
     " AND NOT EXISTS (SELECT 1 FROM main.evercore_aggregate a"
     " WHERE a.aggregate_id = e.aggregate_id) ORDER BY position",
     no_such_aggregate},
    {"SELECT position FROM main.evercore_event WHERE aggregate_id = 0"
     " AND (position < 1 OR position > 4611686018427387904) ORDER BY position",
     position_out_of_range},
    {"SELECT DISTINCT s.name FROM main.evercore_subscription s"
     " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
     " WHERE p.position > (SELECT coalesce(max(position), 0) FROM main.evercore_event NOT INDEXED)"
     " ORDER BY s.name",
     cursor_beyond},
    {"SELECT DISTINCT s.name FROM main.evercore_subscription s"
     " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
     " WHERE p.position < 0 ORDER BY s.name",
     cursor_negative},
    {"SELECT s.name, s.partitions FROM main.evercore_subscription s WHERE s.removed = 0"
     " AND (s.partitions NOT BETWEEN 1 AND 1024 OR s.partitions <> (SELECT count(*)"
     "  FROM main.evercore_subscription_partition p WHERE p.subscription_id = s.subscription_id"
     "  AND p.partition BETWEEN 0 AND s.partitions - 1)) ORDER BY s.name",
     partitions_wrong},
    {SUBSCRIPTION_FILTERS, check_filter},
    {"SELECT least_token FROM main.evercore_schema", check_least_token},
    {"SELECT type_id, name, snapshot_every, snapshot_keep, schema, filled_to, fill_upto, unfilled"
     " FROM main.evercore_aggregate_type",
     check_aggregate_type},
    {"SELECT type_id, name, tags, filled_to, fill_upto, unfilled, schema, rules, fold, upcast"
     " FROM main.evercore_event_type",
     check_event_type},
    {"SELECT name, subscription_id, last_token FROM main.evercore_subscription ORDER BY name",
     check_subscription},
    {"SELECT s.name, p.token FROM main.evercore_subscription s"
     " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
     " WHERE p.token NOT BETWEEN 0 AND s.last_token OR p.token = 0 AND p.owner IS NOT NULL"
     " ORDER BY s.name, p.partition",
     token_wrong},
    {"SELECT s.name, p.token FROM main.evercore_subscription s"
     " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
     " WHERE p.token <> 0 GROUP BY s.subscription_id, p.token HAVING count(*) > 1 ORDER BY s.name",
     token_twice},
    {"SELECT s.name, p.owner, p.lease, p.lease_expires_at FROM main.evercore_subscription s"
     " JOIN main.evercore_subscription_partition p ON p.subscription_id = s.subscription_id"
     " WHERE coalesce(p.owner, p.lease, p.lease_expires_at) IS NOT NULL"
     " ORDER BY s.name, p.partition",
     check_lease},
    {"SELECT DISTINCT x.position FROM main.evercore_event_tag x WHERE NOT EXISTS (SELECT 1"
     " FROM main.evercore_event e WHERE e.position = x.position AND e.aggregate_id <> 0)"
     " ORDER BY x.position",
     tags_of_nothing},
    {"SELECT e.aggregate_id, e.position, e.tags, e.type_id, count(*)"
     " FROM main.evercore_event_tag x CROSS JOIN main.evercore_event e ON e.position = x.position"
     " WHERE e.aggregate_id <> 0 GROUP BY x.position",
     check_index_of_tags},
    {"SELECT DISTINCT s.aggregate_id FROM main.evercore_snapshot s WHERE NOT EXISTS (SELECT 1"
     " FROM main.evercore_aggregate a WHERE a.aggregate_id = s.aggregate_id)",
     snapshots_of_nothing},
    {"SELECT DISTINCT s.aggregate_id, s.sequence FROM main.evercore_snapshot s"
     " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = s.aggregate_id"
     " WHERE s.application = 1 AND a.erased = 0 AND s.sequence > a.base AND NOT EXISTS (SELECT 1"
     "  FROM main.evercore_event e WHERE e.aggregate_id = s.aggregate_id"
     "  AND e.sequence >= s.sequence) ORDER BY s.aggregate_id, s.sequence",
     snapshot_beyond},
    {"SELECT k.aggregate_id FROM main.evercore_kept_state k WHERE NOT EXISTS (SELECT 1"
     " FROM main.evercore_aggregate a WHERE a.aggregate_id = k.aggregate_id)",
     kept_state_of_nothing},
    {"SELECT DISTINCT c.aggregate_id FROM main.evercore_compacted_type c WHERE NOT EXISTS (SELECT 1"
     " FROM main.evercore_aggregate a WHERE a.aggregate_id = c.aggregate_id)",
     compacted_types_of_nothing},
    {"SELECT a.aggregate_id FROM main.evercore_aggregate a WHERE NOT EXISTS (SELECT 1 FROM"
     " main.evercore_compacted_type c WHERE c.aggregate_id = a.aggregate_id) AND a.base > 0",
     compacted_unknown},
    {"SELECT DISTINCT a.aggregate_id FROM main.evercore_compacted_type c"
     " CROSS JOIN main.evercore_aggregate a ON a.aggregate_id = c.aggregate_id"
     " WHERE a.base = 0 OR c.position < 0 ORDER BY a.aggregate_id",
     compacted_damaged},
    {"SELECT DISTINCT aggregate_id FROM main.evercore_compacted_type WHERE position >"
     " (SELECT coalesce(max(position), 0) FROM main.evercore_event NOT INDEXED)",
     compacted_beyond},
    {"SELECT i.event_id, i.aggregate_id, i.position, a.erased, length(i.data_sha256),"
     " i.position > (SELECT coalesce(max(position), 0) FROM main.evercore_event NOT INDEXED)"
     " FROM main.evercore_event_id i"
     " LEFT JOIN main.evercore_aggregate a ON a.aggregate_id = i.aggregate_id",
     check_event_id},
};

}  // namespace

bool check_schema(Connection& connection, Problems& problems) {
  bool whole = true;
  int enabled = 1;
  sqlite3_db_config(connection.db(), SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &enabled);
  const Schema& schema = Schema::newest();
  for (Difference& difference : differences(connection, schema)) {
    whole = whole && !difference.blocks;
    add(problems, std::move(difference.text));
  }
  for (const SchemaObject& object : schema.objects()) {
    if (enabled == 0 && object.type == "trigger") {
      add(problems, "trigger " + object.name + " is disabled");
    }
  }
  Statement by_type = connection.prepare_once(
      "SELECT 1 FROM main.sqlite_schema WHERE name = 'evercore_event_by_type' COLLATE NOCASE");
  if (by_type.step() && index_by_type(connection) != TypeIndex::named) {
    add(problems, "index evercore_event_by_type is different");
  }
  return whole;
}

const std::span<const Look> looks_before_walk{before};
const std::span<const Look> looks_after_walk{after};

}  // namespace evercore::ext
