// evercore_append, for what most appends are: one event with data and perhaps an event_id, to a store where nothing
// is declared that concerns it. It does what sql/append.sql and sql/append_identified.sql do, in the same order and
// under the same locks; where anything is out of the ordinary, a repeat among it, the function in SQL does it.
#include "payload.h"
#include "schema.h"
#include "store.h"

namespace evercore::native {

namespace {

constexpr std::size_t max_name =
    255;  // bytes here: what is longer in bytes may be short enough in characters

enum Argument { id, expected, event_type, data, reference, metadata, event_time, event_id, tags };

std::string_view view_of(Datum value) {
  const text* const given = reinterpret_cast<const text*>(DatumGetPointer(value));
  return {VARDATA_ANY(given), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(given))};
}

bool is_plain(FunctionCallInfo call) {
  for (const Argument argument : {reference, metadata, event_time, tags}) {
    if (!call->args[argument].isnull) return false;
  }
  return !call->args[id].isnull && !call->args[event_type].isnull && !call->args[data].isnull;
}

bool is_name(Datum value) {
  const std::string_view name = view_of(value);
  return !name.empty() && name.size() <= max_name;
}

/// Raises what is wrong with the version or its aggregate.
[[noreturn]] void refuse_version(const Store* store, FunctionCallInfo call, std::int64_t actual,
                                 bool counted) {
  const Oid types[] = {INT8OID, INT8OID, INT8OID};
  const Datum values[] = {call->args[id].value, call->args[expected].value, Int64GetDatum(actual)};
  const char nulls[] = {' ', call->args[expected].isnull ? 'n' : ' ', counted ? ' ' : 'n', '\0'};
  run_once(store,
           "SELECT %s_evercore_number($2, 'expected', 0, NULL), %s_evercore_known($1, true), "
           "%s_evercore_conflict($1, $3, $2)",
           3, types, values, nulls);
  elog(ERROR, "evercore_native: a version was not refused");
}

/// Whether what is declared of the event's type, and of the aggregate's, leaves no more to do than to write the event.
bool takes(Store* store, FunctionCallInfo call, std::int64_t marks, std::string_view name,
           std::string_view document) {
  const Oid types[] = {TEXTOID, INT8OID};
  const Datum values[] = {call->args[event_type].value, call->args[id].value};
  if ((marks & checks_states) == 0) {
    run(store, &store->find_type,
        "SELECT k.tags IS NULL AND k.upcast IS NULL, k.schema::text FROM %severcore_event_type k "
        "WHERE k.name = $1 COLLATE \"C\"",
        1, types, values, nullptr);
    if (SPI_processed == 0) return true;
  } else {
    run(store, &store->find_types,
        "SELECT t.schema IS NULL AND k.tags IS NULL AND k.upcast IS NULL, k.schema::text "
        "FROM %severcore_aggregate a JOIN %severcore_aggregate_type t ON t.type_id = a.type_id "
        "LEFT JOIN %severcore_event_type k ON k.name = $1 COLLATE \"C\" WHERE a.aggregate_id = $2",
        2, types, values, nullptr);
    if (SPI_processed == 0) return false;
  }
  bool null = true;
  const Datum plain = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  if (null || !DatumGetBool(plain)) return false;
  const Datum schema = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &null);
  return null || schema_takes(name, view_of(PointerGetDatum(DatumGetTextPP(schema))), document);
}

/// Counts the event, and gives its sequence.
std::int64_t raise_version(Store* store, FunctionCallInfo call) {
  const Oid types[] = {INT8OID};
  run(store, &store->raise_version,
      "UPDATE %severcore_aggregate a SET sequence = a.sequence + 1 WHERE a.aggregate_id = $1 AND "
      "NOT a.erased "
      "RETURNING a.sequence::bigint",
      1, types, &call->args[id].value, nullptr);
  const bool counted = SPI_processed == 1;
  const std::int64_t reached = counted ? integer_of_row(1) : 0;
  if (!counted ||
      (!call->args[expected].isnull && reached - 1 != DatumGetInt64(call->args[expected].value))) {
    refuse_version(store, call, reached - 1, counted);
  }
  return reached;
}

