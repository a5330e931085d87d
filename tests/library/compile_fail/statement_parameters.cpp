// evercore: the statement has another number of parameters than of types for them
#include "evercore/engine.h"
constexpr evercore::Statement find{"SELECT evercore_find($1, $2)", "t"};
