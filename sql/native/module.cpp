// The module that CREATE EXTENSION evercore_native brings: evercore's functions that cost the most, in C++ and from
// the sources of the SQLite extension. The same calls give the same results, slower, without it.
//
// sql/evercore_native.sql puts each function in the place of the one in SQL, which stays beside it under a name of its
// own (evercore_append as _evercore_sql_append). What is plain is done here; for all else the function in SQL is called.
#include "payload.h"
#include "schema.h"
#include "store.h"

namespace evercore::native {

namespace {

bool drops_this(const DropStmt* drop) {
  if (drop->removeType != OBJECT_EXTENSION) return false;
  ListCell* cell = nullptr;
  foreach (cell, drop->objects) {
    if (std::string_view(strVal(static_cast<Node*>(lfirst(cell)))) == "evercore_native")
      return true;
  }
  return false;
}

}  // namespace

}  // namespace evercore::native

extern "C" {
PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(evercore_native_before_drop);
PGDLLEXPORT Datum evercore_native_before_drop(FunctionCallInfo fcinfo);
PG_FUNCTION_INFO_V1(_evercore_payload_fault);
PGDLLEXPORT Datum _evercore_payload_fault(FunctionCallInfo fcinfo);
PG_FUNCTION_INFO_V1(_evercore_schema_fault);
PGDLLEXPORT Datum _evercore_schema_fault(FunctionCallInfo fcinfo);

// Before DROP EXTENSION evercore_native: the functions in SQL go back to their places.
Datum evercore_native_before_drop(FunctionCallInfo fcinfo) {
  if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
    elog(ERROR, "evercore_native_before_drop is an event trigger");
  const auto* const event = reinterpret_cast<const EventTriggerData*>(fcinfo->context);
  if (IsA(event->parsetree, DropStmt) &&
      evercore::native::drops_this(reinterpret_cast<const DropStmt*>(event->parsetree))) {
    SPI_connect();
    SPI_execute("SELECT evercore_native.restore_functions()", false, 0);
    SPI_finish();
  }
  PG_RETURN_NULL();
}

Datum _evercore_payload_fault(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  const text* const document = PG_GETARG_TEXT_PP(0);
  std::string_view word;
  if (!evercore::native::payload_fault(
          {VARDATA_ANY(document), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(document))}, word)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  }
  if (word.empty()) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(cstring_to_text_with_len(word.data(), static_cast<int>(word.size())));
}

Datum _evercore_schema_fault(FunctionCallInfo fcinfo) {
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return evercore::native::call_sql(fcinfo);
  Jsonb* const schema = PG_GETARG_JSONB_P(0);
  Jsonb* const value = PG_GETARG_JSONB_P(1);
  std::string_view fault;
  if (!evercore::native::schema_fault(JsonbToCString(nullptr, &schema->root, VARSIZE(schema)),
                                      JsonbToCString(nullptr, &value->root, VARSIZE(value)),
                                      fault)) {
    return evercore::native::call_sql(fcinfo);
  }
  if (fault.empty()) PG_RETURN_NULL();
  PG_RETURN_TEXT_P(cstring_to_text_with_len(fault.data(), static_cast<int>(fault.size())));
}
}
