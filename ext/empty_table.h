// A virtual table that reads as empty: the reading half of a table that exists for other reasons.
#pragma once

#include <new>

#include "api.h"

namespace evercore::ext::empty_table {

inline int best_index(sqlite3_vtab*, sqlite3_index_info* info) noexcept {
  info->estimatedCost = 1;
  info->estimatedRows = 1;
  return SQLITE_OK;
}

inline int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) noexcept {
  *out = new (std::nothrow) sqlite3_vtab_cursor{};
  return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

inline int close(sqlite3_vtab_cursor* cursor) noexcept {
  delete cursor;
  return SQLITE_OK;
}

inline int filter(sqlite3_vtab_cursor*, int, const char*, int, sqlite3_value**) noexcept {
  return SQLITE_OK;
}
inline int next(sqlite3_vtab_cursor*) noexcept {
  return SQLITE_OK;
}
inline int eof(sqlite3_vtab_cursor*) noexcept {
  return 1;
}
inline int column(sqlite3_vtab_cursor*, sqlite3_context*, int) noexcept {
  return SQLITE_OK;
}
inline int rowid(sqlite3_vtab_cursor*, sqlite3_int64* out) noexcept {
  *out = 0;
  return SQLITE_OK;
}

/// The module's reading methods; the table adds xConnect, xDisconnect and what it writes with.
constexpr sqlite3_module methods() {
  sqlite3_module module{};
  module.xBestIndex = best_index;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

}  // namespace evercore::ext::empty_table
