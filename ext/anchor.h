// The anchor: an empty virtual table, `_evercore_anchor`, that frees a connection's prepared
// statements in time. SQLite refuses to close a connection that has statements, but disconnects
// virtual tables before it looks. No kept statement may use the anchor itself: it would then hold
// the table it waits for.
#pragma once

#include <memory>

#include "connection.h"

namespace evercore::ext {

/// Registers it. Gives a SQLite result code.
int register_anchor(const std::shared_ptr<Connection>& connection);

}  // namespace evercore::ext
