"""Upcasts beside other sessions and roles, what is left to evercore_fill, what a damaged one says, and what a dump carries."""
import json
import random

from harness import Later, equal, new_database, refused, waits_for_lock
from pq import Connection
from random_rules import random_data
from rules import parsed
from test_declared import left_undone, problems, store
from test_install import dump_and_restore
from upcasts import upcast

DECLARE = "SELECT evercore_event_type('E', NULL, $1)"
RENAMES = '{"upcast":[{"rename":{"/b":"a"}}]}'
FORMS = {
    "single": "SELECT evercore_append(1, NULL, 'E', '{\"b\":1}')",
    "identified": "SELECT evercore_append(1, NULL, 'E', '{\"b\":1}', NULL, NULL, NULL, 'i')",
    "many": "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{\"b\":1}}]}]')",
    "many tagged": "SELECT evercore_append_many('[{\"aggregate_id\":1,\"events\":[{\"event_type\":\"E\",\"data\":{\"b\":1},\"tags\":[\"x\"]}]}]')",
    "insert": "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{\"b\":1}')",
    "insert of two": "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'F', '{}'), (1, 'E', '{\"b\":1}')",
}


def test_long_and_short_folds_see_data_upcast():
    """Of few events, of blocks of them and of many blocks, with and without a null; by merge, patch and rules."""
    _, connection = store()
    operations = '[{"rename":{"/a":"x"}},{"move":{"/b":"/o/b"}},{"default":{"/c":{"v":[1.50]}}},{"remove":["/0"]}]'
    for fold in ("merge", "patch", '[{"set":{"/last":""}},{"merge":""}]'):
        connection.rows("SELECT evercore_event_type('E', $1, $2)", fold, json.dumps({"upcast": json.loads(operations)}))
        for amount in (3, 130, 600):
            dice, aggregate = random.Random(amount), connection.value("SELECT evercore_create('T')")
            given = [random_data(dice) for _ in range(amount)]
            connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT $1::bigint, 'E', d FROM json_array_elements_text($2) d",
                            aggregate, json.dumps(given))
            connection.rows("SELECT evercore_event_type('Today', $1)", fold)
            today, other = [upcast(parsed(data), parsed(operations)) for data in given], connection.value("SELECT evercore_create('T')")
            replayed = connection.rows("SELECT data FROM evercore_replay($1::bigint) WHERE event_type IS NOT NULL ORDER BY sequence", aggregate)
            equal([parsed(row[0]) for row in replayed], today, f"{fold} {amount}")
            connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT $1::bigint, 'Today', r.data FROM evercore_replay($2::bigint) r"
                            " WHERE r.event_type IS NOT NULL ORDER BY r.sequence", other, aggregate)
            states = [connection.rows("SELECT h.state FROM evercore_history($1::bigint) h ORDER BY h.sequence", id) for id in (aggregate, other)]
            equal(states[0], states[1], f"{fold} {amount}")
            state = "SELECT evercore_state($1::bigint)"
            equal(connection.value(state, aggregate), connection.value(state, other), f"{fold} {amount}")
            connection.rows("SELECT evercore_snapshot($1::bigint)", aggregate)
    equal(problems(connection), [])


def test_every_form_of_append_sees_an_upcast_in_its_schema_and_its_tags():
    declared = '{"upcast":[{"rename":{"/b":"a"}}],"tags":{"a":"/a"},"schema":{"required":["a"],"properties":{"a":{"maximum":%d}}}}'
    for name, sql in FORMS.items():
        _, connection = store()
        connection.rows(DECLARE, declared % 0)
        refused(lambda connection=connection, sql=sql: connection.rows(sql), "EV011", 'EV011: data of "E": /a: maximum')
        connection.rows(DECLARE, declared % 1)
        connection.rows(sql)
        equal(connection.rows("SELECT data, tags FROM evercore_event WHERE event_type = 'E'"), [('{"b":1}', '["a:1","x"]' if "tagged" in name else '["a:1"]')], name)
        equal(problems(connection), [], name)


def test_texts_that_a_default_gives_are_as_long_as_they_are():
    """The path of a schema bounds the characters of a text by the bytes of the data."""
    _, connection = store()
    for length, amount in ((300, "0"), (301, "1")):
        options = {"upcast": [{"default": {"/a": "x" * length}}], "schema": {"properties": {"a": {"maxLength": 300}}}}
        connection.rows(DECLARE, json.dumps(options))
        equal(connection.value("SELECT evercore_validate('E', '{}')"), None if length == 300 else "/a: maxLength")
        append = lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', '{}')")
        append() if length == 300 else refused(append, "EV011", 'EV011: data of "E": /a: maxLength')
    equal(connection.value("SELECT count(*) FROM evercore_event"), amount)


