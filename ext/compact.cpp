#include "compact.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "aggregate.h"
#include "digest.h"
#include "error.h"
#include "head.h"
#include "maintenance.h"
#include "snapshot.h"
#include "subscription.h"
#include "tag.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

Error compacted_in_part(std::int64_t aggregate_id) {
  return cut_short("aggregate " + std::to_string(aggregate_id) + " was compacted in part");
}

#define SUPERSEDED                                                               \
  " WHERE aggregate_id = ?1 AND (application = 1 OR sequence <> ?2)"             \
  " AND sequence < (SELECT max(n.sequence) FROM main.evercore_snapshot n"        \
  " WHERE n.aggregate_id = ?1 AND n.application = evercore_snapshot.application" \
  " AND n.version = evercore_snapshot.version)"

/// Drops what newer snapshots supersede: of each application version all but its newest, of the
/// engine's all but the newest and the one at the base. Gives whether there was any.
bool drop_superseded(Connection& connection, const Aggregate& aggregate) {
  Statement find = connection.prepare("SELECT 1 FROM main.evercore_snapshot" SUPERSEDED);
  if (!find.bind(1, aggregate.id).bind(2, aggregate.base).step()) return false;
  find.reset();
  connection.prepare("DELETE FROM main.evercore_snapshot" SUPERSEDED)
      .bind(1, aggregate.id)
      .bind(2, aggregate.base)
      .run();
  if (find.step()) throw compacted_in_part(aggregate.id);
  return true;
}

/// Custom events up to `base` need an application snapshot at or above it: the engine's fold passed
/// over them, and nothing else will hold what they did. Gives what is wrong where there is none.
std::optional<std::string> uncovered(Connection& connection, const Aggregate& aggregate,
                                     std::int64_t base) {
  Statement custom = connection.prepare(
      "SELECT max(e.sequence) FROM main.evercore_event e"
      " INDEXED BY evercore_event_sequence CROSS JOIN main.evercore_event_type t ON t.type_id = "
      "e.type_id"
      " WHERE e.aggregate_id = ?1 AND e.sequence <= ?2 AND t.fold = 2");
  custom.bind(1, aggregate.id).bind(2, base).step();
  Statement before = connection.prepare(
      "SELECT 1 FROM main.evercore_compacted_type c"
      " CROSS JOIN main.evercore_event_type t ON t.type_id = c.type_id"
      " WHERE c.aggregate_id = ?1 AND t.fold = 2");
  const bool compacted_before = before.bind(1, aggregate.id).step();
  if (custom.is_null(0) && !compacted_before) return std::nullopt;
  Statement cover = connection.prepare(
      "SELECT 1 FROM main.evercore_snapshot WHERE aggregate_id = ?1 AND application = 1"
      " AND sequence >= ?2");
  if (cover.bind(1, aggregate.id).bind(2, base).step()) return std::nullopt;
  const std::int64_t last = custom.is_null(0) ? aggregate.base : custom.integer(0);
  return "aggregate " + std::to_string(aggregate.id) + " has custom events up to sequence " +
         std::to_string(last) + " that no application snapshot covers";
}

/// What protects the events up to `base` from compaction, if anything does.
std::optional<std::string> protection(Connection& connection, const Aggregate& aggregate,
                                      std::int64_t base) {
  if (base <= aggregate.base) return std::nullopt;
  if (!aggregate.erased) {
    if (auto why = uncovered(connection, aggregate, base)) return why;
  }
  if (auto why = unread(connection, aggregate, base)) return why;
  return tagged(connection, aggregate, base);
}

