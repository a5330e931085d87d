// The store as a whole: its version and its figures.
//
//   SELECT evercore_version();
//   SELECT name, value FROM evercore_stats();
//   SELECT evercore_head();
//   SELECT evercore_restored();   -- once, on a copy that was restored from a backup
#pragma once

#include "function.h"
#include "table_function.h"

namespace evercore::ext {

extern const Function version_function;
extern const Function time_function;
extern const Function head_function;
extern const Function restored_function;  // restored.cpp
extern const TableFunction stats_table;

}  // namespace evercore::ext
