// All of a store as text, by the model and by the engine: two texts that differ are two stores.
#include "simulate/world.h"

namespace evercore::simulate {

namespace {

bool shows_all(const Call& call) {
  return call.name == "evercore_log" || call.name == "evercore_aggregates" ||
         call.name == "evercore_subscriptions" || call.name == "evercore_stats";
}

/// What no relation shows, and what a later call would stumble over; of its columns those that are JSON, as of a call.
struct Hidden {
  const char* sql;
  const char* kinds = "";
};
constexpr Hidden hidden[] = {
    {"SELECT name, snapshot_every, snapshot_keep, schema, unfilled FROM evercore_aggregate_type"
     " ORDER BY name"},
    {"SELECT name, fold, rules, schema, upcast, tags, declares_merge FROM evercore_event_type"
     " ORDER BY name"},
    {"SELECT position, declared_tags FROM evercore_event WHERE declared_tags IS NOT NULL"},
    {"SELECT aggregate_id, application, version, sequence, state FROM evercore_snapshot"
     " ORDER BY 1, 2, 3, 4",
     "ttttj"},
    {"SELECT aggregate_id, sequence FROM evercore_kept_state ORDER BY aggregate_id"},
    {"SELECT c.aggregate_id, t.name, c.position FROM evercore_compacted_type c"
     " JOIN evercore_event_type t ON t.type_id = c.type_id ORDER BY 1, 2"},
    {"SELECT name, last_token, start_position, repartitionable, removed FROM evercore_subscription"
     " ORDER BY name"},
    {"SELECT max(least_token) FROM evercore_schema"},
    {"SELECT count(*) FROM sqlite_schema WHERE name = 'evercore_event_by_type'"},
    {"SELECT task FROM _evercore_maintenance"},
};

std::string hidden_of(const Store& store) {
  std::string out;
  const auto line = [&](std::initializer_list<std::string> cells) { out += row(cells) + "\n"; };
  for (const auto& [name, policy] : store.policies) {
    const auto schema = store.state_schemas.find(name);
    line({name, cell(policy.every), cell(policy.keep),
          schema == store.state_schemas.end() ? "NULL" : schema->second, "NULL"});
  }
  for (const auto& [name, fold] : store.folds) {
    const auto found = store.declared.find(name);
    const auto schema = store.schemas.find(name);
    const auto upcast = store.upcasts.find(name);
    line({name, cell(Number(fold == Fold::rules ? Fold::merge : fold)),
          fold == Fold::rules ? declared_rules : "NULL",
          schema == store.schemas.end() ? "NULL" : schema->second,
          upcast == store.upcasts.end() ? "NULL" : upcast->second,
          found == store.declared.end() ? "NULL" : found->second,
          store.merges.count(name) > 0 ? "1" : "0"});
  }
  for (const Event& event : store.events) {
    if (event.declared > 0) line({cell(event.position), cell(Number(event.declared))});
  }
  for (const auto& [id, aggregate] : store.aggregates) {
    for (const auto& [sequence, state] : aggregate.snapshots)
      line({cell(aggregate.id), "0", "0", cell(sequence), canonical(state)});
    for (const auto& [version, states] : aggregate.own_snapshots) {
      for (const auto& [sequence, state] : states)
        line({cell(aggregate.id), "1", cell(version), cell(sequence), canonical(state)});
    }
  }
  for (const auto& [id, aggregate] : store.aggregates) {
    if (store.keeps_state(aggregate)) line({cell(id), cell(aggregate.version)});
  }
  for (const auto& [id, aggregate] : store.aggregates) {
    for (const auto& [type, position] : aggregate.compacted)
      line({cell(aggregate.id), type, cell(position)});
  }
  for (const auto& [name, s] : store.subscriptions) {
    line({name, cell(s.last_token), cell(s.start), s.repartitionable ? "1" : "0",
          s.removed ? "1" : "0"});
  }
  line({cell(store.least_token)});
  line({store.types_indexed ? "1" : "0"});
  return out;
}

}  // namespace

std::string World::dump(const Store& store) const {
  Store copy = store;
  Memory memory;
  Scene scene{copy, memory, machine_time, copy.head};
  std::string out;
  for (const Call& call : calls()) {
    if (shows_all(call)) out += joined(call.answer(scene, {}));
  }
  return out + hidden_of(store);
}

std::string World::dump(Session& session) {
  std::string out;
  const auto add = [&](const std::string& sql, const std::string& kinds) {
    auto& statement = session.looks[sql];
    int rc = SQLITE_OK;
    if (!statement) {
      sqlite3_stmt* prepared = nullptr;
      rc = sqlite3_prepare_v2(session.db, sql.c_str(), -1, &prepared, nullptr);
      statement.reset(prepared);
    }
    const Reply reply = rows_of(session.db, statement.get(), rc, kinds);
    sqlite3_reset(statement.get());
    out += reply.ok() ? joined(reply.rows) : reply.message + "\n";
  };
  for (const Call& call : calls()) {
    if (shows_all(call)) add(sql_of(call, {}), call.kinds);
  }
  for (const Hidden& one : hidden) add(one.sql, one.kinds);
  return out;
}

}  // namespace evercore::simulate
