"""What callers may give for an argument: times, texts, keys and documents of every type, and names in place of places."""
import datetime
import itertools
import json
import re

from harness import ROOT, equal, new_database, refused
from pq import Connection


def test_json_jsonb_and_timestamps_need_no_cast_and_literals_are_not_ambiguous():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a')")
    at = 0
    for data in ("'{\"a\":1}'", "json_build_object('a', 1)", "jsonb_build_object('a', 1)", "'{}'::text", "'{}'::varchar"):
        for metadata in ("NULL", "'{}'", "'{}'::json", "'{}'::jsonb"):
            for time in ("NULL", "'2026-01-01T00:00:00Z'", "now()", "'2026-01-01 00:00:00+02:00'::text"):
                for rest in ([], ["NULL"], [f"'id {at}'"]):
                    arguments = ", ".join(["1", "NULL", "'E'", data, "NULL", metadata, time] + rest)
                    at += 1
                    equal(connection.value(f"SELECT evercore_append({arguments})"), str(at), arguments)
    for arguments in ("1, NULL, 'E', '{}'", "1, NULL, 'E', '{}', 'r'", "1, NULL, 'E', '{}', 'r', '{}'", "1, NULL, 'E', '{}'::jsonb, 'r'"):
        at += 1
        equal(connection.value(f"SELECT evercore_append({arguments})"), str(at))
    for wrong in ("1, NULL, 'E', 5", "1, NULL, 'E'", "'x'::text, NULL, 'E', '{}'", "1, NULL, 'E', '{}', true"):
        refused(lambda wrong=wrong: connection.value(f"SELECT evercore_append({wrong})"), "42883")
    refused(lambda: connection.value("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, 'infinity'::timestamptz)"), "EV009",
            'EV009: event_time is not a time: "infinity"')
    for form in ("'[]'", "'[]'::json", "'[]'::jsonb"):
        equal(connection.value(f"SELECT evercore_append_many({form})"), "[]")
    connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data, metadata, event_time) VALUES (1, 'E', json_build_object('a', 1), '{}'::jsonb, now())")


def test_times():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a'); SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'SQL, DMY'")
    right = {"2026-11-21T22:10:41.123456Z": "2026-11-21T22:10:41.123456Z", "2026-11-21 22:10:41": "2026-11-21T22:10:41.000000Z",
             "2026-11-21T22:10:41.1+05:30": "2026-11-21T16:40:41.100000Z", "2024-02-29T00:00:00-15:59": "2024-02-29T15:59:00.000000Z",
             "2026-11-21": "2026-11-21T00:00:00.000000Z", "2026-11-21t22:10:41.123456789z": "2026-11-21T22:10:41.123456Z",
             "2026-11-21T22:10+05": "2026-11-21T17:10:00.000000Z", "2026-11-21 22:10:41-0530": "2026-11-22T03:40:41.000000Z",
             "1960-02-02 23:15:30-00:44:30": "1960-02-03T00:00:00.000000Z",
             "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999999Z"}
    for given, expected in right.items():
        equal(connection.value("SELECT _evercore_time_text(_evercore_time($1, 'event_time'))", given), expected)
    for wrong in ("now", "infinity", "-infinity", "yesterday", "", "2026-11", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-31T00:00:00",
                  "2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z", "2026-11-21T23:59:60Z", "2026-11-21T22:10:41.1234567891Z", "2026-11-21T22:10:41.Z",
                  "2026-11-21T22:10:41+16:00", "2026-11-21T22:10:41+5", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01",
                  "10000-01-01T00:00:00Z", " 2026-11-21T22:10:41Z", "2026-11-21T22:10:41Z\n", "2026-00-10T00:00:00Z"):
        refused(lambda wrong=wrong: connection.value("SELECT evercore_append(1, NULL, 'E', '{}', NULL, NULL, $1)", wrong), "EV009",
                f'EV009: event_time is not a time: "{wrong}"')


