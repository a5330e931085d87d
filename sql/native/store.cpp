#include "store.h"

namespace evercore::native {

namespace {

Store* stores = nullptr;
bool stale = false;  // a schema was renamed, made or dropped

void forget_later(Datum, int, uint32) {
  stale = true;
}

/// A store is never taken out of the list: a trigger that makes a schema may run within an append.
void look_for_renamed() {
  stale = false;
  for (Store* store = stores; store != nullptr; store = store->next) {
    const char* const name = get_namespace_name(store->schema);
    store->renamed = name == nullptr || std::string_view(name) != store->name;
  }
}

LocalTransactionId current_transaction() {
#if PG_VERSION_NUM >= 170000
  return MyProc->vxid.lxid;
#else
  return MyProc->lxid;
#endif
}

Store* make_store(Oid schema) {
  static bool registered = false;
  if (!registered) CacheRegisterSyscacheCallback(NAMESPACEOID, forget_later, Datum{0});
  registered = true;

  Store store{};
  store.schema = schema;
  snprintf(store.prefix, sizeof store.prefix, "%s.", quote_identifier(get_namespace_name(schema)));
  store.drawn = -1;
  // The name as the store's functions have it, some of them in quotes, and as the catalogue has it.
  SPI_connect();
  run_once(&store,
           "SELECT m.name, (parse_ident(m.name))[1] FROM (SELECT %s_evercore_native_name()::text "
           "AS name) m",
           0, nullptr, nullptr, nullptr);
  // Its owner may have made it another one.
  bool null = true;
  const Datum made_for = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
  const char* const name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2);
  if (null || name == nullptr)
    elog(ERROR, "evercore_native: _evercore_native_name() gives no name");
  const auto hash = static_cast<std::int64_t>(
      DatumGetInt32(DirectFunctionCall1Coll(hashtext, DEFAULT_COLLATION_OID, made_for)));
  store.name_bits = (hash & 32767) << 47;
  store.name_space = (hash & 1048575) << 44;
  strlcpy(store.name, name, sizeof store.name);
  SPI_finish();

  auto* const kept = static_cast<Store*>(MemoryContextAlloc(TopMemoryContext, sizeof store));
  *kept = store;
  kept->next = stores;
  stores = kept;
  look_for_renamed();
  return kept;
}

bool last_value(Oid sequence, std::int64_t& value) {
  LOCAL_FCINFO(call, 1);
  InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
  call->args[0].value = ObjectIdGetDatum(sequence);
  call->args[0].isnull = false;
  value = DatumGetInt64(pg_sequence_last_value(call));
  return !call->isnull;
}

std::int64_t read_marks(const Newest& newest) {
  std::int64_t marks = 0;
  if (!last_value(newest.highest, marks))
    elog(ERROR, "evercore_native: _evercore_highest has no value");
  return marks;
}

SPIPlanPtr prepare(const Store* store, const char* statement, int count, const Oid* types,
                   bool kept) {
  StringInfoData text;
  initStringInfo(&text);
  for (const char* c = statement; *c != '\0'; ++c) {
    if (c[0] == '%' && c[1] == 's') {
      appendStringInfoString(&text, store->prefix);
      ++c;
    } else {
      appendStringInfoChar(&text, *c);
    }
  }
  // With arrays of a known length the server would make a plan at each call.
  SPIPlanPtr plan =
      SPI_prepare_cursor(text.data, count, const_cast<Oid*>(types), CURSOR_OPT_GENERIC_PLAN);
  if (plan == nullptr) elog(ERROR, "evercore_native: %s", SPI_result_code_string(SPI_result));
  if (kept) SPI_keepplan(plan);
  pfree(text.data);
  return plan;
}

int execute(SPIPlanPtr plan, const Datum* values, const char* nulls) {
  const int result = SPI_execute_plan(plan, const_cast<Datum*>(values), nulls, false, 0);
  if (result < 0) elog(ERROR, "evercore_native: %s", SPI_result_code_string(result));
  return result;
}

/// The function that does in SQL what this one does: of its name, and of its arguments.
Oid sql_function(Oid native) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(native));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "evercore_native: function %u is not there", native);
  auto* const row = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
  const char* const name = NameStr(row->proname);
  const char* const made = psprintf("_evercore_sql_%s", name + (*name == '_' ? 10 : 9));
  const Oid found =
      GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(made),
                      PointerGetDatum(&row->proargtypes), ObjectIdGetDatum(row->pronamespace));
  if (!OidIsValid(found)) {
    ereport(ERROR,
            (errcode(MAKE_SQLSTATE('E', 'V', '0', '1', '0')),
             errmsg("EV010: function %s is not there: SELECT evercore_native.replace_functions()",
                    made)));
  }
  ReleaseSysCache(tuple);
  return found;
}

}  // namespace

