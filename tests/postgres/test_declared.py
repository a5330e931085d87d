"""Declared tags between sessions: declarations, appends, filling and erasure that meet, and what evercore_check() and evercore_migrate() say."""
import json
import subprocess
import tempfile

from harness import Later, equal, install, new_database, program, refused, waits_for_lock
from pq import Connection, Error
from test_install import dump_and_restore

TAGS = '{"tags":{"a":"/a"}}'
DECLARE = "SELECT evercore_event_type('E', NULL, $1)"
FORMS = {
    "single": "SELECT evercore_append(1, NULL, 'E', '{\"a\":1}')",
    "with a tag": "SELECT evercore_append(1, NULL, 'E', '{\"a\":1}', tags => '[\"x\"]')",
    "identified": "SELECT evercore_append(1, NULL, 'E', '{\"a\":1}', NULL, NULL, NULL, 'i')",
    "many": "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{\"a\":1}}]}]')",
    "many tagged": "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{\"a\":1},\"tags\":[\"x\"]}]}]')",
    "insert": "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{\"a\":1}')",
    "insert of two": "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'F', '{}'), (1, 'E', '{\"a\":1}')",
}


def store(events=0):
    database = new_database()
    connection = Connection(database)
    connection.rows("SELECT evercore_create('T', 'k' || i) FROM generate_series(1, 3) i")
    for i in range(events):
        connection.rows(f"SELECT evercore_append({i % 2 + 1}, NULL, 'E', '{{\"a\":{i}}}')")
    return database, connection


def left_undone(connection, amount):
    """As a declaration over more than 100,000 events leaves a type."""
    connection.rows("SELECT _evercore_mark(17592186044416)")
    connection.rows("INSERT INTO evercore_event_type (name, fold, tags, unfilled) VALUES ('E', 'merge', '{\"a\":\"/a\"}', $1::bigint)", amount)


def newest(connection):
    return connection.rows("SELECT tags, declared_tags FROM evercore_event WHERE event_type = 'E' ORDER BY position DESC LIMIT 1")[0]


def problems(connection):
    return [row[0] for row in connection.rows("SELECT problem FROM evercore_check()")]


def test_every_form_of_append_waits_for_a_declaration_and_derives_its_tags():
    for name, sql in FORMS.items():
        database, observer = store()
        declares, writes = Connection(database), Connection(database)
        declares.rows("BEGIN")
        declares.rows(DECLARE, TAGS)
        later = Later(lambda writes=writes, sql=sql: writes.rows(sql))
        equal(waits_for_lock(observer, writes.pid()), True, name)
        declares.rows("COMMIT")
        later.result()
        equal(newest(observer), ('["a:1","x"]' if "tag" in name else '["a:1"]', "1"), name)
        equal(problems(observer), [], name)


def test_a_declaration_waits_for_every_form_of_append_and_tags_its_event():
    for name, sql in FORMS.items():
        database, observer = store()
        declares, writes = Connection(database), Connection(database)
        writes.rows("BEGIN")
        writes.rows(sql)
        later = Later(lambda declares=declares: declares.rows(DECLARE, TAGS))
        equal(waits_for_lock(observer, declares.pid()), True, name)
        writes.rows("COMMIT")
        later.result()
        equal(newest(observer), ('["a:1","x"]' if "tag" in name else '["a:1"]', "1"), name)
        equal(problems(observer), [], name)


def test_above_read_committed_an_append_under_an_older_declaration_fails():
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for name, sql in FORMS.items():
            database, observer = store()
            writes = Connection(database)
            writes.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
            observer.rows(DECLARE, TAGS)
            refused(lambda writes=writes, sql=sql: writes.rows(sql), "40001")
            writes.rows("ROLLBACK")
            writes.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
            writes.rows(sql)
            writes.rows("COMMIT")
            equal(newest(observer)[1], "1", f"{level} {name}")


