#include "snapshot.h"

#include "error.h"
#include "fold.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

/// The place of one snapshot.
#define SNAPSHOT " WHERE aggregate_id = ?1 AND application = ?2 AND version = ?3 AND sequence = ?4"

void store(Connection& connection, std::int64_t aggregate_id, bool application,
           std::int64_t version, std::int64_t sequence, std::string_view state) {
  const auto bind = [&](Statement& statement) -> Statement& {
    statement.bind(1, aggregate_id).bind(2, std::int64_t{application ? 1 : 0});
    return statement.bind(3, version).bind(4, sequence);
  };
  Statement find = connection.prepare("SELECT state = ?5 FROM main.evercore_snapshot" SNAPSHOT);
  bind(find).bind(5, state);
  const bool there = find.step();
  find.reset();
  // Neither OR REPLACE nor an upsert: what the user's triggers write would take over the clause.
  Statement write =
      connection.prepare(there ? Sql("UPDATE main.evercore_snapshot SET state = ?5" SNAPSHOT)
                               : Sql("INSERT INTO main.evercore_snapshot"
                                     " (aggregate_id, application, version, sequence, state)"
                                     " VALUES (?1, ?2, ?3, ?4, ?5)"));
  bind(write).bind(5, state).run();
  if (!find.step() || find.integer(0) == 0) throw vanished();
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
    require_written(connection
                        .prepare("SELECT 1 FROM main.evercore_aggregate_type WHERE type_id = ?1"
                                 " AND snapshot_every = ?2 AND snapshot_keep = ?3")
                        .bind(1, type_id)
                        .bind(2, every)
                        .bind(3, keep));
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

/// Of aggregate ?1 all but the newest ?3 and the one at the base ?2.
#define OLD_SNAPSHOTS                                                             \
  " WHERE aggregate_id = ?1 AND application = 0"                                  \
  " AND version = 0 AND sequence <> ?2 AND sequence < (SELECT min(sequence) FROM" \
  " (SELECT sequence FROM main.evercore_snapshot WHERE aggregate_id = ?1"         \
  " AND application = 0 AND version = 0 ORDER BY sequence DESC LIMIT ?3))"

void drop_old_engine_snapshots(Connection& connection, const Aggregate& aggregate,
                               std::int64_t keep) {
  const auto bind = [&](Statement& statement) -> Statement& {
    return statement.bind(1, aggregate.id).bind(2, aggregate.base).bind(3, keep);
  };
  Statement drop = connection.prepare("DELETE FROM main.evercore_snapshot" OLD_SNAPSHOTS);
  bind(drop).run();
  Statement left = connection.prepare("SELECT 1 FROM main.evercore_snapshot" OLD_SNAPSHOTS);
  if (bind(left).step()) throw vanished();
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