def test_a_declaration_waits_for_a_policys_snapshot_and_an_append_for_the_declaration():
    for name, sql in FORMS.items():
        database, observer = store()
        declares, writes = Connection(database), Connection(database)
        observer.rows("SELECT evercore_snapshot_policy('T', 1, 2)")
        writes.rows("BEGIN")
        writes.rows(sql)
        later = Later(lambda declares=declares: declares.rows(DECLARE, RENAMES))
        equal(waits_for_lock(observer, declares.pid()), True, name)
        writes.rows("COMMIT")
        later.result()
        equal(observer.rows("SELECT * FROM evercore_snapshot"), [], name)
        equal(observer.value("SELECT evercore_state(1)"), '{"a": 1}', name)
        declares.rows("BEGIN")
        declares.rows(DECLARE, '{"upcast":[{"rename":{"/b":"c"}}]}')
        sql = sql.replace("'i'", "'j'")
        later = Later(lambda writes=writes, sql=sql: writes.rows(sql))
        equal(waits_for_lock(observer, writes.pid()), True, name)
        declares.rows("COMMIT")
        later.result()
        equal(observer.rows("SELECT state FROM evercore_snapshot ORDER BY sequence DESC LIMIT 1"), [('{"c": 1}',)], name)
        equal(problems(observer), [], name)


def test_above_read_committed_nothing_is_declared_and_an_append_under_an_older_declaration_fails():
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for name, sql in FORMS.items():
            database, observer = store()
            observer.rows("SELECT evercore_snapshot_policy('T', 1, 2)")
            writes = Connection(database)
            writes.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
            observer.rows(DECLARE, RENAMES)
            refused(lambda writes=writes, sql=sql: writes.rows(sql), "40001")
            writes.rows("ROLLBACK")
            writes.rows(f"BEGIN ISOLATION LEVEL {level}")
            writes.rows(sql)
            writes.rows("COMMIT")
            equal(observer.rows("SELECT state FROM evercore_snapshot ORDER BY sequence DESC LIMIT 1"), [('{"a": 1}',)], name)
        writes.rows(f"BEGIN ISOLATION LEVEL {level}")
        refused(lambda writes=writes: writes.rows(DECLARE, '{"upcast":null}'), "EV010", "EV010: declaring needs READ COMMITTED")


def test_a_reader_in_an_older_snapshot_sees_the_upcast_of_then():
    database, writes = store()
    reads = Connection(database)
    writes.rows(FORMS["single"])
    reads.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
    equal(reads.value("SELECT evercore_state(1)"), '{"b": 1}')
    writes.rows(DECLARE, RENAMES)
    equal(reads.value("SELECT evercore_state(1)"), '{"b": 1}')
    equal(reads.value("SELECT data FROM evercore_replay(1) WHERE sequence = 1"), '{"b":1}')
    reads.rows("COMMIT")
    equal(reads.value("SELECT evercore_state(1)"), '{"a": 1}')
    equal(reads.value("SELECT data FROM evercore_replay(1) WHERE sequence = 1"), '{"a":1}')


def test_what_is_declared_already_takes_no_lock():
    database, observer = store()
    observer.rows(DECLARE, RENAMES)
    observer.rows("SELECT evercore_event_type('E', 'merge')")
    writes = Connection(database)
    writes.rows("BEGIN")
    writes.rows(FORMS["single"])
    observer.rows("SET lock_timeout = '1ms'")
    generation = observer.value("SELECT generation FROM _evercore_declared")
    for same in (RENAMES, ' {"upcast" : [ {"ren\\u0061me": {"\\/b":"a"} } ] }', "{}"):
        observer.rows(DECLARE, same)
    observer.rows("SELECT evercore_event_type('E', 'merge'), evercore_event_type('Never', NULL, '{\"upcast\":[]}')")
    equal(observer.value("SELECT generation FROM _evercore_declared"), generation)
    equal(observer.value("SELECT upcast FROM evercore_event_types"), RENAMES[10:-1])
    for other in ('{"upcast":null}', '{"upcast":[]}', '{"upcast":[{"rename":{"/b":"a"}},{"remove":[]}]}'):
        refused(lambda other=other: observer.rows(DECLARE, other), "55P03")


def test_filling_derives_from_data_upcast_and_begins_again_where_the_upcast_changes():
    _, connection = store()
    for data in ('{"b":1}', '{"a":2}', '{"c":3}'):
        connection.rows("SELECT evercore_append(1, NULL, 'E', $1)", data)
    left_undone(connection, 3)
    connection.rows("SELECT _evercore_change_upcast('E', $1)", RENAMES)
    connection.rows("UPDATE evercore_event_type SET unfilled = 3")
    equal(connection.value("SELECT evercore_fill(1)"), "2")
    tags = "SELECT tags FROM evercore_event ORDER BY position"
    equal(connection.rows(tags), [('["a:1"]',), (None,), (None,)])
    connection.rows(DECLARE, '{"upcast":[{"rename":{"/c":"a"}}]}')
    equal(connection.rows(tags), [('["a:1"]',), ('["a:2"]',), ('["a:3"]',)])
    equal(connection.rows("SELECT filled FROM evercore_event_types"), [("t",)])
    equal(connection.value("SELECT evercore_fill()"), "0")
    equal(problems(connection), [])