def test_a_declaration_in_the_middle_of_an_append_is_refused():
    _, connection = store(2)
    refusal = "EV010: a declaration within an append would not hold for its events: call it in a statement of its own"
    for declaration in ("event_type('E', NULL, '{\"tags\":{\"a\":\"/a\"}}')", "event_type('E', 'patch')", "aggregate_type('T', '{\"schema\":{}}')",
                        "snapshot_policy('T', 2, 1)", "index_types()"):
        connection.rows("CREATE OR REPLACE FUNCTION public.declares() RETURNS trigger LANGUAGE plpgsql AS "
                        f"$$BEGIN PERFORM evercore.evercore_{declaration}; RETURN NEW; END$$")
        for moment in ("BEFORE", "AFTER"):
            connection.rows(f"CREATE TRIGGER declares {moment} INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION public.declares()")
            for sql in FORMS.values():
                refused(lambda sql=sql: connection.rows(sql), "EV010", refusal)
            connection.rows("DROP TRIGGER declares ON evercore_event")
    # A trigger on a table of the user's may declare, and one on evercore_event say what holds already.
    connection.rows("CREATE TABLE public.mine (n integer); CREATE TRIGGER declares AFTER INSERT ON public.mine FOR EACH ROW EXECUTE FUNCTION public.declares();"
                    "INSERT INTO public.mine VALUES (1);"
                    "CREATE TRIGGER declares AFTER INSERT ON evercore_event FOR EACH ROW EXECUTE FUNCTION public.declares()")
    connection.rows(FORMS["single"])
    equal(connection.rows("SELECT problem FROM evercore_check()"), [])


def test_what_is_declared_already_takes_no_lock():
    database, observer = store()
    observer.rows(DECLARE, TAGS)
    observer.rows("SELECT evercore_event_type('E', 'merge')")
    writes = Connection(database)
    writes.rows("BEGIN; SELECT evercore_append(1, NULL, 'E', '{}')")
    observer.rows("SET lock_timeout = '1ms'")
    generation = observer.value("SELECT generation FROM _evercore_declared")
    observer.rows(DECLARE, TAGS)
    observer.rows("SELECT evercore_event_type('E', 'merge', '{}'), evercore_event_type('E'), evercore_event_type('E', NULL, '{\"tags\" : {\"a\":\"\\u002fa\"}}'::json)")
    equal(observer.value("SELECT generation FROM _evercore_declared"), generation)
    refused(lambda: observer.rows(DECLARE, '{"tags":null}'), "55P03")


def test_a_tag_that_a_trigger_keeps_back_ends_the_declaration_and_the_filling():
    for table, event in (("evercore_event_tag", "INSERT"), ("evercore_event", "UPDATE")):
        _, connection = store(4)
        trigger = f"CREATE TRIGGER keep_back BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION public.keep_back()"
        connection.rows(f"CREATE FUNCTION public.keep_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; {trigger}")
        refused(lambda connection=connection: connection.rows(DECLARE, TAGS), "EV010", "EV010: a tag was not written: ")
        connection.rows(f"DROP TRIGGER keep_back ON {table}")
        equal(problems(connection), [], table)
        left_undone(connection, 4)
        connection.rows(trigger)
        refused(lambda connection=connection: connection.rows("SELECT evercore_fill()"), "EV010", "EV010: a tag was not written: ")
        connection.rows(f"DROP TRIGGER keep_back ON {table}")
        equal(connection.value("SELECT evercore_fill()"), "0")
        equal(connection.value("SELECT count(*) FROM evercore_event_tag"), "4")
        equal(problems(connection), [], table)


def test_rows_that_came_without_the_mark_are_heeded_after_a_restore():
    _, connection = store()
    connection.rows(DECLARE, TAGS)
    connection.rows("SELECT setval('_evercore_highest', pg_sequence_last_value('_evercore_highest') & ~17592186044416)")
    connection.rows(FORMS["single"])
    equal(newest(connection), (None, None))  # the call is there for what nobody can notice
    connection.rows("SELECT evercore_restored()")
    for name, sql in FORMS.items():
        connection.rows(sql)
        equal(newest(connection)[1], "1", name)


