// The way past the append-only triggers, for compaction and erasure alone.
#pragma once

#include <cstdint>
#include <functional>

#include "aggregate.h"
#include "connection.h"

namespace evercore::ext {

/// Inside atomically() only: runs `work` while DELETE and UPDATE on events pass. What lets them
/// pass is a row in _evercore_maintenance, so that a rollback closes the way too.
void with_maintenance(Connection& connection, const std::function<void()>& work);

/// Throws EV010 if a subscription whose filter they pass has not read the events up to `sequence`.
void require_read(Connection& connection, const Aggregate& aggregate, std::int64_t sequence);

}  // namespace evercore::ext
