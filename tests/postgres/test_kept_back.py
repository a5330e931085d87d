"""What a trigger or rule of the user's keeps back is told, of a declaration as of compaction, erasure and the like."""
from harness import equal, new_database, refused
from pq import Connection, Error

TAGS = '{"tags":{"a":"/a"}}'
DECLARE = "SELECT evercore_event_type('E', NULL, $1)"


def store():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'k');"
                    "CREATE FUNCTION public.keep_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    return connection


def test_a_declaration_that_a_trigger_keeps_back_is_told():
    connection = store()
    connection.rows("SELECT evercore_event_type('F', 'patch')")
    kept_back = "EV010: a declaration was not written: a trigger or rule of evercore_event_type kept it back"
    for event in ("INSERT", "UPDATE", "INSERT OR UPDATE"):
        connection.rows(f"CREATE TRIGGER keep_back BEFORE {event} ON evercore_event_type FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
        for name in ["F"] if event == "UPDATE" else ["E"]:
            refused(lambda name=name: connection.rows("SELECT evercore_event_type($1, NULL, $2)", name, TAGS), "EV010", kept_back)
            for fold in ("merge", "custom"):
                refused(lambda name=name, fold=fold: connection.rows("SELECT evercore_event_type($1, $2)", name, fold), "EV010", kept_back)
        connection.rows("DROP TRIGGER keep_back ON evercore_event_type")
    equal(connection.rows("SELECT event_type, fold, tags FROM evercore_event_types"), [("F", "patch", None)])


def test_a_policy_or_an_index_by_type_that_a_trigger_keeps_back_is_told():
    connection = store()
    calls = {"SELECT evercore_snapshot_policy('T', 5, 2)": ("evercore_aggregate_type", "_evercore_declared"),
             "SELECT evercore_index_types()": ("_evercore_declared",), DECLARE: ("_evercore_declared",)}
    for call, tables in calls.items():
        for table in tables:
            connection.rows(f"CREATE TRIGGER keep_back BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
            refused(lambda call=call: connection.rows(call, *[TAGS] * (call == DECLARE)), "EV010",
                    f"EV010: a declaration was not written: a trigger or rule of {table} kept it back")
            connection.rows(f"DROP TRIGGER keep_back ON {table}")
        connection.rows(call, *[TAGS] * (call == DECLARE))
    equal(connection.rows("SELECT snapshot_every, snapshot_keep FROM evercore_aggregate_type"), [("5", "2")])


def test_a_state_that_a_trigger_keeps_back_is_told():
    kept_back = "EV010: a row was not written: a trigger or rule of its table kept it back"
    declare = "SELECT evercore_aggregate_type('T', '{\"schema\":{}}')"
    event = '{"event_type":"E","data":{}}'
    appends = ("SELECT evercore_append(1, NULL, 'E', '{}')", "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{}')",
               f"SELECT evercore_append_many('[{{\"aggregate_id\":1,\"events\":[{event},{event}]}}]')")
    for declared in (False, True):
        connection = store()
        connection.rows(appends[0] + "; SELECT evercore_event_type('E', 'patch')")
        if declared:
            connection.rows(declare)
        connection.rows("CREATE TRIGGER keep_back BEFORE INSERT OR UPDATE ON evercore_kept_state FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
        for call in appends if declared else (declare,):
            refused(lambda connection=connection, call=call: connection.rows(call), "EV010", kept_back)
        equal(connection.value("SELECT count(*) FROM evercore_log"), "1")
    connection.rows("DROP TRIGGER keep_back ON evercore_kept_state;"
                    "CREATE TRIGGER keep_back BEFORE DELETE ON evercore_kept_state FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
    refused(lambda: connection.rows("SELECT evercore_event_type('E', 'merge')"), "EV010", kept_back)
    equal(connection.rows("SELECT problem FROM evercore_check()"), [])


def test_what_a_trigger_keeps_back_of_compaction_erasure_and_the_like_is_told():
    calls = {"SELECT evercore_compact(1, 0)": "aggregate 1 was compacted", "SELECT evercore_compact_type('T', 0)": "aggregate 1 was compacted",
             "SELECT evercore_erase(2)": "aggregate 2 was erased", "SELECT evercore_rekey(1, 'new')": "aggregate 1 was rekeyed",
             "SELECT evercore_snapshot(3)": "a snapshot of aggregate 3 was stored",
             "SELECT evercore_save_snapshot(3, 1, '{}', 7)": "a snapshot of aggregate 3 was stored",
             "SELECT evercore_reset('s', 2)": 'subscription "s" was reset', "SELECT evercore_unsubscribe('s')": 'subscription "s" was removed'}
    keeping = {"evercore_event": ("UPDATE", "DELETE"), "evercore_aggregate": ("UPDATE", "DELETE"), "evercore_snapshot": ("INSERT", "DELETE"),
               "evercore_event_id": ("INSERT", "UPDATE"), "evercore_compacted_type": ("INSERT", "UPDATE"), "evercore_event_tag": ("DELETE",),
               "evercore_subscription": ("DELETE",), "evercore_subscription_partition": ("UPDATE", "DELETE")}
    connection = store()
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('T', 'k', 'E', '{\"n\":1}', 'i1');"
                    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id, tags) VALUES ('T', 'b', 'E', '{\"n\":2}', 'i2', '[\"t\"]');"
                    "SELECT evercore_snapshot(1); SELECT evercore_append(1, 1, 'E', '{}'), evercore_snapshot(1), evercore_snapshot(2);"
                    "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('U', 'c', 'E', '{}')")
    connection.rows("SELECT evercore_subscribe('s', NULL, 'end')")
    tables = [name for (name,) in connection.rows("SELECT relname FROM pg_class WHERE relnamespace = 'evercore'::regnamespace AND relkind = 'r' ORDER BY 1")]
    everything = " UNION ALL ".join(f"SELECT '{table}', to_jsonb(r) - '{{recorded_at,start_position,snapshot_id}}'::text[]"
                                    f" FROM {table} r" for table in tables)

    def outcome(call, trigger=None):
        connection.rows("BEGIN")
        if trigger:
            connection.rows(trigger)
        try:
            connection.rows(call)
            return connection.rows(f"SELECT * FROM ({everything}) e ORDER BY e::text")
        except Error as error:
            return error.message
        finally:
            connection.rows("ROLLBACK")

    refusals = 0
    for call, done in calls.items():
        whole = outcome(call)
        equal(isinstance(whole, list), True, f"{call}: {whole}")
        for table, events in keeping.items():
            for event in events:
                got = outcome(call, f"CREATE TRIGGER keep_back BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION public.keep_back()")
                if isinstance(got, str):
                    equal(f"EV010: a trigger or rule cut it short: {done} in part" in got, True, f"{call} {event} {table}: {got}")
                    refusals += 1
                else:
                    equal(got, whole, f"{call} {event} {table}")
    equal(refusals >= 20, True, str(refusals))
