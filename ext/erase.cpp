// evercore_erase: the right to be forgotten.
#include "aggregate.h"
#include "compact.h"
#include "maintenance.h"
#include "subscription.h"
#include "tag.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// Has SQLite overwrite what is deleted with zeros while it stands.
class SecureDelete {
 public:
  explicit SecureDelete(Connection& connection) : connection_(connection) {
    Statement before = connection.prepare_once("PRAGMA main.secure_delete");
    before.step();
    if (const std::int64_t value = before.integer(0); value == 1 || value == 2) before_ = value;
    connection.prepare_once("PRAGMA main.secure_delete = 1").step();
  }
  ~SecureDelete() {
    if (!restored_) set_back();
  }
  /// Inside the atomic work, so that a failure undoes it: after it nothing may fail any more.
  void restore() {
    const int rc = set_back();
    if (rc != SQLITE_OK) throw engine_error(connection_.db(), rc);
    restored_ = true;
  }
  SecureDelete(const SecureDelete&) = delete;
  SecureDelete& operator=(const SecureDelete&) = delete;

 private:
  int set_back() noexcept {
    static constexpr const char* back[] = {"PRAGMA main.secure_delete = 0",
                                           "PRAGMA main.secure_delete = 1",
                                           "PRAGMA main.secure_delete = FAST"};
    return sqlite3_exec(connection_.db(), back[before_], nullptr, nullptr, nullptr);
  }

  Connection& connection_;
  std::int64_t before_ = 0;
  bool restored_ = false;
};

void run_for(Connection& connection, Sql sql, std::int64_t aggregate_id) {
  connection.prepare(sql).bind(1, aggregate_id).run();
}

void erase_aggregate(Connection& connection, const Aggregate& aggregate) {
  require_sound_subscriptions(connection);
  if (const auto why = unread(connection, aggregate, aggregate.version)) throw error(10, *why);
  remove_tags(connection, aggregate.id);
  with_maintenance(connection, [&] {
    run_for(connection,
            "UPDATE main.evercore_event INDEXED BY evercore_event_sequence SET data = NULL, "
            "reference = NULL, metadata = NULL, tags = NULL, declared_tags = NULL"
            " WHERE aggregate_id = ?1",
            aggregate.id);
  });
  run_for(connection, "DELETE FROM main.evercore_snapshot WHERE aggregate_id = ?1", aggregate.id);
  run_for(connection, "DELETE FROM main.evercore_kept_state WHERE aggregate_id = ?1", aggregate.id);
  run_for(connection,
          "UPDATE main.evercore_event_id INDEXED BY evercore_event_id_aggregate"
          " SET data_sha256 = NULL WHERE aggregate_id = ?1 AND data_sha256 IS NOT NULL",
          aggregate.id);
  run_for(connection,
          "UPDATE main.evercore_aggregate SET natural_key = NULL, erased = 1"
          " WHERE aggregate_id = ?1",
          aggregate.id);
  Statement look = connection.prepare(
      "SELECT EXISTS (SELECT 1 FROM main.evercore_event INDEXED BY evercore_event_sequence"
      "  WHERE aggregate_id = ?1 AND (data IS NOT NULL OR reference IS NOT NULL OR metadata IS NOT "
      "NULL OR tags IS NOT NULL OR declared_tags IS NOT NULL))"
      " OR EXISTS (SELECT 1 FROM main.evercore_snapshot WHERE aggregate_id = ?1)"
      " OR EXISTS (SELECT 1 FROM main.evercore_kept_state WHERE aggregate_id = ?1)"
      " OR EXISTS (SELECT 1 FROM main.evercore_event_id INDEXED BY evercore_event_id_aggregate"
      "  WHERE aggregate_id = ?1 AND data_sha256 IS NOT NULL)"
      " OR NOT EXISTS (SELECT 1 FROM main.evercore_aggregate WHERE aggregate_id = ?1"
      "  AND natural_key IS NULL AND erased = 1)");
  look.bind(1, aggregate.id).step();
  if (look.integer(0) != 0) {
    throw cut_short("aggregate " + std::to_string(aggregate.id) + " was erased in part");
  }
  connection.transaction.forget();
}

void erase(const Call& call) {
  const std::int64_t id = aggregate_id_of(call.arguments[0]);
  Connection& connection = call.connection;
  SecureDelete secure(connection);
  atomically(connection, [&] {
    const Aggregate aggregate = load_aggregate(connection, id);
    if (aggregate.erased) return call.result(std::int64_t{0});
    erase_aggregate(connection, aggregate);
    secure.restore();
    call.result(aggregate.version - aggregate.base);
  });
}

}  // namespace

const Function erase_function = {"evercore_erase", 1, 1, Access::writes, erase};

}  // namespace evercore::ext