/// Counts an event with an event_id that is new, and gives its sequence; 0 where that is not so, and nothing was counted.
std::int64_t raise_version_for_new(Store* store, FunctionCallInfo call, Datum identity) {
  const Oid types[] = {INT8OID, INT8OID, TEXTOID};
  const Datum values[] = {call->args[id].value, call->args[expected].value, identity};
  const char nulls[] = {' ', call->args[expected].isnull ? 'n' : ' ', ' ', '\0'};
  run(store, &store->raise_for_new,
      "UPDATE %severcore_aggregate a SET sequence = a.sequence + 1 WHERE a.aggregate_id = $1 AND "
      "NOT a.erased AND a.sequence = coalesce($2, a.sequence) "
      "AND NOT (EXISTS (SELECT FROM %severcore_event e WHERE e.event_id = $3 COLLATE \"C\") "
      "OR EXISTS (SELECT FROM %severcore_event_id i WHERE i.event_id = $3 COLLATE \"C\")) "
      "RETURNING a.sequence::bigint, (SELECT b.sequence::bigint FROM %severcore_aggregate b WHERE "
      "b.aggregate_id = $1)",
      3, types, values, nulls);
  if (SPI_processed != 1) return 0;
  const std::int64_t reached = integer_of_row(1);
  if (reached == integer_of_row(2) + 1) return reached;
  // It waited for another call, which may have written this very event.
  const Oid text_type[] = {TEXTOID};
  run_once(store,
           "SELECT FROM %severcore_event e WHERE e.event_id = $1 COLLATE \"C\" "
           "UNION ALL SELECT FROM %severcore_event_id i WHERE i.event_id = $1 COLLATE \"C\"",
           1, text_type, &identity, nullptr);
  if (SPI_processed == 0) return reached;
  run_once(store,
           "UPDATE %severcore_aggregate a SET sequence = a.sequence - 1 WHERE a.aggregate_id = $1",
           1, types, values, nullptr);
  if (SPI_processed != 1)
    run_once(store, "SELECT %s_evercore_counted(0, 1)", 0, nullptr, nullptr, nullptr);
  return 0;
}

/// Refuses an event_id that an event of another aggregate has, perhaps since a moment ago.
void require_new(Store* store, Datum identity, bool written) {
  const Oid types[] = {TEXTOID};
  run(store, &store->find_removed,
      "SELECT FROM %severcore_event_id i WHERE i.event_id = $1 COLLATE \"C\"", 1, types, &identity,
      nullptr);
  if (written && SPI_processed == 0) return;
  run_once(store, "SELECT %s_evercore_refuse_identity($1), %s_evercore_written(0, 1)", 1, types,
           &identity, nullptr);
}

void insert_event(Store* store, FunctionCallInfo call, Datum document, std::int64_t position,
                  std::int64_t sequence) {
  const Oid types[] = {INT8OID, INT8OID, INT8OID, TEXTOID, JSONOID, TIMESTAMPTZOID};
  const Datum values[] = {Int64GetDatum(position),
                          call->args[id].value,
                          Int64GetDatum(sequence),
                          call->args[event_type].value,
                          document,
                          TimestampTzGetDatum(GetCurrentTimestamp())};
  run(store, &store->insert_event,
      "INSERT INTO %severcore_event (position, recorded_at, aggregate_id, sequence, event_type, "
      "data, event_time, "
      "reference, metadata, event_id, tags, declared_tags) OVERRIDING SYSTEM VALUE "
      "VALUES ($1, $6, $2, $3, $4, $5, NULL, NULL, NULL, NULL, NULL, NULL)",
      6, types, values, nullptr);
  if (SPI_processed != 1)
    run_once(store, "SELECT %s_evercore_written(0, 1)", 0, nullptr, nullptr, nullptr);
}

