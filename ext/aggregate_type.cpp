#include "aggregate_type.h"

#include <optional>
#include <string>

#include "aggregate.h"
#include "data_schema.h"
#include "error.h"
#include "json.h"
#include "kept_state.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// The schema, if the options give one; the text `null` takes it away.
std::optional<std::string_view> read_options(const Call& call) {
  sqlite3_value* options = call.optional(1);
  if (options == nullptr) return std::nullopt;
  const std::string_view json = document_of(options, "options");
  call.connection.payload.check("options", json);
  std::optional<std::string_view> schema;
  for (Members member(json); member.next();) {
    const std::string key = unescape(member.raw_key());
    if (key != "schema") throw error(9, "options: unknown member \"" + key + "\"");
    schema = member.value();
  }
  if (schema && *schema != "null") static_cast<void>(DataSchema(*schema));
  return schema;
}

std::optional<std::string> stored_schema(Connection& connection, std::int64_t type_id) {
  Statement load =
      connection.prepare("SELECT schema FROM main.evercore_aggregate_type WHERE type_id = ?1");
  if (!load.bind(1, type_id).step() || load.is_null(0)) return std::nullopt;
  return std::string(load.text(0));
}

/// Whether the type already declares what is given.
bool is_declared(Connection& connection, std::int64_t type_id, std::string_view given) {
  const auto stored = stored_schema(connection, type_id);
  return given == "null" ? !stored : stored == given;
}

/// Looking first costs no lock, but not inside a transaction: its snapshot could be stale by the write.
bool changes_nothing(Connection& connection, std::string_view name, std::string_view given) {
  if (sqlite3_get_autocommit(connection.db()) == 0) return false;
  const auto type_id = find_aggregate_type(connection, name);
  return type_id ? is_declared(connection, *type_id, given) : given == "null";
}

/// Does not check the states that there are. A first schema makes the kept states; taking the schema away
/// drops them.
void change_schema(Connection& connection, std::int64_t type_id, std::string_view given) {
  const bool had_schema = stored_schema(connection, type_id).has_value();
  const bool has_schema = given != "null";
  mark_declaration(connection);
  connection.transaction.forget();
  const auto bind = [&](Statement& statement) -> Statement& {
    if (has_schema) statement.bind(2, given);
    return statement.bind(1, type_id);
  };
  Statement store =
      connection.prepare("UPDATE main.evercore_aggregate_type SET schema = ?2 WHERE type_id = ?1");
  bind(store).run();
  Statement look = connection.prepare(
      "SELECT 1 FROM main.evercore_aggregate_type WHERE type_id = ?1 AND schema IS ?2");
  require_written(bind(look));
  if (had_schema && has_schema) return;
  drop_kept_of_aggregate_type(connection, type_id);
  if (has_schema) keep_states(connection);
}

void aggregate_type(const Call& call) {
  const Name name = name_of(call.arguments[0], "aggregate_type", max_type_name);
  const auto given = read_options(call);
  Connection& connection = call.connection;
  connection.require_store();
  call.result(name);
  if (!given || changes_nothing(connection, name, *given)) return;
  atomically(connection, [&] {
    if (*given == "null" && !find_aggregate_type(connection, name)) return;
    const std::int64_t type_id = ensure_aggregate_type(connection, name);
    if (!is_declared(connection, type_id, *given)) change_schema(connection, type_id, *given);
  });
}

}  // namespace

const Function aggregate_type_function = {"evercore_aggregate_type", 1, 2, Access::writes,
                                          aggregate_type};

}  // namespace evercore::ext
