// evercore_check: every promise of the stored data, looked at row by row. No row when all is well.
//
//   SELECT * FROM evercore_check();
#pragma once

#include "table_function.h"

namespace evercore::ext {

extern const TableFunction check_table;

}  // namespace evercore::ext