def moments():
    """Times at the ends of months and years, each with the time in UTC that it is, or None where it is none."""
    for year, month, day, offset in itertools.product((1, 999, 1000, 1900, 2023, 2024, 8999, 9000, 9999), range(1, 13), (1, 28, 29, 30, 31),
                                                      ("", "Z", "+15:59", "-00:30")):
        text = f"{year:04}-{month:02}-{day:02}T23:59:58.120300{offset}"
        try:
            moment = datetime.datetime(year, month, day, 23, 59, 58, 120300)
            if len(offset) > 1:
                moment -= datetime.timedelta(minutes=(int(offset[1:3]) * 60 + int(offset[4:])) * (1 if offset[0] == "+" else -1))
            yield text, f"{moment.year:04}-{moment:%m-%dT%H:%M:%S.%f}Z"
        except (ValueError, OverflowError):
            yield text, None


def test_times_are_read_by_the_calendar_whatever_the_session_says():
    connection = Connection(new_database())
    connection.rows("SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Kolkata'")
    fine = []
    for text, means in moments():
        if means is None:
            refused(lambda text=text: connection.rows("SELECT _evercore_time($1, 'at')", text), "EV009", f'EV009: at is not a time: "{text}"')
        else:
            equal(connection.value("SELECT _evercore_time_text(_evercore_time($1, 'at'))", text), means, text)
            fine.append((text, means))
    assert len(fine) > 1500, len(fine)
    events = [{"event_type": "E", "data": {}, "event_time": text} for text, _ in fine]
    connection.rows("SELECT evercore_append_many($1)", json.dumps([{"aggregate_type": "T", "natural_key": "a", "events": events}]))
    equal([row[0] for row in connection.rows("SELECT _evercore_time_text(event_time) FROM evercore_log ORDER BY position")], [means for _, means in fine])


def test_times_of_every_type_are_utc_whatever_the_session_says():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a')")
    given = {"timestamptz '2026-07-01T12:00:00.25Z'": "2026-07-01T12:00:00.250000Z", "timestamp '2026-07-01 12:00:00.25'": "2026-07-01T12:00:00.250000Z",
             "date '2026-07-02'": "2026-07-02T00:00:00.000000Z", "timestamptz '1960-02-03T00:00:00Z'": "1960-02-03T00:00:00.000000Z",
             "timestamptz '2026-10-25T00:30:00Z'": "2026-10-25T00:30:00.000000Z", "timestamptz '2026-10-25T01:30:00Z'": "2026-10-25T01:30:00.000000Z",
             "timestamp '0044-07-03 12:00:00'": "0044-07-03T12:00:00.000000Z", "timestamptz '0033-02-03T00:00:00Z'": "0033-02-03T00:00:00.000000Z"}
    for style in ("ISO, MDY", "SQL, DMY", "SQL, MDY", "SQL, YMD", "German", "German, YMD", "Postgres, DMY", "Postgres, MDY", "Postgres, YMD"):
        for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Africa/Monrovia", "America/St_Johns"):
            connection.rows("SELECT set_config('DateStyle', $1, false), set_config('TimeZone', $2, false)", style, zone)
            for time, means in given.items():
                connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES (1, 'E', '{{}}', {time})")
                connection.rows(f"SELECT evercore_append(1, NULL, 'E', '{{}}', NULL, NULL, {time})")
                equal(connection.rows("SELECT _evercore_time_text(event_time) FROM evercore_log ORDER BY position DESC LIMIT 2"), [(means,), (means,)],
                      f"{time} under {style} and {zone}")
                equal(connection.value(f"SELECT _evercore_time_text(evercore_time({time}))"), means)
    connection.rows("SELECT set_config('DateStyle', 'German', false)")
    for wrong in ("'infinity'::timestamptz", "'yesterday'", "'31.02.2026'"):
        refused(lambda wrong=wrong: connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data, event_time) VALUES (1, 'E', '{{}}', {wrong})"),
                "EV009", "EV009: event_time is not a time: ")