def test_an_erased_aggregate_waits_for_no_tags_to_be_compacted():
    _, connection = store(4)
    left_undone(connection, 4)
    refused(lambda: connection.rows("SELECT evercore_compact(2, 1)"), "EV010", "EV010: event 2 bears tags and stays")
    connection.rows("SELECT evercore_erase(1)")
    equal(connection.value("SELECT evercore_compact(1, 1)"), "1")
    equal(connection.value("SELECT evercore_fill()"), "0")
    equal(problems(connection), [])


def test_filling_waits_for_an_erasure_and_passes_it_over():
    database, observer = store(4)
    left_undone(observer, 4)
    erases, fills = Connection(database), Connection(database)
    erases.rows("BEGIN; SELECT evercore_erase(1)")
    later = Later(lambda: fills.value("SELECT evercore_fill()"))
    equal(waits_for_lock(observer, fills.pid()), True)
    erases.rows("COMMIT")
    equal(later.result(), "0")
    equal(observer.rows("SELECT aggregate_id, tags FROM evercore_event ORDER BY position"), [("1", None), ("2", '["a:1"]'), ("1", None), ("2", '["a:3"]')])
    equal(problems(observer), [])


def test_an_erasure_waits_for_filling_and_takes_its_tags_away():
    database, observer = store(4)
    left_undone(observer, 4)
    erases, fills = Connection(database), Connection(database)
    fills.rows("BEGIN; SELECT evercore_fill(2)")
    later = Later(lambda: erases.value("SELECT evercore_erase(1)"))
    equal(waits_for_lock(observer, erases.pid()), True)
    fills.rows("COMMIT")
    equal(later.result(), "2")
    equal(observer.value("SELECT evercore_fill()"), "0")
    equal(observer.value("SELECT string_agg(tag, ' ' ORDER BY tag) FROM evercore_event_tag"), "a:1 a:3")
    equal(problems(observer), [])


def test_two_who_fill_take_turns_and_leave_nothing_out():
    database, observer = store(9)
    left_undone(observer, 9)
    first, second = Connection(database), Connection(database)
    first.rows("BEGIN")
    equal(first.value("SELECT evercore_fill(4)"), "5")
    later = Later(lambda: second.value("SELECT evercore_fill(3)"))
    equal(waits_for_lock(observer, second.pid()), True)
    first.rows("COMMIT")
    equal(later.result(), "2")
    equal(observer.value("SELECT evercore_fill()"), "0")
    equal(observer.value("SELECT count(*) FROM evercore_event WHERE tags IS NULL"), "0")


def test_filling_locks_the_aggregates_of_several_types_in_the_order_of_all_calls():
    database, observer = store()
    observer.rows("SELECT evercore_append(2, NULL, 'E', '{\"a\":1}'); SELECT evercore_append(1, NULL, 'F', '{\"a\":1}')")
    left_undone(observer, 1)
    observer.rows("INSERT INTO evercore_event_type (name, fold, tags, unfilled) VALUES ('F', 'merge', '{\"a\":\"/a\"}', 1)")
    appends, fills = Connection(database), Connection(database)
    appends.rows("BEGIN; SELECT evercore_append(1, NULL, 'G', '{}')")
    later = Later(lambda: fills.value("SELECT evercore_fill()"))
    equal(waits_for_lock(observer, fills.pid()), True)
    appends.rows("SELECT evercore_append(2, NULL, 'G', '{}')")  # E's aggregate is not held while F's is waited for
    appends.rows("COMMIT")
    equal(later.result(), "0")