Store* find_store(FunctionCallInfo call) {
  const Oid schema = get_func_namespace(call->flinfo->fn_oid);
  if (stale) look_for_renamed();
  for (Store* store = stores; store != nullptr; store = store->next) {
    if (store->schema == schema) return store;
  }
  return make_store(schema);
}

Newest read_newest(const Store* store) {
  Newest newest{};
  newest.positions = get_relname_relid("evercore_event_position_seq", store->schema);
  newest.highest = get_relname_relid("_evercore_highest", store->schema);
  newest.usual = !store->renamed && OidIsValid(newest.positions) && OidIsValid(newest.highest) &&
                 last_value(newest.positions, newest.position) &&
                 last_value(newest.highest, newest.marks) && store->drawn >= 0 &&
                 newest.position >= store->drawn &&
                 ((newest.marks ^ store->name_bits) & ~kept_marks) <= newest.position;
  return newest;
}

std::int64_t hold_declarations(const Store* store, const Newest& newest) {
  LockRelationOid(get_relname_relid("evercore_aggregate", store->schema), RowExclusiveLock);
  return read_marks(newest);
}

void hold_floor(Store* store, const Newest& newest) {
  const LocalTransactionId transaction = current_transaction();
  if (store->floor_of != transaction || store->floor > newest.position) {
    store->floor = newest.position;
    store->floor_of = transaction;
  }
  if (DatumGetBool(DirectFunctionCall1(pg_try_advisory_xact_lock_shared_int8,
                                       Int64GetDatum(store->name_space | store->floor)))) {
    return;
  }
  store->floor_of = InvalidLocalTransactionId;
  run_once(store, "SELECT %s_evercore_hold_other_floor()", 0, nullptr, nullptr, nullptr);
}

void mark_position(const Store* store, const Newest& newest, std::int64_t first,
                   std::int64_t last) {
  if (first <= newest.position)
    run_once(store, "SELECT %s_evercore_check_position()", 0, nullptr, nullptr, nullptr);
  if (last >> 3 == (first - 1) >> 3) return;
  const std::int64_t marks = read_marks(newest);
  DirectFunctionCall2(setval_oid, ObjectIdGetDatum(newest.highest),
                      Int64GetDatum(Max(last, marks & position_bits) | (marks & ~position_bits)));
}

Datum call_sql(FunctionCallInfo call) {
  auto* function = static_cast<FmgrInfo*>(call->flinfo->fn_extra);
  if (function == nullptr) {
    function =
        static_cast<FmgrInfo*>(MemoryContextAllocZero(call->flinfo->fn_mcxt, sizeof *function));
    fmgr_info_cxt(sql_function(call->flinfo->fn_oid), function, call->flinfo->fn_mcxt);
    call->flinfo->fn_extra = function;
  }
  LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
  InitFunctionCallInfoData(*inner, function, call->nargs, call->fncollation, nullptr, nullptr);
  for (int i = 0; i < call->nargs; ++i) inner->args[i] = call->args[i];
  const Datum result = FunctionCallInvoke(inner);
  call->isnull = inner->isnull;
  return result;
}

Datum call_sql(FunctionCallInfo call, Store* store) {
  const Datum result = call_sql(call);
  const Oid positions = get_relname_relid("evercore_event_position_seq", store->schema);
  std::int64_t position = 0;
  if (OidIsValid(positions) && last_value(positions, position)) store->drawn = position;
  return result;
}

int run(const Store* store, SPIPlanPtr* plan, const char* statement, int count, const Oid* types,
        const Datum* values, const char* nulls) {
  if (*plan == nullptr) *plan = prepare(store, statement, count, types, true);
  return execute(*plan, values, nulls);
}

int run_once(const Store* store, const char* statement, int count, const Oid* types,
             const Datum* values, const char* nulls) {
  return execute(prepare(store, statement, count, types, false), values, nulls);
}

std::int64_t integer_of_row(int column) {
  bool null = true;
  const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &null);
  if (null) elog(ERROR, "evercore_native: a number is NULL");
  return DatumGetInt64(value);
}

}  // namespace evercore::native
