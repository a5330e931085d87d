#include "migrate.h"

#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "schema.h"
#include "schema_version.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

constexpr std::string_view up_mark = "-- +goose Up";
constexpr std::string_view down_mark = "-- +goose Down";

std::string down_part(const Migration& migration) {
  const std::string_view text = migration.text;
  return std::string(text.substr(text.find(down_mark) + down_mark.size()));
}

const Migration& migration_of(std::int64_t version) {
  return migrations[static_cast<std::size_t>(version - 1)];
}

constexpr std::int64_t subscriptions_since = 2;  ///< the version of their tables

/// A way down drops tables. What it would lose is looked at here, once for every migration, and by
/// nothing that a PRAGMA can switch off. Without its tables a store would give its tokens again.
void refuse_to_lose(Connection& connection, std::int64_t at, std::int64_t target) {
  Statement look = connection.prepare_once(
      "SELECT EXISTS (SELECT 1 FROM main.evercore_event)"
      " OR EXISTS (SELECT 1 FROM main.evercore_aggregate WHERE base > 0)");
  look.step();
  if (look.integer(0) != 0) throw error(10, "the store holds events");
  if (at < subscriptions_since || target >= subscriptions_since) return;
  Statement tokens = connection.prepare_once(
      "SELECT EXISTS (SELECT 1 FROM main.evercore_subscription WHERE last_token <> 0)");
  tokens.step();
  if (tokens.integer(0) != 0) throw error(10, "the store has given tokens");
}

/// Whether there is anything that a migration to the version where the store is would do.
bool can_be_mended(Connection& connection, std::int64_t at) {
  if (at == 0) return false;
  const auto mends = [&](const Schema& schema) {
    for (const Difference& difference : differences(connection, schema)) {
      if (difference.mendable || difference.blocks) return true;
    }
    return false;
  };
  return at == newest_schema_version() ? mends(Schema::newest()) : mends(Schema(at));
}

/// Unlike atomically(), this runs before there is a table to insert into, and it changes the schema.
/// The scripts name their tables without a database: temporary ones would come before ours, and
/// attached ones in the place of ours that are missing.
void go_to(Connection& connection, std::int64_t target) {
  std::int64_t at = schema_version(connection);
  // Under the lock now: a newer program may have been here since the look before it.
  if (at > newest_schema_version()) connection.require_store();
  refuse_temporary_names(connection);
  if (target < at) refuse_to_lose(connection, at, target);
  if (at > 0) mend(connection, at == newest_schema_version() ? Schema::newest() : Schema(at));
  const std::vector<ViewTrigger> triggers = at > 0 && at != target
                                                ? triggers_on_views(connection, Schema(at))
                                                : std::vector<ViewTrigger>();
  for (; at < target; ++at) run_migration(connection, up_part(migration_of(at + 1)));
  for (; at > target; --at) run_migration(connection, down_part(migration_of(at)));
  restore_triggers(connection, triggers);
  if (schema_version(connection) != target || can_be_mended(connection, target)) {
    throw error(10, "a trigger or an authorizer cut the migration short");
  }
}

/// A transaction of its own in autocommit, a savepoint within the caller's. The statements that end
/// it are prepared before it begins: when memory runs out, they must still run.
void run_in_transaction(Connection& connection, std::int64_t target) {
  connection.require_rollback();
  require_same_transaction(connection);
  const bool own = sqlite3_get_autocommit(connection.db()) != 0;
  Statement keep = connection.prepare_once(own ? "COMMIT" : "RELEASE _evercore_migrate");
  Statement undo = connection.prepare_once(own ? "ROLLBACK" : "ROLLBACK TO _evercore_migrate");
  connection.prepare_once(own ? "BEGIN IMMEDIATE" : "SAVEPOINT _evercore_migrate").run();
  connection.called_in_transaction = true;
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
  Connection& connection = call.connection;
  const std::int64_t at = schema_version(connection);
  if (at > newest_schema_version()) connection.require_store();  // EV008
  connection.require_utf8();
  if (at != target || can_be_mended(connection, at)) run_in_transaction(connection, target);
  call.result(target);
}

}  // namespace

std::string up_part(const Migration& migration) {
  const std::string_view text = migration.text;
  const std::size_t up = text.find(up_mark) + up_mark.size();
  return std::string(text.substr(up, text.find(down_mark) - up));
}

std::int64_t newest_schema_version() {
  return static_cast<std::int64_t>(migrations.size());
}

const Function migrate_function = {"evercore_migrate", 0, 1, Access::writes, migrate};

}  // namespace evercore::ext
