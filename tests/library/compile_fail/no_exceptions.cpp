// evercore: the library speaks of errors by exceptions; compile without -fno-exceptions
// flags: -std=c++20 -fno-exceptions
#include "evercore/evercore.h"
