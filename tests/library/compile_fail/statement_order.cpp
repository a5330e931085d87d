// evercore: a statement's parameters are $1, $2, ... in the order of their first appearance
#include "evercore/engine.h"
constexpr evercore::Statement find{"SELECT evercore_find($2, $1)", "tt"};