def test_subscriptions_start_at_times_of_every_type():
    connection = Connection(new_database())
    connection.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time) SELECT 'T', 'a', 'E', '{}', (date '2026-07-01' + i)::text FROM generate_series(0, 4) i")
    for number, start in enumerate(("date '2026-07-03'", "timestamp '2026-07-03'", "timestamptz '2026-07-03T00:00:00Z'", "'2026-07-03'")):
        connection.rows(f"SELECT evercore_subscribe('s{number}', NULL, {start}); SELECT evercore_subscribe('r{number}', NULL, 'end'); SELECT evercore_reset('r{number}', {start})")
    equal(connection.rows("SELECT DISTINCT lag_events FROM evercore_subscriptions"), [("3",)])


def test_keys_ids_and_documents_of_other_types():
    connection = Connection(new_database())
    uuid = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
    for key, means in (("42", "42"), ("43::bigint", "43"), ("44::smallint", "44"), ("123.0", "123"), ("45::double precision", "45"), (f"'{uuid}'::uuid", uuid),
                       ("1e15::double precision", "1000000000000000"), ("'v'::varchar", "v"), ("'n'::name", "n")):
        connection.rows(f"SELECT evercore_ensure('T', {key})")
        equal(connection.value(f"SELECT evercore_find('T', {key}) = evercore_find('T', $1)", means), "t", key)
    refused(lambda: connection.rows("SELECT evercore_ensure('T', true)"), "42883")
    for arguments in ("'{\"b\":1}'::bytea", f"'{{}}'::json, 'r', '{{}}'::json, timestamp '2026-07-01', '{uuid}'::uuid", "'{}'::bytea, NULL, '{\"c\":2}'::bytea, date '2026-07-01', 99",
                      f"'{{}}', '{uuid}'::uuid", "'{}'::jsonb, 7"):
        connection.rows(f"SELECT evercore_append(1, NULL, 'E', {arguments})")
    equal(connection.rows("SELECT data, reference, metadata, event_id FROM evercore_log ORDER BY position"),
          [('{"b":1}', None, None, None), ("{}", "r", "{}", uuid), ("{}", None, '{"c":2}', "99"), ("{}", uuid, None, None), ("{}", "7", None, None)])
    named = f"SELECT evercore_append(1, NULL, 'E', '{{}}', reference => 'r', metadata => '{{}}', event_time => '2026-07-01', event_id => '{uuid}'::uuid)"
    equal(connection.value(named), "2", "a repeat")
    refused(lambda: connection.rows(f"SELECT evercore_append(1, NULL, 'E', '{{}}', event_id => '{uuid}'::uuid)"), "42883")
    connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data, metadata) VALUES (1, 'E', $1::bytea, $2::bytea)",
                    "\\x" + '{"s":"a\\\\ä"}'.encode().hex(), "\\x7b7d")
    equal(connection.rows("SELECT data, metadata FROM evercore_events(1, 5)"), [('{"s":"a\\\\ä"}', "{}")])
    for filter in ("'{\"event_types\":[\"E\"]}'::bytea", "json_build_object('event_types', ARRAY['E'])", "'{\"event_types\":[\"E\"]}'::jsonb",
                   "'{\"event_types\":[\"E\"]}'", "NULL"):
        equal(connection.value(f"SELECT count(*) FROM evercore_follow(0, NULL, {filter}, 4)"), "4", filter)
    refused(lambda: connection.rows("SELECT * FROM evercore_follow(0, NULL, 5, 4)"), "42883")
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', decode(repeat('ff', 16777217), 'hex'))"), "EV004", "EV004: data: too large")
    for document, message in (("'\\xff'", "EV004: data: not UTF-8"), ("'\\x7b007d'", "EV004: data: not JSON"), ("'\\x5b5d'", "EV004: data: not an object")):
        refused(lambda document=document: connection.rows(f"SELECT evercore_append(1, NULL, 'E', {document}::bytea)"), "EV004", message)
        refused(lambda document=document: connection.rows(f"INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', {document}::bytea)"), "EV004", message)


