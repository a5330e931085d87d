#include "append.h"

#include <array>
#include <string>
#include <utility>

#include "aggregate.h"
#include "append_calls.h"
#include "append_request.h"
#include "data_schema_check.h"
#include "digest.h"
#include "error.h"
#include "event_row.h"
#include "fold.h"
#include "head.h"
#include "snapshot.h"
#include "state_schema.h"
#include "time.h"
#include "value.h"
#include "write.h"

namespace evercore::ext {

namespace {

Error event_vanished() {
  return error(10, "an event was not written: a trigger or rule of evercore_event kept it back");
}

/// Whether one INSERT is enough for the event.
bool is_simple(const NewEvent& event) {
  return !event.event_id && event.tags == nullptr;
}

/// Binds all of the event but its aggregate, sequence and type.
void bind_event(Statement& insert, const NewEvent& event, std::int64_t recorded_at) {
  insert.bind(written_event_time, event.event_time.value_or(recorded_at));
  insert.bind(written_data, event.data);
  if (event.event_time) insert.bind(written_recorded_at, recorded_at);
  if (event.reference) insert.bind(written_reference, *event.reference);
  if (event.metadata) insert.bind(written_metadata, *event.metadata);
  if (event.event_id) insert.bind(written_event_id, *event.event_id);
  if (event.tags == nullptr) return;
  insert.bind(written_tags, event.tags->text);
  if (event.tags->declared > 0) {
    insert.bind(written_declared_tags, static_cast<std::int64_t>(event.tags->declared));
  }
}

/// Arrival notices an ignored row. But a user's trigger would inherit OR IGNORE, and its failures would be
/// ignored too: so nothing is inserted once the schema has changed.
#define IF_SAME_SCHEMA "CASE WHEN 'a' = 'b' COLLATE _evercore_same_schema THEN ?2 END"
constexpr Sql insert_ignoring = EVERCORE_INSERT_EVENT("OR IGNORE ", IF_SAME_SCHEMA, "?3");
constexpr Sql insert_simply = EVERCORE_INSERT_SIMPLE("OR IGNORE ", IF_SAME_SCHEMA, "?3");
constexpr Sql insert_plainly = EVERCORE_INSERT_EVENT("", "?2", "?3");
/// This statement looks up the version and the type itself: ?3 is the type's name.
constexpr Sql insert_finding = EVERCORE_INSERT_SIMPLE(
    "OR IGNORE ",
    "(SELECT _evercore_next_sequence(a.erased, t.snapshot_every, coalesce((SELECT max(sequence)"
    " FROM main.evercore_event WHERE aggregate_id = ?1), a.base), t.schema IS NOT NULL)"
    " FROM main.evercore_aggregate a"
    " JOIN main.evercore_aggregate_type t ON t.type_id = a.type_id WHERE a.aggregate_id = ?1)",
    "(SELECT type_id FROM main.evercore_event_type WHERE name = ?3)");

enum class Insertion {
  done,
  taken,           ///< that sequence is there already
  schema_changed,  ///< perhaps a trigger came: to be looked at again
};

bool is_taken(Connection& connection, std::int64_t aggregate_id, std::int64_t sequence) {
  return connection
      .prepare("SELECT 1 FROM main.evercore_event WHERE aggregate_id = ?1 AND sequence = ?2")
      .bind(1, aggregate_id)
      .bind(2, sequence)
      .step();
}

/// One INSERT of values that are all known.
Insertion insert_event(Connection& connection, std::int64_t aggregate_id, const Place& place,
                       const NewEvent& event, std::int64_t recorded_at, bool ignoring) {
  std::optional<Statement> prepared =
      ignoring ? connection.prepare_ignoring(is_simple(event) ? insert_simply : insert_ignoring)
               : connection.prepare(insert_plainly);
  if (!prepared) return Insertion::schema_changed;
  Statement& insert = *prepared;
  insert.bind(written_aggregate_id, aggregate_id).bind(written_sequence, place.sequence);
  insert.bind(written_type_id, place.type_id);
  bind_event(insert, event, recorded_at);
  require_same_transaction(connection);
  const Arrival arrival(connection.db());
  const Statement* outer = std::exchange(connection.inserting, &insert);
  const int rc = insert.try_run();
  connection.inserting = outer;
  if (rc == SQLITE_DONE && arrival.came()) {
    if (connection.transaction.note_head()) note_append(connection, arrival.rowid());
    return Insertion::done;
  }
  if (rc == SQLITE_DONE && !ignoring) throw event_vanished();
  if (rc == SQLITE_DONE) {
    if (insert.was_reprepared()) return Insertion::schema_changed;
    return insert_event(connection, aggregate_id, place, event, recorded_at, false);  // says why
  }
  const Error failure = engine_error(connection.db(), rc);
  insert.reset();
  if (failure.sqlite_code == SQLITE_CONSTRAINT_UNIQUE &&
      is_taken(connection, aggregate_id, place.sequence)) {
    return Insertion::taken;
  }
  throw failure;
}

std::int64_t snapshot_every(Connection& connection, std::int64_t type_id) {
  if (const auto every = connection.transaction.policy(type_id)) return *every;
  Statement load = connection.prepare(
      "SELECT snapshot_every FROM main.evercore_aggregate_type WHERE type_id = ?1");
  const std::int64_t every = load.bind(1, type_id).step() ? load.integer(0) : 0;
  connection.transaction.learn_policy(type_id, every);
  return every;
}

/// The version and policy of an open aggregate, from what the transaction knows or from the tables.
AggregateInfo open_info(Connection& connection, std::int64_t aggregate_id) {
  if (const AggregateInfo* known = connection.transaction.aggregate(aggregate_id)) return *known;
  Statement load = connection.prepare(
      "SELECT CASE WHEN erased THEN NULL ELSE type_id END, coalesce((SELECT max(sequence)"
      " FROM main.evercore_event WHERE aggregate_id = ?1), base) FROM main.evercore_aggregate"
      " WHERE aggregate_id = ?1");
  if (!load.bind(1, aggregate_id).step()) throw no_aggregate(aggregate_id);
  const std::int64_t type_id = load.integer(0);
  if (type_id == 0 && load.is_null(0)) throw erased_aggregate(aggregate_id);
  const std::int64_t version = load.integer(1);
  require_sound(aggregate_id, 0, version);
  const bool checked = connection.declared.of_states(connection, type_id) != nullptr;
  const AggregateInfo info{version, snapshot_every(connection, type_id), checked ? type_id : 0};
  connection.transaction.learn_aggregate(aggregate_id, info);
  return info;
}

void require_expected(std::int64_t aggregate_id, std::optional<std::int64_t> expected,
                      std::int64_t version) {
  if (expected.value_or(version) != version) throw conflict(aggregate_id, version, *expected);
}

void advance(Connection& connection, std::int64_t aggregate_id, AggregateInfo info) {
  if (AggregateInfo* known = connection.transaction.aggregate(aggregate_id)) {
    ++known->version;
  } else {
    ++info.version;
    connection.transaction.learn_aggregate(aggregate_id, info);
  }
}

/// One statement that checks and inserts: it takes the write lock before it reads, so that no other
/// writer can come between. Nothing where more than one statement is needed.
std::optional<Appended> append_fast(Connection& connection, std::int64_t aggregate_id,
                                    std::optional<std::int64_t> expected, const NewEvent& event) {
  const DeclaredTypes::Type* type = connection.declared.type(connection, event.event_type);
  if (type != nullptr && (type->declares_tags || !schema_takes(connection, event)))
    return std::nullopt;
  if (connection.declared.seen_checked(aggregate_id)) return std::nullopt;
  std::optional<Statement> prepared = connection.prepare_ignoring(insert_finding);
  if (!prepared) return std::nullopt;
  Statement& insert = *prepared;
  insert.bind(written_aggregate_id, aggregate_id).bind(written_type_id, event.event_type);
  bind_event(insert, event, now());
  require_same_transaction(connection);
  FastAppend fast{insert, expected};
  const Arrival arrival(connection.db());
  FastAppend* outer = std::exchange(connection.fast_append, &fast);
  const int rc = insert.try_run();
  connection.fast_append = outer;
  if (rc == SQLITE_DONE && arrival.came()) {
    const std::int64_t position = arrival.rowid();
    if (sqlite3_txn_state(connection.db(), "main") == SQLITE_TXN_WRITE) {
      note_append(connection, position);
    } else {
      connection.committed();
    }
    return Appended{fast.version + 1, position, false};
  }
  if (rc != SQLITE_DONE) {
    const Error failure = engine_error(connection.db(), rc);
    insert.reset();
    if (failure.sqlite_code == SQLITE_ERROR) {  // perhaps the store is another one now: EV008
      connection.forget_schema();
      connection.require_store();
    }
    throw failure;
  }
  switch (fast.decision) {
    case Decision::no_aggregate:
      throw no_aggregate(aggregate_id);
    case Decision::erased:
      throw erased_aggregate(aggregate_id);
    case Decision::conflicts:
      throw conflict(aggregate_id, fast.version, *expected);
    case Decision::schema_changed:  // perhaps by a newer program: EV008 is found by looking again
      connection.forget_schema();
      break;
    case Decision::checks_state:
      connection.declared.note_checked(aggregate_id);
      break;
    case Decision::declared:
    case Decision::needs_snapshot:
    case Decision::appended:  // it was the event type that is missing
    case Decision::none:      // the whole procedure says why
      break;
  }
  return std::nullopt;
}

/// The event is already stored, so a failure here is left to the next append.
void plan_anew_after(Connection& connection) {
  if (sqlite3_get_autocommit(connection.db()) == 0) return;
  try {
    atomically(connection, [] {});
  } catch (const Error&) {
    return;
  }
}

Appended append_any_way(Connection& connection, std::int64_t aggregate_id,
                        std::optional<std::int64_t> expected, const NewEvent& event) {
  if (is_simple(event) && !connection.has_user_triggers()) {
    sqlite3* db = connection.db();
    // A second append in one transaction: from now on let the transaction remember.
    if (sqlite3_get_autocommit(db) == 0 && !connection.transaction.taking_part() &&
        sqlite3_txn_state(db, "main") == SQLITE_TXN_WRITE) {
      atomically(connection, [] {});
    }
    const auto done = connection.transaction.taking_part()
                          ? append_simply(connection, aggregate_id, expected, event)
                          : append_fast(connection, aggregate_id, expected, event);
    if (done && connection.plans_by_old_counts) plan_anew_after(connection);
    if (done) return *done;
  }
  Appended appended;
  atomically(connection,
             [&] { appended = append_fully(connection, aggregate_id, expected, event); });
  return appended;
}

void append(const Call& call) {
  AppendArguments arguments;
  arguments.aggregate_id = call.arguments[0];
  arguments.expected = call.arguments[1];
  arguments.event_type = call.arguments[2];
  arguments.data = call.arguments[3];
  arguments.reference = call.optional(4);
  arguments.metadata = call.optional(5);
  arguments.event_time = call.optional(6);
  arguments.event_id = call.optional(7);
  arguments.tags = call.optional(8);
  const AppendRequest request = read_call(call.connection, arguments);
  if (!request.target.id) throw null_aggregate();
  call.result(append_any_way(call.connection, *request.target.id, request.expected, request.event)
                  .sequence);
}

}  // namespace

std::optional<Appended> append_simply(Connection& connection, std::int64_t aggregate_id,
                                      std::optional<std::int64_t> expected, const NewEvent& event) {
  if (!is_simple(event) || connection.has_user_triggers()) return std::nullopt;
  const DeclaredTypes::Type* type = connection.declared.type(connection, event.event_type);
  if (type != nullptr && type->declares_tags) return std::nullopt;
  const bool has_schema = type != nullptr;
  const auto type_id = find_event_type(connection, event.event_type);
  if (!type_id) return std::nullopt;
  const AggregateInfo info = open_info(connection, aggregate_id);
  require_expected(aggregate_id, expected, info.version);
  if (has_schema) require_taken(connection, event);
  if (info.checked_type != 0 || snapshot_due(info)) return std::nullopt;
  switch (
      insert_event(connection, aggregate_id, {info.version + 1, *type_id}, event, now(), true)) {
    case Insertion::done:
      break;
    case Insertion::taken:
      connection.transaction.forget();  // somebody wrote to the table past us
      return std::nullopt;
    case Insertion::schema_changed:
      connection.forget_schema();
      return std::nullopt;
  }
  advance(connection, aggregate_id, info);
  return Appended{info.version + 1, sqlite3_last_insert_rowid(connection.db()), false};
}

Appended append_fully(Connection& connection, std::int64_t aggregate_id,
                      std::optional<std::int64_t> expected, const NewEvent& event) {
  if (event.event_id) {
    require_open(connection, aggregate_id);
    if (const auto repeat = find_repeat(connection, aggregate_id, event)) return *repeat;
  }
  const AggregateInfo info = open_info(connection, aggregate_id);
  NewEvent tagged = event;
  std::optional<Tags> tags;
  if (connection.declared.type(connection, event.event_type) != nullptr) {
    require_expected(aggregate_id, expected, info.version);
    tags = with_declared(connection, event);
    if (tags) tagged.tags = &*tags;
    require_taken(connection, event);
  }
  CheckedStates states(connection);
  const Appended appended = append_new(connection, aggregate_id, expected, tagged, states);
  states.require_taken();
  states.write();
  if (snapshot_due(info)) store_snapshot_by_policy(connection, aggregate_id);
  return appended;
}

Appended append_new(Connection& connection, std::int64_t aggregate_id,
                    std::optional<std::int64_t> expected, const NewEvent& event,
                    CheckedStates& states) {
  const AggregateInfo info = open_info(connection, aggregate_id);
  require_expected(aggregate_id, expected, info.version);
  const Place place{info.version + 1, ensure_event_type(connection, event.event_type),
                    info.checked_type};
  const std::int64_t recorded_at = now();
  if (place.checked_type != 0) states.apply(aggregate_id, place, event, recorded_at);
  Insertion inserted = Insertion::schema_changed;
  while (inserted == Insertion::schema_changed) {
    const bool triggers = connection.has_user_triggers();
    if (triggers && connection.transaction.note_head()) note_head(connection);  // they may follow
    inserted = insert_event(connection, aggregate_id, place, event, recorded_at, !triggers);
    if (inserted == Insertion::schema_changed) connection.forget_schema();
  }
  if (inserted == Insertion::taken) {
    throw conflict(aggregate_id, info.version + 1, info.version);
  }
  const Appended appended{place.sequence, sqlite3_last_insert_rowid(connection.db()), false};
  advance(connection, aggregate_id, info);
  if (event.tags != nullptr) index_tags(connection, *event.tags, place.type_id, appended.position);
  return appended;
}

Place take_place(Connection& connection, std::int64_t aggregate_id,
                 std::optional<std::int64_t> expected, const NewEvent& event) {
  // First, since a trigger of the user's can make the transaction forget.
  const std::int64_t type_id = ensure_event_type(connection, event.event_type);
  AggregateInfo* known = connection.transaction.aggregate(aggregate_id);
  const AggregateInfo info = known != nullptr ? *known : open_info(connection, aggregate_id);
  require_expected(aggregate_id, expected, info.version);
  if (known != nullptr) {
    ++known->version;
  } else {
    advance(connection, aggregate_id, info);
  }
  return Place{info.version + 1, type_id, info.checked_type};
}

void require_open(Connection& connection, std::int64_t aggregate_id) {
  static_cast<void>(open_info(connection, aggregate_id));
}

Error other_content(std::string_view event_id) {
  return error(7, "event_id \"" + std::string(event_id) + "\" exists with other content");
}

std::optional<Appended> find_repeat(Connection& connection, std::int64_t aggregate_id,
                                    const NewEvent& event) {
  const auto refuse_other = [&](bool same) {
    if (!same) throw other_content(*event.event_id);
  };
  Statement kept = connection.prepare(
      "SELECT e.aggregate_id, e.sequence, e.position, t.name, e.data FROM main.evercore_event e"
      " JOIN main.evercore_event_type t ON t.type_id = e.type_id WHERE e.event_id = ?1");
  if (kept.bind(1, *event.event_id).step()) {
    if (kept.is_null(4) && kept.integer(0) == aggregate_id) throw erased_aggregate(aggregate_id);
    refuse_other(kept.integer(0) == aggregate_id && kept.text(3) == event.event_type &&
                 kept.text(4) == event.data);
    return Appended{kept.integer(1), kept.integer(2), true};
  }
  Statement compacted = connection.prepare(
      "SELECT i.aggregate_id, i.sequence, i.position, t.name, i.data_sha256"
      " FROM main.evercore_event_id i JOIN main.evercore_event_type t ON t.type_id = i.type_id"
      " WHERE i.event_id = ?1");
  if (!compacted.bind(1, *event.event_id).step()) return std::nullopt;
  if (compacted.is_null(4) && compacted.integer(0) == aggregate_id) {
    throw erased_aggregate(aggregate_id);
  }
  const auto digest = sha256(event.data);
  refuse_other(compacted.integer(0) == aggregate_id && compacted.text(3) == event.event_type &&
               compacted.blob(4) ==
                   std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  return Appended{compacted.integer(1), compacted.integer(2), true};
}

const Function append_functions[2] = {
    {"evercore_append", 4, 9, Access::writes, append},
    {"evercore_append_many", 1, 3, Access::writes, append_many},
};

}  // namespace evercore::ext
