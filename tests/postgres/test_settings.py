"""Settings of a session do not reach into the functions: the same calls give the same under each of them, also where it installed."""
import os
import re

from harness import equal, install, new_database, uri
from pq import Connection, Error

SETTINGS = ["standard_conforming_strings=off", "datestyle=German", "datestyle=SQL,DMY", "timezone=Asia/Kolkata", "intervalstyle=sql_standard",
            "extra_float_digits=-15", "bytea_output=escape", "xmloption=document", "transform_null_equals=on", "array_nulls=off",
            "quote_all_identifiers=on", "plan_cache_mode=force_custom_plan", "work_mem=64kB", "backslash_quote=off", "force_parallel_mode=on"]

CALLS = [
    ("SELECT evercore_create('T','a'), evercore_event_type('P','patch')",),
    ("SELECT evercore_append(1,NULL,'E',$1)", '{"a":9223372036854775808}'),
    ("SELECT evercore_append(1,NULL,'E',$1)", '{"a":9223372036854775807,"b":"\\\\u0000","c":"x\\u003ay"}'),
    ("SELECT evercore_append(1,NULL,'E',$1)", '{"a":1,"\\u0061":2}'),
    ("SELECT evercore_append(1,NULL,'E',$1)", '{"a":"\\\\\\u0000"}'),
    ("SELECT evercore_append(1,NULL,'E',$1)", '{"a":"\\ud83d\\ude00\\ud83d"}'),
    ("SELECT evercore_append(1,NULL,'E',$1)", '{"a":"' + "\\\\[" * 600 + '","b":[1e19,0.1e-300]}'),
    ("SELECT evercore_append(1,NULL,'P',$1,'r',$2)", '{"a":null,"c":{"d":{"e":"\\"\\\\"}}}', '{"m":1}'),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,'2024-02-29T00:00:00Z')",),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,'0001-01-01 00:00:00')",),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,'2023-02-29T00:00:00Z')",),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,'2024-03-01T00:00:00.123456-05:30','id1')",),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,'2024-03-01T00:00:00.123456-05:30','id1')",),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,timestamptz '2024-07-01 12:00:00.5+00')",),
    ("INSERT INTO evercore_append (aggregate_id,event_type,data,event_time) VALUES (1,'E','{\"i\":1}',timestamptz '2024-07-01 12:00:00.5+00')",),
    ("INSERT INTO evercore_append (aggregate_id,event_type,data,event_time) VALUES (1,'E','{\"i\":1}',timestamptz '1944-01-01 12:00:00+00')",),
    ("INSERT INTO evercore_append (aggregate_id,event_type,data,event_time) SELECT 1,'E','{\"i\":2}',now() WHERE false",),
    ("INSERT INTO evercore_append (aggregate_id,event_type,data,event_time) VALUES (1,'E','{}','infinity')",),
    ("INSERT INTO evercore_append (aggregate_id,event_type,data,event_time) VALUES (1,'E','{}','yesterday')",),
    ("SELECT evercore_append_many($1)", '[{"aggregate_id":1e0,"events":[{"event_type":"E","data":{"k":"\\u00e9"},"reference":"\\\\","event_time":"2024-02-29T00:00:00+01:00"}]}]'),
    ("SELECT evercore_append_many($1)", '[{"aggregate_id":1,"events":[{"event_type":"E","data":{"k":"\\u0000"}}]}]'),
    ("SELECT evercore_append_many($1)", '[{"aggregate_id":1,"events":[{"event_type":"\\ud800","data":{}}]}]'),
    ("SELECT evercore_append(1,NULL,'E',$1::jsonb)", '{"big":12345678901234567890,"s":"\\"12345678901234567890"}'),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,$1::jsonb)", '{"m":1}'),
    ("SELECT evercore_subscribe('s',$1,'2024-07')", '{"event_types":["E","x\\\\y"]}'),
    ("SELECT evercore_claim('s','o',0.5)",),
    ("SELECT evercore_sequence(1,'2024-03')",),
    ("SELECT evercore_sequence(1,timestamptz '2024-03-02 00:00:00+00')",),
    ("SELECT state FROM evercore_history(1)",),
    ("SELECT evercore_save_snapshot(1,1,$1,1)", '{"a":"\\\\"}'),
    ("SELECT evercore_snapshot(1), evercore_compact(1,2)",),
    ("SELECT evercore_append(1,NULL,'E','{}',NULL,NULL,'2024-03-01T00:00:00.123456-05:30','id1')",),
    ("SELECT position, event_type, data, reference, metadata, to_char(event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM evercore_replay(1)",),
    ("SELECT evercore_create('N',1234567890123456768::float8), evercore_create('N',1234567890123457024::float8), evercore_create('N',0.1::float8)",),
    ("SELECT natural_key FROM evercore_aggregates WHERE aggregate_type = 'N' ORDER BY aggregate_id",),
    ("SELECT name, value FROM evercore_stats() WHERE name NOT LIKE '%recorded%'",),
    ("SELECT * FROM evercore_check()",),
]


def answers(connection):
    said = []
    for sql, *values in CALLS:
        try:
            said.append(connection.rows(sql, *values))
        except Error as error:
            said.append(f"{error.code} {error.message}")
    return said


def named(setting):
    version = int(Connection(os.environ["EVERCORE_TEST_POSTGRES"], None).value("SHOW server_version_num"))
    return setting.replace("force_parallel_mode", "debug_parallel_query") if version >= 160000 else setting


def test_settings_do_not_reach_into_functions():
    expected = answers(Connection(new_database()))
    equal([said for said in expected if isinstance(said, str) and not said.startswith("EV0")], [])
    for setting in SETTINGS:
        connection = Connection(new_database())
        name, _, value = named(setting).partition("=")
        connection.rows("SELECT set_config($1, $2, false)", name, value)
        for (sql, *_), before, after in zip(CALLS, expected, answers(connection)):
            equal(after, before, f"{setting}: {sql}")


def test_settings_do_not_reach_into_an_install():
    rights = "SELECT p.oid::regprocedure::text, array_agg(a::text ORDER BY a::text) FROM pg_proc p, unnest(p.proacl) a WHERE p.pronamespace = 'evercore'::regnamespace GROUP BY 1 ORDER BY 1"
    expected = Connection(new_database()).rows(rights)
    target = new_database(store=False)
    install(target, PGOPTIONS=" ".join("-c " + named(setting) for setting in SETTINGS if "," not in setting))
    connection = Connection(target)
    equal(connection.rows(rights), expected)
    equal(answers(connection), answers(Connection(new_database())))


def test_no_literal_depends_on_standard_conforming_strings():
    connection = Connection(new_database())
    found = []
    for name, body in connection.rows("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'evercore'::regnamespace"):
        if name != "_evercore_migrations":
            body = re.sub(r"--[^\n]*", "", body)
            found += [(name, literal) for prefix, literal in re.findall(r"(\w?)'((?:[^']|'')*)'", body) if "\\" in literal and prefix != "E"]
    equal(found, [])
