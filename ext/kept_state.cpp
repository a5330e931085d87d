#include "kept_state.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "event_type.h"
#include "fold.h"
#include "left_to_fill.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// Aggregates that should have a kept state, and have none: what is before the first event needs none.
#define UNKEPT                                                                              \
  " a.erased = 0 AND NOT EXISTS (SELECT 1 FROM main.evercore_kept_state k"                  \
  "  WHERE k.aggregate_id = a.aggregate_id) AND (a.base > 0 OR EXISTS (SELECT 1"            \
  "  FROM main.evercore_event e INDEXED BY evercore_event_sequence WHERE e.aggregate_id = " \
  "a.aggregate_id))"

bool any_schema(Connection& connection) {
  return connection
      .prepare("SELECT 1 FROM main.evercore_aggregate_type WHERE schema IS NOT NULL LIMIT 1")
      .step();
}

/// How many states are to be made, for each type with a schema.
std::vector<Left> count_unkept(Connection& connection) {
  std::vector<Left> all;
  if (!any_schema(connection)) return all;
  Statement count = connection.prepare(
      "SELECT t.type_id, coalesce(c.unkept, 0),"
      " (SELECT coalesce(max(aggregate_id), 0) FROM main.evercore_aggregate)"
      " FROM main.evercore_aggregate_type t LEFT JOIN (SELECT a.type_id, count(*) AS unkept"
      "  FROM main.evercore_aggregate a NOT INDEXED WHERE a.type_id IN (SELECT type_id"
      "   FROM main.evercore_aggregate_type WHERE schema IS NOT NULL) AND" UNKEPT
      "  GROUP BY a.type_id) c ON c.type_id = t.type_id"
      " WHERE t.schema IS NOT NULL ORDER BY t.name");
  while (count.step()) {
    all.push_back({count.integer(0), 0, count.integer(2), count.integer(1)});
  }
  return all;
}

std::vector<std::int64_t> next_unkept(Connection& connection, const Left& left, std::int64_t most) {
  Statement find = connection.prepare(
      "SELECT a.aggregate_id FROM main.evercore_aggregate a NOT INDEXED"
      " WHERE a.aggregate_id > ?1 AND a.aggregate_id <= ?2 AND a.type_id = ?3 AND" UNKEPT
      " ORDER BY a.aggregate_id LIMIT ?4");
  find.bind(1, left.after).bind(2, left.upto).bind(3, left.type_id).bind(4, most);
  std::vector<std::int64_t> ids;
  while (find.step()) ids.push_back(find.integer(0));
  return ids;
}

/// Nothing where the events cannot be folded. The fault is reported when somebody asks for the state, or by
/// the next append.
std::optional<std::string> fold_whole(Connection& connection, const Aggregate& aggregate) {
  try {
    return state_at(connection, aggregate, aggregate.version).text();
  } catch (const Error& failure) {
    if (failure.code == Code::engine) throw;
    return std::nullopt;
  }
}

void make_kept(Connection& connection, std::int64_t aggregate_id) {
  const Aggregate aggregate = load_aggregate(connection, aggregate_id);
  const auto state = fold_whole(connection, aggregate);
  if (state) keep_state(connection, aggregate_id, aggregate.version, *state, false);
}

/// Makes the next states that are left, at most `most`; returns how many of `most` remain.
std::int64_t make_next(Connection& connection, Left& left, std::int64_t most) {
  return work_off(
      left, most,
      [&](const Left& from, std::int64_t wanted) { return next_unkept(connection, from, wanted); },
      [&](const auto& ids) {
        for (const std::int64_t id : ids) make_kept(connection, id);
      });
}

/// Nothing where the kept text is no legal state.
std::optional<State> read_state(Connection& connection, std::string_view text) {
  try {
    connection.payload.check("state", text);
    return State(text);
  } catch (const Error& failure) {
    if (failure.code == Code::engine) throw;
    return std::nullopt;
  }
}

}  // namespace

KeptState load_kept_state(Connection& connection, std::int64_t aggregate_id, std::int64_t version) {
  Statement load = connection.prepare(
      "SELECT sequence, state FROM main.evercore_kept_state WHERE aggregate_id = ?1");
  KeptState kept;
  kept.is_kept = load.bind(1, aggregate_id).step();
  if (version == 0) return kept;
  auto state = kept.is_kept && load.integer(0) == version ? read_state(connection, load.text(1))
                                                          : std::nullopt;
  load.reset();
  kept.state = state ? std::move(*state)
                     : state_at(connection, load_aggregate(connection, aggregate_id), version);
  return kept;
}

/// By UPDATE or INSERT, for what a user's trigger writes would take over the clause of an upsert.
void keep_state(Connection& connection, std::int64_t aggregate_id, std::int64_t sequence,
                std::string_view state, bool is_kept) {
  const auto bind = [&](Statement& statement) -> Statement& {
    return statement.bind(1, aggregate_id).bind(2, sequence).bind(3, state);
  };
  Statement write = connection.prepare(
      is_kept ? Sql("UPDATE main.evercore_kept_state SET sequence = ?2, state = ?3"
                    " WHERE aggregate_id = ?1")
              : Sql("INSERT INTO main.evercore_kept_state (aggregate_id, sequence, state)"
                    " VALUES (?1, ?2, ?3)"));
  bind(write).run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_kept_state WHERE aggregate_id = ?1 AND sequence = ?2"
      " AND state = ?3");
  require_written(bind(look));
}

#define KEPT_WITH_EVENT                                                              \
  " FROM main.evercore_kept_state WHERE EXISTS (SELECT 1 FROM main.evercore_event e" \
  " INDEXED BY evercore_event_sequence"                                              \
  " WHERE e.aggregate_id = evercore_kept_state.aggregate_id AND e.type_id = ?1)"

void drop_kept_of_event_type(Connection& connection, std::int64_t type_id) {
  connection.prepare("DELETE" KEPT_WITH_EVENT).bind(1, type_id).run();
  if (connection.prepare("SELECT 1" KEPT_WITH_EVENT).bind(1, type_id).step()) throw vanished();
}

#define KEPT_OF_TYPE                                                                     \
  " FROM main.evercore_kept_state WHERE EXISTS (SELECT 1 FROM main.evercore_aggregate a" \
  " WHERE a.aggregate_id = evercore_kept_state.aggregate_id AND a.type_id = ?1)"

void drop_kept_of_aggregate_type(Connection& connection, std::int64_t type_id) {
  connection.prepare("DELETE" KEPT_OF_TYPE).bind(1, type_id).run();
  if (connection.prepare("SELECT 1" KEPT_OF_TYPE).bind(1, type_id).step()) throw vanished();
  store_left(connection, LeftOf::aggregate_types, Left{type_id});
}

void keep_states(Connection& connection) {
  for (Left& left : count_unkept(connection)) {
    if (left.count <= most_at_once) make_next(connection, left, most_at_once);
    store_left(connection, LeftOf::aggregate_types, left);
  }
}

void fill_kept_states(Connection& connection, std::int64_t most, std::int64_t& left) {
  for (Left& of_type : what_is_left(connection, LeftOf::aggregate_types)) {
    if (most > 0) {
      most = make_next(connection, of_type, most);
      store_left(connection, LeftOf::aggregate_types, of_type);
    }
    left += of_type.count;
  }
}

}  // namespace evercore::ext
