// Kept states: the state after an aggregate's last event, for aggregates whose type declares a schema of
// states. An append goes on from it, so that it costs the same however long the aggregate is.
//
// They are a cache: one that is missing, or whose sequence is not the aggregate's version, is made again by a
// fold.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "aggregate.h"
#include "connection.h"
#include "state.h"

namespace evercore::ext {

/// The state of an aggregate at its version.
struct KeptState {
  State state{"{}"};
  bool is_kept = false;  ///< there is a row, though perhaps an older one
};
[[nodiscard]] KeptState load_kept_state(Connection& connection, std::int64_t aggregate_id,
                                        std::int64_t version);
/// Inside atomically() only; `is_kept` says whether there is a row.
void keep_state(Connection& connection, std::int64_t aggregate_id, std::int64_t sequence,
                std::string_view state, bool is_kept);

/// Inside atomically() only: drops those of the aggregates with an event of a type.
void drop_kept_of_event_type(Connection& connection, std::int64_t type_id);
/// Inside atomically() only: drops those of all aggregates of a type, and what is left to make of them.
void drop_kept_of_aggregate_type(Connection& connection, std::int64_t type_id);
/// Inside atomically() only, after a declaration: makes the kept states that are missing. A type that lacks
/// more than a declaration does at once is left to evercore_fill().
void keep_states(Connection& connection);
/// Inside atomically() only: makes what keep_states() left, at most `most` of them; `left` is raised by how
/// many are left then.
void fill_kept_states(Connection& connection, std::int64_t most, std::int64_t& left);

}  // namespace evercore::ext
