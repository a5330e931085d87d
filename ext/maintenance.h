// The way past the append-only triggers, for compaction and erasure alone.
#pragma once

#include <functional>

#include "connection.h"

namespace evercore::ext {

/// Inside atomically() only: runs `work` while DELETE and UPDATE on events pass. What lets them
/// pass is a row in _evercore_maintenance, so that a rollback closes the way too.
void with_maintenance(Connection& connection, const std::function<void()>& work);

/// EV010: what should have been written was not, though SQLite said so. A user's trigger can ignore a
/// row, and a host's authorizer a column.
[[nodiscard]] Error cut_short(std::string_view what);

}  // namespace evercore::ext
