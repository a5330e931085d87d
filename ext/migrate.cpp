#include "migrate.h"

#include <string>
#include <string_view>

#include "error.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

constexpr std::string_view up_mark = "-- +goose Up";
constexpr std::string_view down_mark = "-- +goose Down";
constexpr std::string_view holds_events = "EV010: the store holds events";

std::string up_part(const Migration& migration) {
  const std::string_view text = migration.text;
  const std::size_t up = text.find(up_mark) + up_mark.size();
  return std::string(text.substr(up, text.find(down_mark) - up));
}

std::string down_part(const Migration& migration) {
  const std::string_view text = migration.text;
  return std::string(text.substr(text.find(down_mark) + down_mark.size()));
}

void run_script(Connection& connection, const std::string& script) {
  const int rc = sqlite3_exec(connection.db(), script.c_str(), nullptr, nullptr, nullptr);
  if (rc == SQLITE_OK) return;
  const Error failure = engine_error(connection.db(), rc);
  if (failure.text.find(holds_events) != std::string::npos) {
    throw error(10, "the store holds events");
  }
  throw failure;
}

void go_to(Connection& connection, std::int64_t target) {
  // Unlike atomically(), this runs before there is a table to insert into, and it changes the
  // schema.
  std::int64_t at = connection.schema_version();
  // Under the lock now: a newer program may have been here since the look before it.
  if (at > newest_schema_version()) connection.require_store();
  for (; at < target; ++at) {
    run_script(connection, up_part(migrations[static_cast<std::size_t>(at)]));
  }
  for (; at > target; --at) {
    run_script(connection, down_part(migrations[static_cast<std::size_t>(at - 1)]));
  }
}

/// A transaction of its own in autocommit, a savepoint within the caller's. The statements that end
/// it are prepared before it begins: when memory runs out, they must still run.
void run_in_transaction(Connection& connection, std::int64_t target) {
  const bool own = sqlite3_get_autocommit(connection.db()) != 0;
  Statement keep = connection.prepare_once(own ? "COMMIT" : "RELEASE _evercore_migrate");
  Statement undo = connection.prepare_once(own ? "ROLLBACK" : "ROLLBACK TO _evercore_migrate");
  connection.prepare_once(own ? "BEGIN IMMEDIATE" : "SAVEPOINT _evercore_migrate").run();
  try {
    go_to(connection, target);
    keep.run();
  } catch (...) {
    undo.try_run();
    if (!own) keep.try_run();
    connection.forget_schema();
    throw;
  }
  connection.forget_schema();
}

void migrate(const Call& call) {
  std::int64_t target = newest_schema_version();
  if (sqlite3_value* value = call.optional(0)) target = integer_from(value, "target", 0);
  if (target > newest_schema_version()) throw out_of_range("target", target);
  const std::int64_t at = call.connection.schema_version();
  if (at > newest_schema_version()) call.connection.require_store();  // EV008
  if (at != target) run_in_transaction(call.connection, target);
  call.result(target);
}

}  // namespace

std::int64_t newest_schema_version() {
  return static_cast<std::int64_t>(migrations.size());
}

const Function migrate_function = {"evercore_migrate", 0, 1, Access::writes, migrate};

}  // namespace evercore::ext
