// The index of events by type, which a store has where its owner wants it: it costs every append.
//
//   SELECT evercore_index_types();     -- makes it
//   SELECT evercore_index_types(0);    -- drops it
#pragma once

#include "connection.h"
#include "function.h"

namespace evercore::ext {

enum class TypeIndex {
  none,
  named,  ///< evercore_event_by_type, as evercore_index_types() makes it
  other,  ///< one that a user made under another name
};

/// What the events of one type are found by in order of position.
[[nodiscard]] TypeIndex index_by_type(Connection& connection);

#define EVERCORE_BY_TYPE "INDEXED BY evercore_event_by_type"

extern const Function index_types_function;

}  // namespace evercore::ext