def test_a_reader_sees_all_tags_of_a_type_or_is_refused():
    database, observer = store(4)
    left_undone(observer, 4)
    observer.rows("SELECT evercore_subscribe('s', '{\"aggregate_type\":\"T\",\"natural_key\":\"k1\",\"tags\":[\"a:0\"]}'), evercore_claim('s', 'w', 60)")
    reads = {"query": "SELECT count(*) FROM evercore_query('[{\"tags\":[\"a:0\"]}]')",
             "follow": "SELECT count(*) FROM evercore_follow(0, 9, '{\"tags\":[\"a:0\"]}')",
             "follow by key": "SELECT count(*) FROM evercore_follow(0, 9, '{\"aggregate_type\":\"T\",\"natural_key\":\"k1\",\"tags\":[\"a:0\"]}')",
             "fetch by key": "SELECT count(*) FROM evercore_fetch('s', 1)"}
    message = 'EV010: events of "E" are not tagged yet: SELECT evercore_fill()'
    fills = Connection(database)
    fills.rows("BEGIN; SELECT evercore_fill()")
    for sql in reads.values():
        refused(lambda sql=sql: observer.rows(sql), "EV010", message)
    refused(lambda: observer.rows("SELECT evercore_append_many('[]', '[{\"tags\":[\"a:0\"]}]')"), "EV010", message)
    refused(lambda: fills.rows("SELECT evercore_fill(0)"), "EV009")
    fills.rows("ROLLBACK")
    refused(lambda: observer.rows(reads["query"]), "EV010", message)
    fills.rows("SELECT evercore_fill()")
    for name, sql in reads.items():
        equal(observer.value(sql), "1", name)


def test_filling_needs_read_committed():
    _, connection = store(1)
    left_undone(connection, 1)
    connection.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
    refused(lambda: connection.rows("SELECT evercore_fill()"), "EV010", "EV010: filling needs READ COMMITTED")


def test_check_finds_what_declared_tags_lack():
    _, connection = store()
    connection.rows(DECLARE, TAGS)
    connection.rows("SELECT evercore_append(1, NULL, 'E', '{\"a\":1}', tags => '[\"x\"]')")
    equal(problems(connection), [])
    for damage, problem in (("declared_tags = 3", "tags are damaged"), ("declared_tags = 0", "tags are damaged"), ("tags = '[\"x\"]'", "tags lack what is declared"),
                            ("tags = NULL, declared_tags = NULL", "tags lack what is declared"), ("data = '{\"a\":2}'", "tags lack what is declared")):
        connection.rows("BEGIN; SELECT set_config('evercore.compacting', 'on', true)")
        connection.rows(f"UPDATE evercore_event SET {damage}")
        equal(problem in problems(connection), True, f"{damage}: {problems(connection)}")
        connection.rows("ROLLBACK")
    for damaged in ('[]', '{"a":7}', '{"":"/a"}'):
        connection.rows("BEGIN")
        connection.rows("UPDATE evercore_event_type SET tags = $1::json", damaged)
        equal(problems(connection), ['declared tags of "E" are damaged'], damaged)
        connection.rows("ROLLBACK")


def test_a_mark_that_was_lost_is_set_again():
    _, connection = store()
    connection.rows(DECLARE, TAGS)
    connection.rows("SELECT setval('_evercore_highest', last_value & ~17592186044416) FROM _evercore_highest")
    equal(len(problems(connection)), 1)
    connection.rows("SELECT evercore_migrate()")
    equal(problems(connection), [])
    connection.rows("SELECT evercore_append(1, NULL, 'E', '{\"a\":1}')")
    equal(newest(connection), ('["a:1"]', "1"))


def test_derived_tags_of_a_document_are_those_of_single_appends():
    _, connection = store()
    connection.rows("SELECT evercore_event_type('E', NULL, '{\"tags\":{\"a\":\"/a\",\"n\":\"/n/0\"}}')")
    datas = [{}, {"a": "x"}, {"a": ["x", 1, "x"]}, {"a": 1e3, "n": ["y"]}, {"a": "x" * 200}, {"n": [[1, 2]]}, {"a": "é\n\""}]
    for data in datas:
        connection.rows("SELECT evercore_append(1, NULL, 'E', $1)", json.dumps(data))
    connection.rows("SELECT evercore_append_many($1)", json.dumps([{"aggregate_id": 2, "events": [{"event_type": "E", "data": data} for data in datas]}]))
    for data in datas:
        connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'k3', 'E', $1)", json.dumps(data))
    first, *others = [connection.rows("SELECT tags, declared_tags FROM evercore_event WHERE aggregate_id = $1 ORDER BY sequence", i) for i in (1, 2, 3)]
    equal(others, [first, first])
    equal(problems(connection), [])


