// Snapshots: states stored at a sequence, by the engine from its own fold or by an application.
//
//   SELECT evercore_snapshot(7);                              -- the engine's
//   SELECT evercore_save_snapshot(7, 40, '{"total":12}', 3);  -- the application's, of its version 3
//   SELECT evercore_snapshot_policy('Account', 100, 2);       -- one every 100 events, two kept
#pragma once

#include <cstdint>
#include <string_view>

#include "aggregate.h"
#include "connection.h"
#include "function.h"

namespace evercore::ext {

/// Inside atomically() only: stores the engine's state at `sequence`.
void store_engine_snapshot(Connection& connection, const Aggregate& aggregate,
                           std::int64_t sequence);

/// Inside atomically() only: a snapshot at the aggregate's version, and no more kept than its
/// type's policy says.
void store_snapshot_by_policy(Connection& connection, std::int64_t aggregate_id);

/// Inside atomically() only: drops all engine snapshots but the newest `keep` and the base
/// snapshot.
void drop_old_engine_snapshots(Connection& connection, const Aggregate& aggregate,
                               std::int64_t keep);

extern const Function snapshot_functions[3];

}  // namespace evercore::ext
