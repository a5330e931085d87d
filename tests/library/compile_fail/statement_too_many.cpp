// evercore: the statement has more than max_parameters
#include "evercore/engine.h"
constexpr evercore::Statement many{"SELECT f($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                                   "tttttttttt"};
