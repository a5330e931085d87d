// evercore_append_many without a condition, of events that have neither ids nor tags, to a store where nothing is declared
// that concerns appends: the document is taken apart here, and what is written goes as arrays through statements of
// the server. As in sql/append_json.sql, in the same order and under the same locks; all else is done there.
#include "appends.h"
#include "store.h"

namespace evercore::native {

namespace {

constexpr std::int64_t unix_epoch = 946'684'800'000'000;  // microseconds before the server's

/// An array of the server's that is filled element by element.
struct Column {
  Datum* values;
  bool* nulls;
  int size;
  Oid type;
};

Column make_column(std::size_t size, Oid type) {
  return {static_cast<Datum*>(palloc(sizeof(Datum) * size)), static_cast<bool*>(palloc0(size)),
          static_cast<int>(size), type};
}

void put(Column& column, std::size_t at, const Text& text) {
  column.nulls[at] = !text.given;
  column.values[at] = text.given ? PointerGetDatum(cstring_to_text_with_len(
                                       text.text.data(), static_cast<int>(text.text.size())))
                                 : Datum{0};
}

void put(Column& column, std::size_t at, const Integer& integer) {
  column.nulls[at] = !integer.given;
  column.values[at] = Int64GetDatum(integer.value);
}

Datum array_of(const Column& column) {
  int size = column.size;
  int lower = 1;
  const bool is_text = column.type == TEXTOID || column.type == JSONOID;
  return PointerGetDatum(construct_md_array(column.values, column.nulls, 1, &size, &lower,
                                            column.type, is_text ? -1 : 8, !is_text,
                                            is_text ? TYPALIGN_INT : TYPALIGN_DOUBLE));
}

/// What the call asks for, in the server's memory.
struct Batch {
  std::size_t appends;
  std::size_t events;
  Column ids;
  Column types;
  Column keys;
  Column expects;
  Column counts;
  Column event_types;
  Column data;
  Column references;
  Column metadata;
  Column times;
  bool by_key;   ///< an aggregate is named by its key
  bool is_bare;  ///< no event has more than its data
};

Batch read_batch() {
  Batch batch{};
  batch.appends = append_count();
  batch.events = event_count();
  for (Column* column : {&batch.ids, &batch.expects, &batch.counts})
    *column = make_column(batch.appends, INT8OID);
  for (Column* column : {&batch.types, &batch.keys}) *column = make_column(batch.appends, TEXTOID);
  for (Column* column : {&batch.event_types, &batch.references})
    *column = make_column(batch.events, TEXTOID);
  for (Column* column : {&batch.data, &batch.metadata})
    *column = make_column(batch.events, JSONOID);
  batch.times = make_column(batch.events, TIMESTAMPTZOID);
  batch.is_bare = true;
  for (std::size_t i = 0; i < batch.appends; ++i) {
    const AppendView append = append_at(i);
    put(batch.ids, i, append.id);
    put(batch.types, i, append.type);
    put(batch.keys, i, append.key);
    put(batch.expects, i, append.expected);
    put(batch.counts, i, Integer{true, static_cast<std::int64_t>(append.count)});
    if (!append.id.given) batch.by_key = true;
  }
  for (std::size_t i = 0; i < batch.events; ++i) {
    const EventView event = event_at(i);
    put(batch.event_types, i, Text{true, event.event_type});
    put(batch.data, i, Text{true, event.data});
    put(batch.references, i, event.reference);
    put(batch.metadata, i, event.metadata);
    put(batch.times, i, Integer{event.event_time.given, event.event_time.value - unix_epoch});
    if (event.reference.given || event.metadata.given || event.event_time.given)
      batch.is_bare = false;
  }
  return batch;
}

std::int64_t at(const Column& column, std::size_t index) {
  return DatumGetInt64(column.values[index]);
}

/// The elements of an array that a statement gave, or nothing where it gave NULL.
bool take_array(Column& column) {
  bool null = true;
  const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  if (null) return false;
  int size = 0;
  deconstruct_array(DatumGetArrayTypeP(value), INT8OID, 8, true, TYPALIGN_DOUBLE, &column.values,
                    &column.nulls, &size);
  if (size != column.size)
    elog(ERROR, "evercore_native: %d numbers where %d were asked for", size, column.size);
  return true;
}

constexpr Oid bigints = INT8ARRAYOID;
constexpr Oid texts = TEXTARRAYOID;

/// The ids of the aggregates, made where they are missing.
Column find_aggregates(const Store* store, const Batch& batch) {
  Column ids = batch.ids;
  if (!batch.by_key) return ids;
  const Oid types[] = {bigints, texts, texts};
  const Datum values[] = {array_of(batch.ids), array_of(batch.types), array_of(batch.keys)};
  run_once(store, "SELECT %s_evercore_resolve($1, $2, $3, false)::bigint[]", 3, types, values,
           nullptr);
  take_array(ids);
  return ids;
}

/// The version before the one append, and the floor is held; false where the function in SQL has to begin anew.
bool advance_one(Store* store, const Newest& newest, const Batch& batch, const Column& ids,
                 Column& befores) {
  const Oid types[] = {INT8OID, INT8OID, INT8OID, INT8OID};
  Datum values[] = {ids.values[0], batch.counts.values[0], batch.expects.values[0], 0};
  run(store, &store->raise_by,
      "UPDATE %severcore_aggregate a SET sequence = a.sequence + $2 WHERE a.aggregate_id = $1 AND "
      "NOT a.erased "
      "RETURNING (a.sequence - $2)::bigint",
      2, types, values, nullptr);
  const bool counted = SPI_processed == 1;
  if (!counted && batch.ids.nulls[0]) return false;
  if (counted) befores.values[0] = Int64GetDatum(integer_of_row(1));
  values[3] = befores.values[0];
  if (!counted || (!batch.expects.nulls[0] && at(befores, 0) != at(batch.expects, 0))) {
    const char nulls[] = {' ', ' ', batch.expects.nulls[0] ? 'n' : ' ', counted ? ' ' : 'n', '\0'};
    run_once(store,
             "SELECT %s_evercore_known($1, true), %s_evercore_conflict($1, $4, $3) WHERE $2 > 0", 4,
             types, values, nulls);
  }
  if (batch.events == 1) {
    hold_floor(store, newest);
  } else {
    run_once(store, "SELECT %s_evercore_hold_floor(NULL)", 0, nullptr, nullptr, nullptr);
  }
  return true;
}

/// The same for several appends.
bool advance_all(const Store* store, const Batch& batch, const Column& ids, Column& befores) {
  Column versions = ids;
  const Oid types[] = {bigints, bigints, bigints, bigints};
  Datum values[] = {array_of(ids), array_of(batch.ids), array_of(batch.counts),
                    array_of(batch.expects)};
  run_once(store, "SELECT %s_evercore_lock_aggregates($1, $2, false)::bigint[]", 2, types, values,
           nullptr);
  if (!take_array(versions)) return false;
  values[1] = array_of(versions);
  run_once(store, "SELECT %s_evercore_advance($1, $2, $3, $4, false)::bigint[]", 4, types, values,
           nullptr);
  return take_array(befores);
}

/// Positions for all events, one after the other where nobody draws between them.
Column draw_positions(const Store* store, const Newest& newest, std::size_t count, bool looked_at) {
  Column places = make_column(count, INT8OID);
  for (std::size_t i = 0; i < count; ++i) {
    CHECK_FOR_INTERRUPTS();
    places.values[i] = Int64GetDatum(nextval_internal(newest.positions, false));
  }
  const std::int64_t first = at(places, 0);
  const std::int64_t last = at(places, count - 1);
  if (last - first == static_cast<std::int64_t>(count) - 1) {
    Newest known = newest;
    if (looked_at) known.position = 0;
    mark_position(store, known, first, last);
    return places;
  }
  const Oid types[] = {INT8OID};
  const Datum values[] = {Int64GetDatum(static_cast<std::int64_t>(count))};
  run_once(store, "SELECT %s_evercore_draw($1)::bigint[]", 1, types, values, nullptr);
  take_array(places);
  return places;
}

void insert_events(Store* store, const Batch& batch, const Column& ids, const Column& befores,
                   const Column& places) {
  Column owners = make_column(batch.events, INT8OID);
  Column sequences = make_column(batch.events, INT8OID);
  std::size_t event = 0;
  for (std::size_t i = 0; i < batch.appends; ++i) {
    for (std::int64_t no = 1; no <= at(batch.counts, i); ++no, ++event) {
      owners.values[event] = ids.values[i];
      sequences.values[event] = Int64GetDatum(at(befores, i) + no);
    }
  }
  const Oid types[] = {TIMESTAMPTZOID,      bigints, bigints,     bigints, texts, JSONARRAYOID,
                       TIMESTAMPTZARRAYOID, texts,   JSONARRAYOID};
  const Datum values[] = {TimestampTzGetDatum(GetCurrentTimestamp()),
                          array_of(places),
                          array_of(owners),
                          array_of(sequences),
                          array_of(batch.event_types),
                          array_of(batch.data),
                          array_of(batch.times),
                          array_of(batch.references),
                          array_of(batch.metadata)};
  run(store, &store->insert_events,
      "INSERT INTO %severcore_event (position, recorded_at, aggregate_id, sequence, event_type, "
      "data, event_time, reference, "
      "metadata, event_id, tags, declared_tags) OVERRIDING SYSTEM VALUE "
      "SELECT u.position, $1, u.aggregate_id, u.sequence, u.event_type, u.data, u.event_time, "
      "u.reference, u.metadata, NULL, NULL, NULL "
      "FROM unnest($2, $3, $4, $5, $6, $7, $8, $9) "
      "AS u (position, aggregate_id, sequence, event_type, data, event_time, reference, metadata)",
      9, types, values, nullptr);
  if (SPI_processed == batch.events) return;
  const Oid count_types[] = {INT8OID, INT8OID};
  const Datum counts[] = {Int64GetDatum(static_cast<std::int64_t>(SPI_processed)),
                          Int64GetDatum(static_cast<std::int64_t>(batch.events))};
  run_once(store, "SELECT %s_evercore_written($1, $2)", 2, count_types, counts, nullptr);
}

/// The answer as text, in the order of jsonb's members.
char* print_answer(const Batch& batch, const Column& ids, const Column& befores,
                   const Column& places) {
  StringInfoData text;
  initStringInfo(&text);
  std::size_t event = 0;
  for (std::size_t i = 0; i < batch.appends; ++i) {
    const std::int64_t count = at(batch.counts, i);
    const std::int64_t first = at(places, event);
    event += static_cast<std::size_t>(count);
    const std::int64_t last = at(places, event - 1);
    appendStringInfo(&text,
                     "%c{\"position\":" INT64_FORMAT ",\"sequence\":" INT64_FORMAT
                     ",\"aggregate_id\":" INT64_FORMAT ",\"first_position\":",
                     i == 0 ? '[' : ',', last, at(befores, i) + count, at(ids, i));
    if (last - first < count) {
      appendStringInfo(&text, INT64_FORMAT "}", first);
    } else {
      appendStringInfoString(&text, "null}");
    }
  }
  appendStringInfoChar(&text, ']');
  return text.data;
}

/// The answer in the memory of the caller, or nothing where the function in SQL has to do it all.
char* append_many(Store* store, FunctionCallInfo call) {
  if (call->args[0].isnull || !call->args[1].isnull || !call->args[2].isnull) return nullptr;
  const Newest newest = read_newest(store);
  if (!newest.usual || (newest.marks & kept_marks) != 0 || XactIsoLevel > XACT_READ_COMMITTED)
    return nullptr;
  const text* const given = DatumGetTextPP(call->args[0].value);
  const std::string_view document(VARDATA_ANY(given),
                                  static_cast<std::size_t>(VARSIZE_ANY_EXHDR(given)));
  // Most of what has tags or ids is seen without reading it.
  const std::string_view beginning = document.substr(0, 2000);
  if (beginning.find("\"tags\"") != beginning.npos ||
      beginning.find("\"event_id\"") != beginning.npos)
    return nullptr;
  if (!read_plain_appends(document)) return nullptr;

  const MemoryContext outside = CurrentMemoryContext;
  SPI_connect();
  const Batch batch = read_batch();
  char* answer = nullptr;
  if ((hold_declarations(store, newest) & kept_marks) == 0) {
    const Column ids = find_aggregates(store, batch);
    Column befores = make_column(batch.appends, INT8OID);
    const bool one = batch.appends == 1;
    if (one ? advance_one(store, newest, batch, ids, befores)
            : advance_all(store, batch, ids, befores)) {
      const Column places = draw_positions(store, newest, batch.events, batch.events > 1);
      insert_events(store, batch, ids, befores, places);
      answer = MemoryContextStrdup(outside, print_answer(batch, ids, befores, places));
    }
  }
  SPI_finish();
  return answer;
}

}  // namespace

}  // namespace evercore::native

extern "C" {
PG_FUNCTION_INFO_V1(evercore_append_many);
PGDLLEXPORT Datum evercore_append_many(FunctionCallInfo fcinfo);

Datum evercore_append_many(FunctionCallInfo fcinfo) {
  using namespace evercore::native;
  Store* const store = find_store(fcinfo);
  char* const answer = append_many(store, fcinfo);
  return answer != nullptr ? DirectFunctionCall1(jsonb_in, CStringGetDatum(answer))
                           : call_sql(fcinfo, store);
}
}
