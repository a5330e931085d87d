"""The guide's way from SQLite to PostgreSQL, done: its SELECTs write scripts, psql runs that of events twice, both stores say the same, and
so does a store that the sqlite3 shell made from its own dump."""

import re

DECLARE = """SELECT evercore_event_type('UserCreated', 'patch');
SELECT evercore_event_type('Moved', NULL, '{"tags":{"it''s":"/town"},"upcast":[{"rename":{"/city":"town"}}]}');"""
# What was stored before is something that they do not take.
SCHEMAS = """SELECT evercore_event_type('UserCreated', NULL, '{"schema":{"required":["it''s"]}}');
SELECT evercore_event_type('Moved', NULL, '{"schema":{"required":["town"]}}');
SELECT evercore_aggregate_type('User', '{"schema":{"properties":{"name":{"maxLength":3}}}}');
SELECT evercore_snapshot_policy('User', 50, 2);"""
EVENTS = r"""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, metadata, event_time, event_id, tags) VALUES
  ('User', 'o''neil', 'UserCreated', '{"name":"O''Neil \\ \u00e9 é 🙂"}', NULL, '{"by":"import"}', '2026-01-01T00:00:00.000001Z', NULL, NULL),
  ('User', 'ann', 'UserCreated', '{ "name" : "Ann" }', 'it''s $1, %s', NULL, '1969-12-31T23:59:59Z', 'own-id', '["given"]'),
  ('User', 'o''neil', 'Moved', '{"city":["Oslo",7,null]}', NULL, NULL, NULL, NULL, '["given","it''s:7"]'),
  ('User', 'o''neil', 'Moved', '{"city":null}', NULL, NULL, NULL, NULL, NULL);"""
# What is declared goes on being derived.
APPEND = """SELECT evercore_append(evercore_find('User', 'ann'), NULL, 'Moved', '{"city":"Rom"}', NULL, NULL, '2026-02-02');"""
SHOW = """SELECT aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, coalesce(event_id, '') = 'own-id', tags
  FROM evercore_log ORDER BY position;
SELECT event_type, fold, schema, upcast, tags, filled FROM evercore_event_types ORDER BY event_type;
SELECT aggregate_type, schema, snapshot_every, snapshot_keep, filled FROM evercore_aggregate_types;
SELECT evercore_append(evercore_find('User', 'o''neil'), NULL, 'Moved', '{"city":1}');
SELECT t.tag, q.data FROM (SELECT 'given' AS tag UNION SELECT 'it''s:7' UNION SELECT 'it''s:Rom') t, evercore_query('[{"tags":["' || t.tag || '"]}]') q ORDER BY t.tag, q.position;
SELECT * FROM evercore_check();"""
# Of the shell of SQLite.
DUMP = """.output dump.sql
.dump
.output
.open dumped.db
.read dump.sql
.load build/evercore"""


def differences(guide, sqlite, postgres):
    """Lines that only one store has, as pairs; none where all was carried over."""
    starts = "INSERT INTO evercore_append", "SELECT evercore_event_type", "SELECT evercore_aggregate_type"
    events, types, schemas = (re.search(rf"^(SELECT printf\('{start}.*?;)\n```", guide, re.S | re.M)[1] for start in starts)
    events = events.replace(" WHERE aggregate_id = 1", "").replace(" LIMIT 1", "")
    made = Lines(DECLARE + EVENTS + SCHEMAS)
    _, script, declarations, later, _, shown = sqlite.run([made, Lines(events), Lines(types), Lines(schemas), Lines(APPEND), Lines(SHOW)])
    script = ["BEGIN;", *script, "COMMIT;"]
    declarations, script, later = (Lines("\n".join(lines)) for lines in (declarations, script, later))
    _, first, second, _, _, moved = postgres.run([declarations, script, script, later, Lines(APPEND), Lines(SHOW)])
    _, _, _, dumped = sqlite.run([made, Lines(DUMP), Lines(APPEND), Lines(SHOW)])
    return [(line, "psql") for line in first + second] + different(shown, moved, postgres) + different(shown, dumped, sqlite)


def different(lines, others, shell):
    return [pair for pair in zip(lines + [""] * len(others), others + [""] * len(lines)) if not shell.same([pair[0]], [pair[1]])]


class Lines:
    def __init__(self, text):
        self.sql = text.splitlines()
