#include "check_store.h"

#include "aggregate.h"
#include "schema.h"
#include "subscription.h"

namespace evercore::ext {

namespace {

void add(Problems& problems, std::string text) {
  problems.push_back({std::nullopt, std::nullopt, std::move(text)});
}

std::string of_subscription(const char* what, const Statement& row) {
  return what + (" of subscription \"" + std::string(row.text(0)) + "\"");
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
     " WHERE p.position > (SELECT coalesce(max(position), 0) FROM main.evercore_event)"
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
  return whole;
}

const std::span<const Look> looks_before_walk{before};
const std::span<const Look> looks_after_walk{after};

}  // namespace evercore::ext