def test_more_than_100000_events_are_left_to_fill():
    _, connection = store()
    connection.rows(DECLARE, '{"tags":{"a":"/a"}}')
    connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data) SELECT 1 + i % 3, 'E', '{\"b\":1}' FROM generate_series(1, 100001) i")
    connection.rows(DECLARE, RENAMES)
    equal(connection.rows("SELECT filled FROM evercore_event_types"), [("f",)])
    refused(lambda: connection.rows("SELECT * FROM evercore_query('[{\"tags\":[\"a:1\"]}]')"), "EV010", 'EV010: events of "E" are not tagged yet: SELECT evercore_fill()')
    equal(connection.value("SELECT evercore_fill(100000)"), "1")
    equal(connection.value("SELECT evercore_fill()"), "0")
    equal(connection.value("SELECT count(*) FROM evercore_query('[{\"tags\":[\"a:1\"]}]')"), "100001")


def test_upcast_takes_documents_of_every_type():
    _, connection = store()
    connection.rows(DECLARE, RENAMES)
    for data in ("'{\"b\":1}'", "'{\"b\":1}'::text", "'{\"b\":1}'::json", "'{\"b\":1}'::jsonb", "'{\"b\":1}'::bytea", "json_build_object('b', 1)"):
        equal(json.loads(connection.value(f"SELECT evercore_upcast('E', {data})")), {"a": 1}, data)
    refused(lambda: connection.rows("SELECT evercore_upcast('E', 1)"), "42883")
    refused(lambda: connection.rows("SELECT evercore_upcast('E', NULL::json)"), "EV009", "EV009: data is NULL")
    connection.rows("CREATE VIEW today AS SELECT evercore_upcast(event_type, data) AS data FROM evercore_log")
    connection.rows(FORMS["single"])
    equal(connection.rows("SELECT data FROM today"), [('{"a":1}',)])


def test_a_damaged_upcast_is_named_and_steps_are_mended():
    _, connection = store()
    connection.rows(FORMS["single"])
    connection.rows(DECLARE, RENAMES)
    connection.rows("SELECT evercore_snapshot(1)")
    for text in ("7", '{"rename":{"/b":"a"}}', '[{"rename":{"b":"a"}}]', '[{"rename":{"/b":7}}]', '[{"move":{"/b":null},"remove":[1]}]', '[{"default":{"/a":1}},{"remove":["/a"]}]',
                 '[{"default":{"/a":1e999}}]', '[{"rename":{"/b":"a","/b":"a"}}]'):
        connection.rows("UPDATE evercore_event_type SET upcast = $1::json", text)
        equal(problems(connection), ['upcast of "E" is damaged'], text)
        connection.rows("UPDATE evercore_event_type SET upcast_steps = _evercore_upcast_steps(upcast)")
        connection.rows("DELETE FROM evercore_snapshot")
        equal(problems(connection), ['upcast of "E" is damaged'], text)
        connection.rows(DECLARE, RENAMES)
        equal(problems(connection), [], f"declared anew after {text}")
    for steps in (None, "{}", "{x}", "{{x,y,z,NULL}}", '{{rename,"{b}","{c}",NULL}}'):
        connection.rows("UPDATE evercore_event_type SET upcast_steps = $1::text[]", steps)
        equal(problems(connection), ['upcast of "E" is damaged'], steps)
        connection.rows("SELECT evercore_migrate()")
        equal(problems(connection), [], steps)
        equal(connection.value("SELECT evercore_state(1)"), '{"a": 1}')
    connection.rows("UPDATE evercore_event_type SET upcast = NULL")
    equal(problems(connection), ['upcast of "E" is damaged'])
    connection.rows("SELECT evercore_migrate()")
    equal(problems(connection), [])
    equal(connection.value("SELECT evercore_state(1)"), '{"b": 1}')


def test_a_dump_carries_upcasts():
    database, connection = store()
    connection.rows(DECLARE, '{"upcast":[{"rename":{"/b":"a"}},{"default":{"/o/\\u00e4":[1.50,"\\""]}}],"tags":{"a":"/a"}}')
    connection.rows(FORMS["single"])
    read = "SELECT (SELECT data FROM evercore_replay(1) WHERE sequence = 1), evercore_state(1), (SELECT upcast FROM evercore_event_types)"
    copy = Connection(dump_and_restore(database))
    equal(copy.rows(read), connection.rows(read))
    equal(problems(copy), [])