def test_texts_of_any_collation_are_taken():
    connection = Connection(new_database())
    connection.rows("CREATE COLLATION public.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    texts = {"type": "T", "key": "a", "other": "b", "event": "E", "data": '{"x":"\\\\u003a"}', "reference": "r", "time": "2026-07-01", "id": "i", "fold": "merge",
             "many": '[{"aggregate_id":1,"events":[{"event_type":"E","data":{},"event_id":"j"}]}]', "plain": '[{"aggregate_id":1,"events":[{"event_type":"E","data":{}}]}]',
             "name": "s", "filter": '{"aggregate_type":"T","event_types":["E"]}', "start": "beginning", "owner": "w", "kind": "event"}
    calls = ("evercore_create(type, key)", "evercore_ensure(type, key)", "evercore_find(type, key)", "evercore_rekey(1, other)", "evercore_rekey(1, key)",
             "evercore_append(1, NULL, event, data)", "evercore_append(1, NULL, event, data, reference, data, time, id)",
             "evercore_append(1, NULL, event, data, reference, data, time, id)", "evercore_append_many(many)", "evercore_append_many(many)",
             "evercore_append_many(plain)", "evercore_sequence(1, time)", "evercore_time(time)", "evercore_event_type(event, fold)", "evercore_event_type(event, fold)",
             "evercore_snapshot(1)", "evercore_event_type(event, 'patch')", "evercore_event_type(reference, fold)", "evercore_event_type(reference, 'patch')",
             "evercore_snapshot_policy(type, 0, 1)", "evercore_save_snapshot(1, 1, data, 7)", "evercore_subscribe(name, filter, start)",
             "evercore_subscribe(name, filter)", "evercore_reset(name, start)", "evercore_reset(name, time)", "evercore_pause(name)", "evercore_resume(name)",
             "evercore_claim(name, owner, 30)", "evercore_unsubscribe(name)", "evercore_compact_type(type, 1)", "evercore_event_type(reference, fold)",
             "evercore_rename_type(kind, event, other)")
    for number, collations in enumerate((['"de-x-icu"'], ["public.blind"], ['"de-x-icu"', "public.blind", '"C"', '"en-x-icu"'])):
        columns = [f"{name} text COLLATE {collations[i % len(collations)]}" for i, name in enumerate(texts)]
        connection.rows(f"CREATE TABLE public.given_{number} ({', '.join(columns)})")
        connection.rows(f"INSERT INTO public.given_{number} VALUES ({', '.join(f'${i + 1}' for i in range(len(texts)))})", *texts.values())
        connection.rows("BEGIN; SELECT setval('evercore_aggregate_aggregate_id_seq', 1, false)")
        for call in calls:
            connection.rows(f"SELECT {call} FROM public.given_{number}")
        connection.rows("ROLLBACK")


def test_null_of_any_type_is_null():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T')")
    for kind in ("text", "int", "char(3)", "timestamptz", "date", "time", "uuid", "json"):
        equal(connection.value(f"SELECT evercore_time(NULL::{kind})"), None, kind)
        equal(connection.value(f"SELECT evercore_sequence(1, NULL::{kind})"), "0", kind)


def test_every_call_of_the_reference_can_be_named():
    connection = Connection(new_database())
    calls = 0
    for line in (ROOT / "docs/reference.md").read_text().splitlines():
        heading = re.match(r"### `(evercore_\w+)\((.*)\)`$", line)
        if not heading:
            continue
        name, (needed, *optional) = heading[1], [[word for word in re.split(r"[], ]+", piece) if word] for piece in heading[2].split("[")]
        optional = [word for piece in optional for word in piece]
        for amount in range(len(optional) + 1):
            for chosen in itertools.combinations(optional, amount):
                if name in ("evercore_follow", "evercore_events") and set(chosen) & {"filter", "upto"} and not {"after", "limit", *optional[2:3]} <= set(chosen):
                    continue  # forms of their own, for the sake of views upon the others: see the reference
                for positional in (0, len(needed)):
                    arguments = ["NULL"] * positional + [f'"{word}" => NULL' for word in needed[positional:] + list(chosen)]
                    connection.rows(f"PREPARE one AS SELECT * FROM {name}({', '.join(arguments)}); DEALLOCATE one")
                    calls += 1
    equal(calls > 100, True, f"{calls} calls")
