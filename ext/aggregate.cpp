#include "aggregate.h"

#include "error.h"
#include "time.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

std::optional<std::int64_t> find_by_key(Connection& connection, std::int64_t type_id,
                                        std::string_view key) {
  if (const auto id = connection.transaction.aggregate_by_key(type_id, key)) return id;
  Statement find = connection.prepare(
      "SELECT aggregate_id FROM main.evercore_aggregate INDEXED BY evercore_aggregate_key"
      " WHERE type_id = ?1 AND natural_key = ?2");
  if (!find.bind(1, type_id).bind(2, key).step()) return std::nullopt;
  const std::int64_t id = find.integer(0);
  connection.transaction.learn_key(type_id, key, id);
  return id;
}

/// Inside atomically(): the row of a new aggregate.
std::int64_t insert_aggregate(Connection& connection, std::int64_t type_id,
                              std::optional<std::string_view> key) {
  Statement insert = connection.prepare(
      "INSERT INTO main.evercore_aggregate (type_id, natural_key) VALUES (?1, ?2)");
  insert.bind(1, type_id);
  if (key) insert.bind(2, *key);
  const Arrival arrival(connection.db());
  insert.run();
  const std::int64_t id = arrival.rowid();
  if (key) connection.transaction.learn_key(type_id, *key, id);
  return id;
}

void create(const Call& call) {
  const Name type = name_of(call.arguments[0], "aggregate_type", max_type_name);
  std::optional<Name> key;
  if (sqlite3_value* value = call.optional(1)) {
    key = name_of(value, "natural_key", max_natural_key);
  }
  atomically(call.connection, [&] {
    const std::int64_t type_id = ensure_aggregate_type(call.connection, type);
    if (key && find_by_key(call.connection, type_id, *key)) throw key_taken(type, *key);
    call.result(insert_aggregate(call.connection, type_id, key));
  });
}

void ensure(const Call& call) {
  const Name type = name_of(call.arguments[0], "aggregate_type", max_type_name);
  const Name key = name_of(call.arguments[1], "natural_key", max_natural_key);
  // Looking first costs no lock. Not inside a transaction: its snapshot could be stale by the
  // write.
  if (sqlite3_get_autocommit(call.connection.db()) != 0) {
    if (const auto id = find_aggregate(call.connection, type, key)) return call.result(*id);
  }
  atomically(call.connection, [&] { call.result(ensure_aggregate(call.connection, type, key)); });
}

/// A text that no aggregate can have as its type or key is not an error: it finds none.
void find(const Call& call) {
  call.result_null();
  if (is_null(call.arguments[0]) || is_null(call.arguments[1])) {
    return call.connection.require_store();
  }
  const Name type(call.arguments[0], "aggregate_type");
  const Name key(call.arguments[1], "natural_key");
  if (const auto id = find_aggregate(call.connection, type, key)) call.result(*id);
}

void rekey(const Call& call) {
  const Name key = name_of(call.arguments[1], "natural_key", max_natural_key);
  const std::int64_t id = aggregate_id_of(call.arguments[0]);
  Connection& connection = call.connection;
  atomically(connection, [&] {
    const Aggregate aggregate = load_open_aggregate(connection, id);
    const auto holder = find_by_key(connection, aggregate.type_id, key);
    if (holder && *holder != id) {
      Statement type =
          connection.prepare("SELECT name FROM main.evercore_aggregate_type WHERE type_id = ?1");
      type.bind(1, aggregate.type_id).step();
      throw key_taken(type.text(0), key);
    }
    connection
        .prepare("UPDATE main.evercore_aggregate SET natural_key = ?2 WHERE aggregate_id = ?1")
        .bind(1, id)
        .bind(2, key)
        .run();
    require_written(connection
                        .prepare("SELECT 1 FROM main.evercore_aggregate WHERE aggregate_id = ?1 "
                                 "AND natural_key = ?2")
                        .bind(1, id)
                        .bind(2, key));
    connection.transaction.forget();
    call.result(id);
  });
}

