// The SQLite API as this build reaches it: through the host's table of pointers in the loadable
// extension, by plain linking (SQLITE_CORE) in the static library. Include this, never sqlite3.h.
#pragma once

#ifdef SQLITE_CORE
#  include <sqlite3.h>
#else
#  include <sqlite3ext.h>
extern "C" {
extern const sqlite3_api_routines* sqlite3_api;  // defined in evercore.cpp alone
}
#endif

// Newer than the 3.40 headers; older hosts ignore the bit.
#ifndef SQLITE_RESULT_SUBTYPE
#  define SQLITE_RESULT_SUBTYPE 0x001000000
#endif
