"""psycopg over PostgreSQL: Python's own types stand where text, integers, times and JSON are wanted."""
import datetime
import sys
import uuid

import psycopg
from psycopg.types.json import Json, Jsonb

passed = failed = 0


def check(what, right):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    if not right:
        print("failed:", what)


db = psycopg.connect(host=sys.argv[1], user="postgres", dbname="hosts", autocommit=True, options="-c search_path=evercore,public -c timezone=Europe/Berlin")


def value(sql, *values):
    row = db.execute(sql, values).fetchone()
    return row and row[0]


key, event_id = uuid.uuid4(), uuid.uuid4()
id = value("SELECT evercore_ensure('Psycopg', %s)", key)
check("a UUID is a key", value("SELECT evercore_find('Psycopg', %s)", str(key)) == id)
check("JSON objects are data", [value("SELECT evercore_append(%s, %s, 'E', %s)", id, at, data) for at, data in ((0, Json({"a": 1})), (1, Jsonb({"b": 2})))] == [1, 2])
check("bytes are data", value("SELECT evercore_append(%s, NULL, 'E', %s)", id, b'{"c":3}') == 3)
call = "SELECT evercore_append(%s, NULL, 'E', '{}', NULL, NULL, %s, %s)"
noon = datetime.datetime(2026, 7, 1, 12)
check("a UUID is an event_id", [value(call, id, noon, event_id) for _ in range(2)] == [4, 4])
check("a naive datetime is UTC", value("SELECT event_time FROM evercore_events(%s, 3, 1)", id) == noon.replace(tzinfo=datetime.timezone.utc))
insert = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, event_time, event_id) VALUES ('Psycopg', %s, 'E', %s, %s, %s)"
with db.cursor() as cursor:
    cursor.executemany(insert, [(key, Jsonb({"i": i}), noon.date(), uuid.uuid4()) for i in range(3)])
check("the INSERT form takes them all, a date as its midnight", value("SELECT event_time FROM evercore_events(%s, 6, 1)", id).isoformat()[:10] == "2026-07-01")
check("events are counted", value("SELECT evercore_sequence(%s)", id) == 7)
try:
    value("SELECT evercore_append(%s, 0, 'E', '{}')", id)
    check("a conflict has its SQLSTATE", False)
except psycopg.Error as error:
    check("a conflict has its SQLSTATE", error.sqlstate == "EV001")
try:
    with db.transaction():
        value("SELECT evercore_append(%s, NULL, 'E', '{}')", id)
        raise RuntimeError
except RuntimeError:
    check("a rollback takes it back", value("SELECT evercore_sequence(%s)", id) == 7)
print(f"{passed} passed, {failed} failed")
sys.exit(bool(failed))
