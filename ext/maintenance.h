// The way past the append-only triggers, for compaction and erasure alone.
#pragma once

#include <functional>

#include "connection.h"

namespace evercore::ext {

/// Inside atomically() only: runs `work` while the triggers allow DELETE and UPDATE on events. They look for
/// a row in _evercore_maintenance, so a rollback forbids both again.
void with_maintenance(Connection& connection, const std::function<void()>& work);

/// EV010: SQLite reported success, but not all was written. A user's trigger can ignore a row, and a
/// host's authorizer a column.
[[nodiscard]] Error cut_short(std::string_view what);

}  // namespace evercore::ext
