#include "type_index.h"

#include "error.h"
#include "schema.h"
#include "value.h"

namespace evercore::ext {

namespace {

/// Whether an index has the name and is not the one that evercore makes.
bool is_another(Connection& connection) {
  if (index_by_type(connection) == TypeIndex::named) return false;
  return connection
      .prepare_once(
          "SELECT 1 FROM main.sqlite_schema WHERE type = 'index'"
          " AND name = 'evercore_event_by_type' COLLATE NOCASE")
      .step();
}

void index_types(const Call& call) {
  Connection& connection = call.connection;
  std::int64_t on = 1;
  if (sqlite3_value* value = call.optional(0)) on = integer_of(value, "on");
  if (on != 0 && on != 1) throw out_of_range("on", on);
  connection.require_store();
  connection.require_rollback();
  // Checked before the statement runs: a failure after it would not undo it.
  if (on == 1 && is_another(connection)) {
    throw error(10,
                "index evercore_event_by_type is another one: SELECT evercore_index_types(0)"
                " drops it");
  }
  // One statement, so that it happens whole or not at all by itself.
  run_script(connection, on == 1 ? "CREATE INDEX IF NOT EXISTS main.evercore_event_by_type"
                                   " ON evercore_event (type_id)"
                                 : "DROP INDEX IF EXISTS main.evercore_event_by_type");
  connection.forget_schema();
  call.result(on);
}

}  // namespace

TypeIndex index_by_type(Connection& connection) {
  Statement find = connection.prepare(
      "SELECT max(i.name = 'evercore_event_by_type')"
      " FROM pragma_index_list('evercore_event', 'main') i"
      " WHERE i.partial = 0 AND 'type_id' ="
      "  (SELECT name FROM pragma_index_info(i.name, 'main') WHERE seqno = 0)"
      " AND coalesce((SELECT name FROM pragma_index_info(i.name, 'main') WHERE seqno = 1),"
      "  'position') = 'position'");
  find.step();
  if (find.is_null(0)) return TypeIndex::none;
  return find.integer(0) != 0 ? TypeIndex::named : TypeIndex::other;
}

const Function index_types_function = {"evercore_index_types", 0, 1, Access::writes, index_types};

}  // namespace evercore::ext
