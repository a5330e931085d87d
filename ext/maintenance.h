// The way past the append-only triggers, for compaction and erasure alone.
#pragma once

#include <functional>

#include "connection.h"

namespace evercore::ext {

/// Inside atomically() only: runs `work` while DELETE and UPDATE on events pass. What lets them
/// pass is a row in _evercore_maintenance, so that a rollback closes the way too.
void with_maintenance(Connection& connection, const std::function<void()>& work);

}  // namespace evercore::ext
