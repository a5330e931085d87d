// Aggregate types: what the states of their aggregates must be.
//
//   SELECT evercore_aggregate_type('Account', '{"schema":{"properties":{"balance":{"minimum":0}}}}');
//   SELECT aggregate_type, schema, snapshot_every, snapshot_keep, filled FROM evercore_aggregate_types;
#pragma once

#include "function.h"

namespace evercore::ext {

extern const Function aggregate_type_function;

}  // namespace evercore::ext
