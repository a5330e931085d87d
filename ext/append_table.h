// The virtual table `evercore_append`: the INSERT form of appending.
#pragma once

#include <memory>

#include "connection.h"

namespace evercore::ext {

/// Registers it. Gives a SQLite result code.
int register_append_table(const std::shared_ptr<Connection>& connection);

}  // namespace evercore::ext
