"""Schemas of data between sessions and types: declarations and appends that meet, other types than text, damage, and hostile schemas."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "json_schema"))
import own  # noqa: E402
from harness import Later, equal, refused, waits_for_lock
from pq import Connection
from test_declared import FORMS, problems, store

DECLARE = "SELECT evercore_event_type('E', NULL, $1)"
REFUSES = '{"schema":{"properties":{"a":{"maximum":0}}}}'
REFUSAL = 'EV011: data of "E": /a: maximum'


def validate(connection, schema, data):
    return connection.rows("SELECT evercore_validate('E', $1, $2)", json.dumps(data), json.dumps({"schema": schema}))[0][0]


def test_every_form_of_append_waits_for_a_declaration_and_is_refused_by_it():
    for name, sql in FORMS.items():
        database, observer = store()
        declares, writes = Connection(database), Connection(database)
        declares.rows("BEGIN")
        declares.rows(DECLARE, REFUSES)
        later = Later(lambda writes=writes, sql=sql: refused(lambda: writes.rows(sql), "EV011", REFUSAL))
        equal(waits_for_lock(observer, writes.pid()), True, name)
        declares.rows("COMMIT")
        later.result()
        equal(observer.rows("SELECT count(*) FROM evercore_event"), [("0",)], name)
        equal(problems(observer), [], name)


def test_a_declaration_waits_for_every_form_of_append():
    for name, sql in FORMS.items():
        database, observer = store()
        declares, writes = Connection(database), Connection(database)
        writes.rows("BEGIN")
        writes.rows(sql)
        later = Later(lambda declares=declares: declares.rows(DECLARE, REFUSES))
        equal(waits_for_lock(observer, declares.pid()), True, name)
        writes.rows("COMMIT")
        later.result()
        refused(lambda observer=observer, sql=sql: observer.rows(sql.replace("'i'", "'j'")), "EV011", REFUSAL)


def test_above_read_committed_an_append_under_an_older_schema_fails():
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for name, sql in FORMS.items():
            database, observer = store()
            writes = Connection(database)
            writes.rows(f"BEGIN ISOLATION LEVEL {level}; SELECT count(*) FROM evercore_log")
            observer.rows(DECLARE, REFUSES)
            refused(lambda writes=writes, sql=sql: writes.rows(sql), "40001")
            writes.rows("ROLLBACK")
            equal(observer.rows("SELECT count(*) FROM evercore_event"), [("0",)], name)


def test_validate_takes_documents_of_every_type():
    _, connection = store()
    schema = '{"schema":{"required":["b"]}}'
    for data in ("'{}'", "'{}'::text", "'{}'::json", "'{}'::jsonb", "'{}'::bytea", "json_build_object()", "jsonb_build_object()"):
        for options in (f"'{schema}'", f"'{schema}'::json", f"'{schema}'::jsonb", f"'{schema}'::text"):
            equal(connection.rows(f"SELECT evercore_validate('E', {data}, {options})"), [(": required",)], f"{data} {options}")
        equal(connection.rows(f"SELECT evercore_validate('E', {data})"), [(None,)], data)
    refused(lambda: connection.rows("SELECT evercore_validate('E', 1)"), "42883")


def test_a_damaged_schema_is_named():
    _, connection = store()
    connection.rows(DECLARE, REFUSES)
    for text in ("7", '{"pattern":"x"}', '{"$ref":"#"}', '{"minimum":"1"}', '{"a":1,"a":1}'):
        connection.rows("UPDATE evercore_event_type SET schema = $1::json", text)
        equal(problems(connection), ['schema of "E" is damaged'], text)
    connection.rows(DECLARE, REFUSES)
    equal(problems(connection), [])


def test_the_mark_of_schemas_is_missed_and_mended():
    _, connection = store()
    connection.rows(DECLARE, REFUSES)
    connection.rows("SELECT setval('_evercore_highest', pg_sequence_last_value('_evercore_highest'::regclass) & ~17592186044416)")
    equal(problems(connection), ["sequence _evercore_highest is behind its table"])
    connection.rows("SELECT evercore_migrate()")
    equal(problems(connection), [])
    refused(lambda: connection.rows(FORMS["single"]), "EV011", REFUSAL)


def test_numbers_do_not_depend_on_the_session():
    _, connection = store()
    for digits in ("-15", "0", "3"):
        connection.rows(f"SET extra_float_digits = {digits}")
        say = "SELECT evercore_validate('E', $1, $2)"
        for data, schema, fault in (("0.30000000000000004", '{"const":0.3}', "/v: const"), ("0.1000000000000000055511151231257827", '{"const":0.1}', None),
                                    ("9007199254740993", '{"maximum":9007199254740992}', "/v: maximum"), ("9007199254740992.6", '{"maximum":9007199254740992}', None),
                                    ("1e-400", '{"const":0}', None), ("1e-400", '{"exclusiveMinimum":0}', "/v: exclusiveMinimum"), ("1e308", '{"maximum":1.0e308}', None)):
            equal(connection.rows(say, f'{{"v":{data}}}', f'{{"schema":{{"properties":{{"v":{schema}}}}}}}'), [(fault,)], f"{data} {schema}")


def test_deep_data_and_alternatives_that_lead_to_each_other_have_an_end():
    _, connection = store()
    deep = json.loads('{"a":' * 511 + "{}" + "}" * 511)
    equal(validate(connection, {"properties": {"a": {"$ref": "#"}}}, deep), None)
    equal(validate(connection, {"anyOf": [{"required": ["b"]}, {"properties": {"a": {"$ref": "#"}}}], "maxProperties": 1}, deep), None)
    ways = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(200)} | {"d200": {"required": ["never"]}}
    equal(validate(connection, {"$ref": "#/$defs/d0", "$defs": ways}, {}), ": anyOf")
    equal(validate(connection, {"$ref": "#/$defs/d0", "$defs": ways}, {"never": 1}), None)
    both = {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}
    equal(validate(connection, both, json.loads('{"a":' * 60 + "{}" + "}" * 60)), None)


def test_what_would_take_too_long_is_too_complex():
    _, connection = store()
    parts = {"items": {"allOf": [{}] * 1990}}
    equal(validate(connection, {"properties": {"v": parts}}, {"v": [0] * 300}), None)
    equal(validate(connection, {"properties": {"v": parts}}, {"v": [0] * 600}), ": too complex")
    # What is large counts for more, and so does what looks at all of it.
    large = {"v": {f"m{i}": i for i in range(5000)}}
    for keyword, most in (({"required": ["m1"], "not": {"required": ["none"]}}, 600), ({"minProperties": 1}, 100)):
        equal(validate(connection, {"properties": {"v": {"allOf": [keyword] * most}}}, large), None)
    equal(validate(connection, {"properties": {"v": {"allOf": [{"minProperties": 1}] * 1000}}}, large), ": too complex")
    equal(validate(connection, {"allOf": [{"additionalProperties": {"additionalProperties": True}}] * 300}, large), ": too complex")


def test_the_path_of_a_schema_is_true_of_nothing_that_the_schema_does_not_take():
    _, connection = store()
    asked = """SELECT jsonb_path_match($2::text::jsonb, _evercore_schema_path($1::json), jsonb_build_object('bytes', octet_length($2::text)), true)"""
    taken = refused_ones = 0
    for one in own.questions():
        if one.expected.startswith("EV0"):
            continue
        said = connection.rows(asked, one.schema, one.document)[0][0]
        if one.expected != "ok":
            equal(said in ("f", None), True, one.name)
            refused_ones += 1
        taken += said == "t"
    equal(taken > 100 and refused_ones > 100, True, f"{taken} {refused_ones}")


def test_a_schema_that_would_be_a_long_path_has_none():
    _, connection = store()
    path = "SELECT _evercore_written_out($1::jsonb) < 131072, _evercore_schema_path($1::json) IS NOT NULL"
    recursive = {f"p{i}": {"anyOf": [{"$ref": "#"}, {"type": "null"}]} for i in range(49)}
    equal(connection.rows(path, json.dumps({"properties": recursive})), [("f", "f")])
    equal(connection.rows(path, json.dumps({"properties": {"p0": recursive["p0"]}})), [("t", "t")])
    plain = {"properties": {f"p{i}": {"$ref": "#/$defs/text"} for i in range(49)}, "$defs": {"text": {"type": "string"}}}
    equal(connection.rows(path, json.dumps(plain)), [("t", "t")])


def test_a_path_that_is_missing_or_another_is_named_and_mended():
    _, connection = store()
    odd = {"type": "object", "required": ["it's \"q\""], "properties": {"it's \"q\"": {"enum": ["\u20ac\\\n\"", 1]}, "$x.y\u0001": {"maxLength": 300}}}
    connection.rows(DECLARE, json.dumps({"schema": odd}))
    path = connection.value("SELECT schema_path FROM evercore_event_type")
    for other in (None, "1 == 1"):
        connection.rows("UPDATE evercore_event_type SET schema_path = $1::jsonpath", other)
        equal(problems(connection), ['schema of "E" is damaged'], other)
        connection.rows("SELECT evercore_migrate()")
        equal((problems(connection), connection.value("SELECT schema_path FROM evercore_event_type")), ([], path), other)
    connection.rows("SELECT evercore_append(1, NULL, 'E', $1)", json.dumps({"it's \"q\"": "\u20ac\\\n\""}))
    connection.rows(DECLARE, '{"schema":null}')
    equal(connection.value("SELECT schema_path FROM evercore_event_type"), None)
    equal(problems(connection), [])
