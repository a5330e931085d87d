"""Events with an event_id by every form of an append: a repeat writes nothing, and who waited by a key goes where it led."""
from harness import Later, equal, new_database, refused, waits_for_lock
from pq import Connection

EVENT = '"events":[{{"event_type":"{type}","data":{{{{}}}},"event_id":"{id}"}}]'
BY_ID = '{{"aggregate_id":1{more},' + EVENT + "}}"
BY_KEY = '{{"aggregate_type":"T","natural_key":"a"{more},' + EVENT + "}}"


def forms(type, id):
    """Each way to append one event with an event_id to aggregate 1, T a."""
    def many(target, more=""):
        return "SELECT evercore_append_many('[" + target.format(more=more, type=type, id=id).replace("{{", "{").replace("}}", "}") + "]')"
    yield f"SELECT evercore_append(1, NULL, '{type}', '{{}}', event_id => '{id}')"
    yield f"SELECT evercore_append(1, 0, '{type}', '{{}}', 'r', '{{}}', event_id => '{id}', tags => '[\"t\"]')"
    yield many(BY_ID)
    yield many(BY_KEY)
    yield many(BY_KEY, ',"repeats":"skip"')
    yield f"INSERT INTO evercore_append (aggregate_id, event_type, data, event_id) VALUES (1, '{type}', '{{}}', '{id}')"
    yield f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_id) VALUES ('T', 'a', '{type}', '{{}}', '{id}')"


def test_a_repeat_writes_nothing():
    """Of what stands in the log, of what was compacted, and where it is refused: a trigger of the user's hears of no change."""
    connection = Connection(new_database())
    connection.rows("""SELECT evercore_create('T','a'), evercore_append(1, NULL, 'E', '{}', event_id => 'old'), evercore_append(1, NULL, 'E', '{}', event_id => 'e'),
                              evercore_compact(1, 1);
                       CREATE FUNCTION public.heard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a version was written'; END $$;
                       CREATE TRIGGER heard BEFORE INSERT OR UPDATE ON evercore_aggregate FOR EACH ROW EXECUTE FUNCTION public.heard()""")
    for type, id in (("E", "e"), ("Other", "e"), ("E", "old"), ("Other", "old")):
        for sql in forms(type, id):
            if type == "Other":
                refused(lambda sql=sql: connection.rows(sql), "EV007", f'EV007: event_id "{id}" exists with other content')
            else:
                connection.rows(sql)
    equal(connection.rows("SELECT sequence FROM evercore_aggregates"), [("2",)])


def test_who_waits_by_a_key_that_is_given_away_goes_where_it_led():
    """Whatever the form is, and whatever becomes of it: an append, a repeat or a look at a condition."""
    plain = '{"aggregate_type":"T","natural_key":"a","events":[{"event_type":"%s","data":{}%s}]}'
    condition = "SELECT evercore_append_many('[" + plain % ("F", "") + "]', '%s')"
    waiting = [sql for type, id in (("E", "e"), ("F", "f")) for sql in forms(type, id) if "aggregate_id" not in sql and "_append(1" not in sql]
    waiting += [condition % "[]", condition % '[{"types":["None"]}]', condition % '[{"tags":["none"]}]', condition % '[{"types":["None"],"tags":["none"]}]',
                "SELECT evercore_append_many('[" + plain % ("D", "") + "]', '[{\"tags\":[\"none\"]}]')",
                "SELECT evercore_append_many('[" + plain % ("F", ',"tags":["t"],"reference":"r"') + "]')",
                "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T','a','F','{}'::bytea)",
                "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) VALUES ('T','a','F','{}','2026-01-01')",
                "INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data) VALUES ('T','a',1,'F','{}'::bytea)",
                "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, tags) VALUES ('T','a','F','{}','[\"t\"]')"]
    database = new_database()
    first, second, observer = Connection(database), Connection(database), Connection(database)
    first.rows("SELECT evercore_index_types(1), evercore_event_type('D', NULL, '{\"tags\":{\"d\":\"/d\"}}')")
    for sql in waiting:
        if "'[]'" in sql or "None" in sql:  # a condition on what nobody wrote
            first.rows("SELECT evercore_create('U', NULL)")
        id = first.value("SELECT evercore_create('T','a')")
        first.rows(f"SELECT evercore_append({id}, NULL, 'E', '{{}}', event_id => 'e{id}')")
        head = first.value("SELECT evercore_head()")
        call = sql.replace('"e"', f'"e{id}"').replace("'e'", f"'e{id}'").replace('"f"', f'"f{id}"').replace("'f'", f"'f{id}'")
        if call.endswith("', '[]')"):
            call = call[:-1] + f", {head})"
        first.rows(f"BEGIN; SELECT evercore_rekey({id}, 'b{id}')")
        late = Later(lambda call=call: second.rows(call))
        equal(waits_for_lock(observer, second.pid()), True, call)
        first.rows("COMMIT")
        late.result()
        equal(first.rows("SELECT natural_key FROM evercore_aggregates WHERE natural_key IN ('a', $1)", f"b{id}"), [(f"b{id}",)], call)
        equal(first.value("SELECT evercore_sequence($1)", id), "1" if f"e{id}" in call else "2", call)
    equal(first.rows("SELECT * FROM evercore_check()"), [])


def test_a_version_that_a_trigger_does_not_let_go_back_is_told():
    """Of a repeat that waited for the first: it counted, and finds the event there."""
    database = new_database()
    first, second, observer = Connection(database), Connection(database), Connection(database)
    first.rows("""SELECT evercore_create('T','a');
                  CREATE FUNCTION public.forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.sequence >= OLD.sequence THEN NEW END; END $$;
                  CREATE TRIGGER forward BEFORE UPDATE ON evercore_aggregate FOR EACH ROW EXECUTE FUNCTION public.forward()""")
    append = "SELECT evercore_append(1, NULL, 'E', '{}', event_id => 'e')"
    first.rows("BEGIN; " + append)
    late = Later(lambda: second.rows(append))
    equal(waits_for_lock(observer, second.pid()), True)
    first.rows("COMMIT")
    refused(late.result, "EV010", "EV010: a version was not counted: a trigger or rule of evercore_aggregate kept it back")
    equal(second.value(append), "1")
    equal(second.value("SELECT evercore_append(1, NULL, 'F', '{}')"), "2")
    equal(second.rows("SELECT * FROM evercore_check()"), [])
