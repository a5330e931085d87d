#include "anchor.h"

#include <new>

#include "empty_table.h"

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

constexpr sqlite3_module methods = [] {
  sqlite3_module module = empty_table::methods();
  module.xConnect = connect;
  module.xDisconnect = disconnect;
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
