#include "anchor.h"

#include <new>

namespace evercore::ext {

namespace {

struct Anchor {
  sqlite3_vtab base;
  Connection* connection;
};

int connect(sqlite3* db, void* user, int, const char* const*, sqlite3_vtab** out, char**) noexcept {
  const int rc = sqlite3_declare_vtab(db, "CREATE TABLE x(unused)");
  if (rc != SQLITE_OK) return rc;
  Connection* connection = static_cast<std::shared_ptr<Connection>*>(user)->get();
  auto* anchor = new (std::nothrow) Anchor{{}, connection};
  if (anchor == nullptr) return SQLITE_NOMEM;
  connection->anchored();
  *out = &anchor->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* vtab) noexcept {
  auto* anchor = reinterpret_cast<Anchor*>(vtab);
  anchor->connection->release_statements();
  delete anchor;
  return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info*) noexcept {
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** out) noexcept {
  *out = new (std::nothrow) sqlite3_vtab_cursor{};
  return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor) noexcept {
  delete cursor;
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor*, int, const char*, int, sqlite3_value**) noexcept {
  return SQLITE_OK;
}
int next(sqlite3_vtab_cursor*) noexcept {
  return SQLITE_OK;
}
int eof(sqlite3_vtab_cursor*) noexcept {
  return 1;
}
int column(sqlite3_vtab_cursor*, sqlite3_context*, int) noexcept {
  return SQLITE_OK;
}
int rowid(sqlite3_vtab_cursor*, sqlite3_int64* out) noexcept {
  *out = 0;
  return SQLITE_OK;
}

constexpr sqlite3_module methods = [] {
  sqlite3_module module{};
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}();

void destroy(void* connection) {
  delete static_cast<std::shared_ptr<Connection>*>(connection);
}

}  // namespace

int register_anchor(const std::shared_ptr<Connection>& connection) {
  auto* held = new (std::nothrow) std::shared_ptr<Connection>(connection);
  if (held == nullptr) return SQLITE_NOMEM;
  return sqlite3_create_module_v2(connection->db(), "_evercore_anchor", &methods, held, destroy);
}

}  // namespace evercore::ext
