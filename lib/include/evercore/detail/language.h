// What evercore asks of the compiler, in one sentence each, before anything else is read.
#ifndef EVERCORE_DETAIL_LANGUAGE_H
#define EVERCORE_DETAIL_LANGUAGE_H

// After the sentence a header that is not there stops the compiler: hundreds of errors would follow.
#if defined(_MSC_VER) && !defined(__clang__)
#  error "evercore: MSVC cannot compile these headers; use g++ 12, clang 14 or newer"
#  include "evercore/needs-gcc-or-clang.h"
#elif __cplusplus < 202002L
#  error "evercore: these headers need C++20; compile with -std=c++20 or newer"
#  include "evercore/needs-c++20.h"
#elif !defined(__cpp_exceptions)
#  error "evercore: the library speaks of errors by exceptions; compile without -fno-exceptions"
#  include "evercore/needs-exceptions.h"
#endif

#endif  // EVERCORE_DETAIL_LANGUAGE_H
