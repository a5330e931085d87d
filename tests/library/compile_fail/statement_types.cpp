// evercore: a parameter's type is neither i, an integer, nor t, a text
#include "evercore/engine.h"
constexpr evercore::Statement find{"SELECT evercore_find($1, $2)", "ts"};