def test_a_repeat_asks_for_no_declaration():
    _, connection = store()
    many = json.dumps([{"aggregate_id": 1, "events": [{"event_type": "E", "data": {"a": "x"}, "event_id": "i"}]}])
    first = json.loads(connection.value("SELECT evercore_append_many($1)", many))
    connection.rows("INSERT INTO evercore_event_type (name, fold, tags) VALUES ('E', 'merge', $1::json)", json.dumps({"a" * 254: "/a"}))
    connection.rows("SELECT _evercore_mark(17592186044416)")
    again = json.loads(connection.value("SELECT evercore_append_many($1)", many))
    equal(again, [{**first[0], "repeated": True}])
    try:
        connection.rows("SELECT evercore_append(1, NULL, 'E', '{\"a\":\"xy\"}')")
        raise AssertionError("a tag of 257 characters was taken")
    except Error as error:
        equal(error.message, "EV005: tag is longer than 255 characters")


# == Dumps ==

def declared_store():
    """One type whose events are tagged, and one that is left undone."""
    database, connection = store()
    connection.rows("SELECT evercore_event_type('E', NULL, $1), evercore_event_type('L', 'patch')", TAGS)
    connection.rows("SELECT evercore_append(1, NULL, 'E', '{\"a\":[1,2]}', tags => '[\"x\"]'), evercore_append(2, NULL, 'E', '{\"a\":\"z\"}'), evercore_append(1, NULL, 'L', '{\"b\":7}')")
    connection.rows("UPDATE evercore_event_type SET tags = '{\"b\":\"/b\"}', unfilled = 1 WHERE name = 'L'")
    return database, connection


def is_as_declared(restored, original):
    for what in ("evercore_event_types ORDER BY 1", "evercore_event_type ORDER BY 1", "evercore_event_tag ORDER BY 1, 2, 3", "evercore_log ORDER BY 1", "evercore_check()"):
        equal(restored.rows(f"SELECT * FROM {what}"), original.rows(f"SELECT * FROM {what}"), what)
    refused(lambda: restored.rows("SELECT * FROM evercore_query('[{\"tags\":[\"b:7\"]}]')"), "EV010", 'EV010: events of "L" are not tagged yet')
    for name, sql in FORMS.items():
        after = restored.value("SELECT max(position) FROM evercore_log")
        restored.rows(sql)
        equal(newest(restored), ('["a:1","x"]' if "tag" in name else '["a:1"]', "1"), name)
        equal(restored.value("SELECT count(*) FROM evercore_query('[{\"tags\":[\"a:1\"],\"types\":[\"E\"]}]', $1)", after), "1", name)
        refused(lambda after=after: restored.rows("SELECT evercore_append_many('[]', '[{\"tags\":[\"a:1\"]}]', $1)", after), "EV001")
    equal(restored.value("SELECT evercore_fill()"), "0")
    equal(restored.value("SELECT tags FROM evercore_query('[{\"tags\":[\"b:7\"]}]')"), '["b:7"]')
    equal(problems(restored), [])


def test_a_dump_keeps_what_is_declared():
    database, original = declared_store()
    for arguments in ((), ("-n", "evercore")):
        is_as_declared(Connection(dump_and_restore(database, *arguments)), original)
    data, other = new_database(), new_database(False)
    with tempfile.NamedTemporaryFile() as file:
        for target, part, how in ((other, "--schema=evercore", ("--no-owner", "--no-privileges")), (data, "--data-only", ())):
            subprocess.run([program("pg_dump"), "-Fc", part, "-f", file.name, database], check=True)
            subprocess.run([program("pg_restore"), "--exit-on-error", *how, "-d", target, file.name], check=True)
    install(other)
    is_as_declared(Connection(other), original)
    is_as_declared(Connection(data), original)