/// The newest position of each type up to `base`. By UPDATE or INSERT, for what a user's trigger writes
/// would take over the clause of an upsert.
void remember_types(Connection& connection, const Aggregate& aggregate, std::int64_t base) {
  Statement types = connection.prepare(
      "SELECT type_id, max(position) FROM main.evercore_event INDEXED BY evercore_event_sequence"
      " WHERE aggregate_id = ?1 AND sequence <= ?2 GROUP BY type_id");
  types.bind(1, aggregate.id).bind(2, base);
  while (types.step()) {
    Statement known = connection.prepare(
        "SELECT 1 FROM main.evercore_compacted_type WHERE aggregate_id = ?1 AND type_id = ?2");
    const bool there = known.bind(1, aggregate.id).bind(2, types.integer(0)).step();
    connection
        .prepare(there ? Sql("UPDATE main.evercore_compacted_type SET position = ?3"
                             " WHERE aggregate_id = ?1 AND type_id = ?2")
                       : Sql("INSERT INTO main.evercore_compacted_type"
                             " (aggregate_id, type_id, position) VALUES (?1, ?2, ?3)"))
        .bind(1, aggregate.id)
        .bind(2, types.integer(0))
        .bind(3, types.integer(1))
        .run();
  }
}

/// What must be remembered of the events up to `base`: their event_ids, types and times.
void remember_removed(Connection& connection, const Aggregate& aggregate, std::int64_t base) {
  Statement ids = connection.prepare(
      "SELECT event_id, sequence, position, type_id, data FROM main.evercore_event"
      " INDEXED BY evercore_event_sequence WHERE aggregate_id = ?1 AND sequence <= ?2 AND event_id "
      "IS NOT NULL");
  ids.bind(1, aggregate.id).bind(2, base);
  while (ids.step()) {
    Statement keep = connection.prepare(
        "INSERT INTO main.evercore_event_id"
        " (event_id, aggregate_id, sequence, position, type_id, data_sha256)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    keep.bind(1, ids.text(0)).bind(2, aggregate.id).bind(3, ids.integer(1));
    keep.bind(4, ids.integer(2)).bind(5, ids.integer(3));
    std::array<std::uint8_t, 32> digest{};
    if (!ids.is_null(4)) {
      digest = sha256(ids.text(4));
      keep.bind_blob(6, {reinterpret_cast<const char*>(digest.data()), digest.size()});
    }
    keep.run();
  }
  remember_types(connection, aggregate, base);
  connection
      .prepare(
          "UPDATE main.evercore_aggregate SET base = ?2,"
          " base_first_time = coalesce(base_first_time, (SELECT event_time FROM main.evercore_event"
          "  INDEXED BY evercore_event_sequence WHERE aggregate_id = ?1 ORDER BY sequence LIMIT "
          "1)),"
          " base_last_time = (SELECT event_time FROM main.evercore_event"
          "  INDEXED BY evercore_event_sequence WHERE aggregate_id = ?1 AND sequence = ?2),"
          " base_max_time = max(coalesce(base_max_time, -9223372036854775807),"
          "  (SELECT max(event_time) FROM main.evercore_event"
          "   INDEXED BY evercore_event_sequence WHERE aggregate_id = ?1 AND sequence <= ?2))"
          " WHERE aggregate_id = ?1")
      .bind(1, aggregate.id)
      .bind(2, base)
      .run();
}

/// A trigger or an authorizer can leave out parts of that silently, and what is removed next is gone.
void require_remembered(Connection& connection, const Aggregate& aggregate, std::int64_t base) {
  Statement look = connection.prepare(
      "SELECT EXISTS (SELECT 1 FROM main.evercore_event e INDEXED BY evercore_event_sequence"
      "  WHERE e.aggregate_id = ?1"
      "  AND e.sequence <= ?2 AND (e.event_id IS NOT NULL"
      "   AND NOT EXISTS (SELECT 1 FROM main.evercore_event_id i WHERE i.event_id = e.event_id"
      "    AND i.aggregate_id = ?1 AND i.sequence = e.sequence AND i.position = e.position"
      "    AND i.type_id = e.type_id AND (i.data_sha256 IS NULL) = (e.data IS NULL))"
      "   OR NOT EXISTS (SELECT 1 FROM main.evercore_compacted_type c WHERE c.aggregate_id = ?1"
      "    AND c.type_id = e.type_id AND c.position >= e.position)))"
      " OR NOT EXISTS (SELECT 1 FROM main.evercore_aggregate a CROSS JOIN main.evercore_event e"
      "   INDEXED BY evercore_event_sequence ON e.aggregate_id = ?1 AND e.sequence = ?2 WHERE "
      "a.aggregate_id = ?1 AND a.base = ?2"
      "  AND a.base_first_time IS NOT NULL AND a.base_last_time = e.event_time"
      "  AND a.base_max_time >= e.event_time)");
  look.bind(1, aggregate.id).bind(2, base).step();
  if (look.integer(0) != 0) throw compacted_in_part(aggregate.id);
}

/// Removes the events up to `base`. Where the newest position of the store is among them, its row
/// stays as a placeholder of aggregate 0: without it SQLite would give that position out again.
std::int64_t remove_events(Connection& connection, const Aggregate& aggregate, std::int64_t base) {
  const std::int64_t head = head_position(connection);
  with_maintenance(connection, [&] {
    connection
        .prepare(
            "UPDATE main.evercore_event NOT INDEXED SET aggregate_id = 0, sequence = position, "
            "type_id = 0,"
            " recorded_at = NULL, data = NULL, reference = NULL, metadata = NULL, event_id = NULL"
            " WHERE aggregate_id = ?1 AND sequence <= ?2"
            " AND position = (SELECT max(position) FROM main.evercore_event NOT INDEXED)")
        .bind(1, aggregate.id)
        .bind(2, base)
        .run();
    connection
        .prepare(
            "DELETE FROM main.evercore_event INDEXED BY evercore_event_sequence WHERE aggregate_id "
            "= 0"
            " AND position < (SELECT max(position) FROM main.evercore_event NOT INDEXED)")
        .run();
    connection
        .prepare(
            "DELETE FROM main.evercore_event INDEXED BY evercore_event_sequence"
            " WHERE aggregate_id = ?1 AND sequence <= ?2")
        .bind(1, aggregate.id)
        .bind(2, base)
        .run();
  });
  if (head_position(connection) != head) throw compacted_in_part(aggregate.id);
  return base - aggregate.base;
}

/// What a compaction must have done. A trigger or an authorizer can leave out parts of it silently.
void require_done(Connection& connection, const Aggregate& aggregate, std::int64_t base) {
  Statement look = connection.prepare(
      "SELECT (SELECT base FROM main.evercore_aggregate WHERE aggregate_id = ?1) = ?2"
      " AND NOT EXISTS (SELECT 1 FROM main.evercore_event INDEXED BY evercore_event_sequence"
      "  WHERE aggregate_id = ?1"
      "  AND sequence <= ?2)"
      " AND NOT EXISTS (SELECT 1 FROM main.evercore_event INDEXED BY evercore_event_sequence"
      "  WHERE aggregate_id = 0"
      "  AND (sequence <> position OR type_id <> 0 OR recorded_at IS NOT NULL OR data IS NOT NULL"
      "   OR metadata IS NOT NULL OR reference IS NOT NULL OR event_id IS NOT NULL"
      "   OR tags IS NOT NULL OR declared_tags IS NOT NULL))"
      " AND coalesce((SELECT max(sequence) FROM main.evercore_event WHERE aggregate_id = ?1), ?2)"
      "  = ?4"
      " AND (?3 OR EXISTS (SELECT 1 FROM main.evercore_snapshot WHERE aggregate_id = ?1"
      "  AND application = 0 AND version = 0 AND sequence = ?2))");
  look.bind(1, aggregate.id).bind(2, base).bind(3, std::int64_t{aggregate.erased});
  look.bind(4, aggregate.version).step();
  if (look.integer(0) == 0) throw compacted_in_part(aggregate.id);
}

struct Compacted {
  std::int64_t events = 0;
  bool anything = false;
};

/// What to do with one aggregate.
struct Plan {
  Aggregate aggregate;
  std::int64_t base;  ///< the events up to it go; the present one: none
  [[nodiscard]] bool removes() const { return base > aggregate.base; }
};

Plan plan_of(Connection& connection, std::int64_t aggregate_id,
             std::optional<std::int64_t> keep_events) {
  const Aggregate aggregate = load_aggregate(connection, aggregate_id);
  return {aggregate, keep_events && *keep_events < aggregate.version
                         ? aggregate.version - *keep_events
                         : aggregate.base};
}

/// Inside atomically(): compacts an aggregate that nothing protects.
Compacted carry_out(Connection& connection, const Plan& plan) {
  Aggregate aggregate = plan.aggregate;
  Compacted done;
  if (plan.removes()) {
    if (!aggregate.erased) store_engine_snapshot(connection, aggregate, plan.base);
    remember_removed(connection, aggregate, plan.base);
    require_remembered(connection, aggregate, plan.base);
    done.events = remove_events(connection, aggregate, plan.base);
    require_done(connection, aggregate, plan.base);
    done.anything = true;
    aggregate.base = plan.base;
    connection.transaction.forget();
  }
  if (drop_superseded(connection, aggregate)) done.anything = true;
  return done;
}

void compact(const Call& call) {
  std::optional<std::int64_t> keep_events;
  if (sqlite3_value* value = call.optional(1)) keep_events = integer_from(value, "keep_events", 0);
  const std::int64_t id = aggregate_id_of(call.arguments[0]);
  atomically(call.connection, [&] {
    const Plan plan = plan_of(call.connection, id, keep_events);
    if (plan.removes()) require_sound_subscriptions(call.connection);
    if (const auto why = protection(call.connection, plan.aggregate, plan.base)) {
      throw error(10, *why);
    }
    call.result(carry_out(call.connection, plan).events);
  });
}

/// The aggregates of a type that may have something to remove, those with the most kept events first:
/// more events than are kept, or more than one snapshot.
std::vector<std::int64_t> longest_first(Connection& connection, std::int64_t type_id,
                                        std::int64_t keep_events) {
  Statement find = connection.prepare(
      "SELECT aggregate_id FROM (SELECT a.aggregate_id, coalesce((SELECT max(sequence)"
      "  FROM main.evercore_event e WHERE e.aggregate_id = a.aggregate_id), a.base) - a.base AS "
      "kept"
      "  FROM main.evercore_aggregate a WHERE a.type_id = ?1) kept_of"
      " WHERE kept > ?2 OR EXISTS (SELECT 1 FROM main.evercore_snapshot s"
      "  WHERE s.aggregate_id = kept_of.aggregate_id LIMIT 1 OFFSET 1)"
      " ORDER BY kept DESC, aggregate_id");
  find.bind(1, type_id).bind(2, keep_events);
  std::vector<std::int64_t> ids;
  while (find.step()) ids.push_back(find.integer(0));
  return ids;
}

/// Passes over what is protected. Any failure is one of the whole call.
std::int64_t compact_all(Connection& connection, std::int64_t type_id,
                         std::optional<std::int64_t> keep_events, std::int64_t most) {
  std::int64_t count = 0;
  bool looked = false;
  for (const std::int64_t id :
       longest_first(connection, type_id, keep_events.value_or(most_sequence))) {
    if (count == most) break;
    const Plan plan = plan_of(connection, id, keep_events);
    if (plan.removes() && !std::exchange(looked, true)) require_sound_subscriptions(connection);
    if (protection(connection, plan.aggregate, plan.base)) continue;
    if (carry_out(connection, plan).anything) ++count;
  }
  return count;
}

void compact_type(const Call& call) {
  const Name type = name_of(call.arguments[0], "aggregate_type", max_type_name);
  std::optional<std::int64_t> keep_events;
  std::int64_t most = -1;
  if (sqlite3_value* value = call.optional(1)) keep_events = integer_from(value, "keep_events", 0);
  if (sqlite3_value* value = call.optional(2)) most = integer_from(value, "max", 1);
  atomically(call.connection, [&] {
    const auto type_id = find_aggregate_type(call.connection, type);
    if (!type_id) throw error(2, "no aggregate type \"" + std::string(type) + "\"");
    call.result(compact_all(call.connection, *type_id, keep_events, most));
  });
}

}  // namespace

const Function compact_functions[2] = {
    {"evercore_compact", 1, 2, Access::writes, compact},
    {"evercore_compact_type", 1, 3, Access::writes, compact_type},
};

}  // namespace evercore::ext