/// The last sequence at or before a time. Of compacted events only the newest time is known.
std::int64_t sequence_at(Connection& connection, const Aggregate& aggregate, std::int64_t time) {
  Statement kept = connection.prepare(
      "SELECT sequence FROM main.evercore_event INDEXED BY evercore_event_sequence"
      " WHERE aggregate_id = ?1 AND event_time <= ?2 ORDER BY sequence DESC LIMIT 1");
  if (kept.bind(1, aggregate.id).bind(2, time).step()) return kept.integer(0);
  if (aggregate.base == 0) return 0;
  Statement removed = connection.prepare(
      "SELECT base_max_time FROM main.evercore_aggregate WHERE aggregate_id = ?1");
  removed.bind(1, aggregate.id).step();
  const std::int64_t newest = removed.integer(0);
  if (time >= newest) return aggregate.base;
  std::array<char, time_text_size> text;
  format_time(newest, text);
  throw error(2, "times before " + std::string(text.data(), text.size()) + " of aggregate " +
                     std::to_string(aggregate.id) + " were compacted");
}

void sequence(const Call& call) {
  std::optional<std::int64_t> time;
  if (sqlite3_value* value = call.optional(1)) time = time_of(value, "at_time");
  const std::int64_t id = aggregate_id_of(call.arguments[0]);
  const Aggregate aggregate = load_aggregate(call.connection, id);
  call.result(time ? sequence_at(call.connection, aggregate, *time) : aggregate.version);
}

}  // namespace

std::optional<Aggregate> find_aggregate_by_id(Connection& connection, std::int64_t aggregate_id) {
  Statement load = connection.prepare(
      "SELECT type_id, erased, base, coalesce((SELECT max(sequence) FROM main.evercore_event"
      " WHERE aggregate_id = ?1), base) FROM main.evercore_aggregate WHERE aggregate_id = ?1");
  if (!load.bind(1, aggregate_id).step()) return std::nullopt;
  const Aggregate aggregate{aggregate_id, load.integer(0), load.integer(2), load.integer(3),
                            load.integer(1) != 0};
  require_sound(aggregate_id, aggregate.base, aggregate.version);
  return aggregate;
}

void require_sound(std::int64_t aggregate_id, std::int64_t base, std::int64_t version) {
  if (aggregate_id > 0 && base >= 0 && version >= base && version < most_sequence) return;
  throw damaged("aggregate " + std::to_string(aggregate_id));
}

Aggregate load_aggregate(Connection& connection, std::int64_t aggregate_id) {
  const auto aggregate = find_aggregate_by_id(connection, aggregate_id);
  if (!aggregate) throw no_aggregate(aggregate_id);
  return *aggregate;
}

Aggregate load_open_aggregate(Connection& connection, std::int64_t aggregate_id) {
  Aggregate aggregate = load_aggregate(connection, aggregate_id);
  if (aggregate.erased) throw erased_aggregate(aggregate_id);
  return aggregate;
}

std::optional<std::int64_t> find_aggregate_type(Connection& connection, std::string_view name) {
  if (const auto id = connection.transaction.aggregate_type(name)) return id;
  Statement find =
      connection.prepare("SELECT type_id FROM main.evercore_aggregate_type WHERE name = ?1");
  if (!find.bind(1, name).step()) return std::nullopt;
  const std::int64_t id = find.integer(0);
  connection.transaction.learn_aggregate_type(name, id);
  return id;
}

std::optional<std::int64_t> find_aggregate(Connection& connection, std::string_view type,
                                           std::string_view key) {
  const auto type_id = find_aggregate_type(connection, type);
  return type_id ? find_by_key(connection, *type_id, key) : std::nullopt;
}

std::int64_t ensure_aggregate_type(Connection& connection, std::string_view name) {
  if (const auto id = find_aggregate_type(connection, name)) return *id;
  const Arrival arrival(connection.db());
  connection.prepare("INSERT INTO main.evercore_aggregate_type (name) VALUES (?1)")
      .bind(1, name)
      .run();
  const std::int64_t id = arrival.rowid();
  connection.transaction.learn_aggregate_type(name, id);
  return id;
}

std::int64_t ensure_aggregate(Connection& connection, std::string_view type, std::string_view key) {
  const std::int64_t type_id = ensure_aggregate_type(connection, type);
  if (const auto id = find_by_key(connection, type_id, key)) return *id;
  return insert_aggregate(connection, type_id, key);
}

const Function aggregate_functions[5] = {
    {"evercore_create", 1, 2, Access::writes, create},
    {"evercore_ensure", 2, 2, Access::writes, ensure},
    {"evercore_find", 2, 2, Access::reads, find},
    {"evercore_rekey", 2, 2, Access::writes, rekey},
    {"evercore_sequence", 1, 2, Access::reads, sequence},
};

}  // namespace evercore::ext
