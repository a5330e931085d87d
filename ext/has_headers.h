// What `make` tries to compile before all else, to say in one sentence what is missing.
#if !__has_include(<sqlite3ext.h>)
#  error "SQLite's headers are missing (Debian: libsqlite3-dev)"
#elif !__has_include(<simdjson.h>)
#  error "simdjson is missing (Debian: libsimdjson-dev)"
#elif __cplusplus < 202002L
#  error "the compiler knows no C++20 (g++ 12 and clang 14 do)"
#endif
