// Compaction and erasure: the only ways an event leaves the log or changes.
//
//   SELECT evercore_compact(7, 100);              -- the newest 100 events stay, and a base snapshot
//   SELECT evercore_compact_type('User', 0, 50);  -- a type, 50 aggregates a call; until it gives 0
//   SELECT evercore_erase(7);                     -- the right to be forgotten
#pragma once

#include "function.h"

namespace evercore::ext {

extern const Function compact_functions[2];
extern const Function erase_function;

}  // namespace evercore::ext
