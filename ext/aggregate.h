// Aggregates: their ids, types, keys and versions.
//
//   SELECT evercore_create('User');              -- one without a key
//   SELECT evercore_ensure('User', 'ann');       -- the same id however often, by however many
//   SELECT evercore_find('User', 'bob');         -- NULL: none
//   SELECT evercore_sequence(evercore_find('User', 'ann'), '2026-01-01T00:00:00Z');
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connection.h"
#include "function.h"

namespace evercore::ext {

struct Aggregate {
  std::int64_t id = 0;
  std::int64_t type_id = 0;
  std::int64_t base = 0;     ///< the newest sequence that compaction removed
  std::int64_t version = 0;  ///< the newest sequence, or base
  bool erased = false;
};

[[nodiscard]] std::optional<Aggregate> find_aggregate_by_id(Connection& connection,
                                                            std::int64_t aggregate_id);
/// Throws EV002 where there is none.
[[nodiscard]] Aggregate load_aggregate(Connection& connection, std::int64_t aggregate_id);
/// The same, and EV002 where it was erased.
[[nodiscard]] Aggregate load_open_aggregate(Connection& connection, std::int64_t aggregate_id);

/// Throws EV010 where the row of an aggregate, or its newest event, is not what evercore wrote.
void require_sound(std::int64_t aggregate_id, std::int64_t base, std::int64_t version);

[[nodiscard]] std::optional<std::int64_t> find_aggregate_type(Connection& connection,
                                                              std::string_view name);
[[nodiscard]] std::optional<std::int64_t> find_aggregate(Connection& connection,
                                                         std::string_view type,
                                                         std::string_view key);
/// Inside atomically() only: the id of a type, made where it is missing.
std::int64_t ensure_aggregate_type(Connection& connection, std::string_view name);
/// Inside atomically() only.
std::int64_t ensure_aggregate(Connection& connection, std::string_view type, std::string_view key);

extern const Function aggregate_functions[5];

}  // namespace evercore::ext
