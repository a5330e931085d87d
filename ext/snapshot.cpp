#include "snapshot.h"

#include "error.h"
#include "fold.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

void store(Connection& connection, std::int64_t aggregate_id, bool application,
           std::int64_t version, std::int64_t sequence, std::string_view state) {
  const auto before = sqlite3_total_changes64(connection.db());
  connection
      .prepare(
          "INSERT OR REPLACE INTO main.evercore_snapshot"
          " (aggregate_id, application, version, sequence, state) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(1, aggregate_id)
      .bind(2, std::int64_t{application ? 1 : 0})
      .bind(3, version)
      .bind(4, sequence)
      .bind(5, state)
      .run();
  if (sqlite3_total_changes64(connection.db()) == before) throw vanished();
}

void snapshot(const Call& call) {
  const std::int64_t id = aggregate_id_of(call.arguments[0]);
  atomically(call.connection, [&] {
    const Aggregate aggregate = load_open_aggregate(call.connection, id);
    store_engine_snapshot(call.connection, aggregate, aggregate.version);
    call.result(aggregate.version);
  });
}

void save_snapshot(const Call& call) {
  const std::int64_t id = aggregate_id_of(call.arguments[0]);
  const std::int64_t sequence = integer_of(call.arguments[1], "sequence");
  const std::string_view state = required_document(call.arguments[2], "state");
  const std::int64_t version = integer_of(call.arguments[3], "version");
  call.connection.payload.check("state", state);
  atomically(call.connection, [&] {
    const Aggregate aggregate = load_open_aggregate(call.connection, id);
    if (sequence < 1 || sequence > aggregate.version) {
      throw no_sequence(id, sequence, aggregate.version);
    }
    if (sequence < aggregate.base) throw compacted_sequence(id, sequence, aggregate.base);
    store(call.connection, id, true, version, sequence, state);
    call.result(sequence);
  });
}

void snapshot_policy(const Call& call) {
  const Name type = name_of(call.arguments[0], "aggregate_type", max_type_name);
  const std::int64_t every = integer_from(call.arguments[1], "every", 0);
  std::int64_t keep = 1;
  if (every > 0) keep = integer_from(call.arguments[2], "keep", 1);
  Connection& connection = call.connection;
  atomically(connection, [&] {
    const std::int64_t type_id = ensure_aggregate_type(connection, type);
    connection
        .prepare(
            "UPDATE main.evercore_aggregate_type SET snapshot_every = ?2, snapshot_keep = ?3"
            " WHERE type_id = ?1")
        .bind(1, type_id)
        .bind(2, every)
        .bind(3, keep)
        .run();
    connection.transaction.forget();
    call.result(type);
  });
}

}  // namespace

void store_engine_snapshot(Connection& connection, const Aggregate& aggregate,
                           std::int64_t sequence) {
  if (sequence == 0) return;  // nothing to hold: replay begins there anyway
  const std::string state = state_at(connection, aggregate, sequence).text();
  store(connection, aggregate.id, false, 0, sequence, state);
}

void drop_old_engine_snapshots(Connection& connection, const Aggregate& aggregate,
                               std::int64_t keep) {
  connection
      .prepare(
          "DELETE FROM main.evercore_snapshot WHERE aggregate_id = ?1 AND application = 0"
          " AND version = 0 AND sequence <> ?2 AND sequence < (SELECT min(sequence) FROM"
          " (SELECT sequence FROM main.evercore_snapshot WHERE aggregate_id = ?1"
          " AND application = 0 AND version = 0 ORDER BY sequence DESC LIMIT ?3))")
      .bind(1, aggregate.id)
      .bind(2, aggregate.base)
      .bind(3, keep)
      .run();
}

void store_snapshot_by_policy(Connection& connection, std::int64_t aggregate_id) {
  const Aggregate aggregate = load_aggregate(connection, aggregate_id);
  store_engine_snapshot(connection, aggregate, aggregate.version);
  Statement policy = connection.prepare(
      "SELECT snapshot_keep FROM main.evercore_aggregate_type WHERE type_id = ?1");
  policy.bind(1, aggregate.type_id).step();
  drop_old_engine_snapshots(connection, aggregate, policy.integer(0));
}

const Function snapshot_functions[3] = {
    {"evercore_snapshot", 1, 1, Access::writes, snapshot},
    {"evercore_save_snapshot", 4, 4, Access::writes, save_snapshot},
    {"evercore_snapshot_policy", 3, 3, Access::writes, snapshot_policy},
};

}  // namespace evercore::ext