void insert_new_event(Store* store, FunctionCallInfo call, Datum document, Datum identity,
                      std::int64_t position, std::int64_t sequence) {
  const Oid types[] = {INT8OID, INT8OID, INT8OID, TEXTOID, JSONOID, TIMESTAMPTZOID, TEXTOID};
  const Datum values[] = {Int64GetDatum(position),
                          call->args[id].value,
                          Int64GetDatum(sequence),
                          call->args[event_type].value,
                          document,
                          TimestampTzGetDatum(GetCurrentTimestamp()),
                          identity};
  run(store, &store->insert_new_event,
      "INSERT INTO %severcore_event (position, recorded_at, aggregate_id, sequence, event_type, "
      "data, event_time, "
      "reference, metadata, event_id, tags, declared_tags) OVERRIDING SYSTEM VALUE "
      "VALUES ($1, $6, $2, $3, $4, $5, NULL, NULL, NULL, $7, NULL, NULL) "
      "ON CONFLICT (event_id) WHERE event_id IS NOT NULL DO NOTHING",
      7, types, values, nullptr);
  require_new(store, identity, SPI_processed == 1);
}

std::int64_t write(Store* store, FunctionCallInfo call, const Newest& newest, Datum document) {
  const std::int64_t reached = raise_version(store, call);
  hold_floor(store, newest);
  const std::int64_t position = nextval_internal(newest.positions, false);
  insert_event(store, call, document, position, reached);
  mark_position(store, newest, position, position);
  return reached;
}

/// The same of an event with an event_id, or 0 where that is not new.
std::int64_t write_new(Store* store, FunctionCallInfo call, const Newest& newest, Datum document,
                       Datum identity) {
  const std::int64_t reached = raise_version_for_new(store, call, identity);
  if (reached > 0) {
    hold_floor(store, newest);
    const std::int64_t position = nextval_internal(newest.positions, false);
    insert_new_event(store, call, document, identity, position, reached);
    mark_position(store, newest, position, position);
  }
  return reached;
}

/// The sequence of the event, or 0 where the SQL function has to do it.
std::int64_t append(Store* store, FunctionCallInfo call) {
  if (!is_plain(call)) return 0;
  const Newest newest = read_newest(store);
  if (!newest.usual || (newest.marks & (policy | by_type)) != 0) return 0;
  const Datum document = PointerGetDatum(DatumGetTextPP(call->args[data].value));
  const std::string_view name =
      view_of(PointerGetDatum(DatumGetTextPP(call->args[event_type].value)));
  if (name.empty() || name.size() > max_name || !is_payload(view_of(document))) return 0;

  const bool identified = !call->args[event_id].isnull;
  const Datum identity =
      identified ? PointerGetDatum(DatumGetTextPP(call->args[event_id].value)) : Datum{0};
  if (identified && (!is_name(identity) || XactIsoLevel > XACT_READ_COMMITTED)) return 0;

  SPI_connect();
  const std::int64_t marks = hold_declarations(store, newest) & kept_marks;
  std::int64_t reached = 0;
  if (marks == 0 || ((marks & (policy | by_type)) == 0 && XactIsoLevel <= XACT_READ_COMMITTED &&
                     takes(store, call, marks, name, view_of(document)))) {
    reached = identified ? write_new(store, call, newest, document, identity)
                         : write(store, call, newest, document);
  }
  SPI_finish();
  return reached;
}

}  // namespace

}  // namespace evercore::native

extern "C" {
PG_FUNCTION_INFO_V1(evercore_append);
PGDLLEXPORT Datum evercore_append(FunctionCallInfo call);

Datum evercore_append(FunctionCallInfo call) {
  using namespace evercore::native;
  Store* const store = find_store(call);
  const std::int64_t reached = append(store, call);
  return reached > 0 ? Int64GetDatum(reached) : call_sql(call, store);
}
}
