"""The guide's way from SQLite to PostgreSQL, done: its SELECTs write scripts, psql runs that of events twice, both stores say the same, and
so does a store that the sqlite3 shell made from its own dump."""

import re

DECLARE = """SELECT evercore_event_type('UserCreated', 'patch');
SELECT evercore_event_type('Moved', NULL, '{"tags":{"it''s":"/town"},"upcast":[{"rename":{"/city":"town"}}],"schema":{"required":["town"]}}');"""
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
    events, types = (re.search(rf"^(SELECT printf\('{start}.*?;)\n```", guide, re.S | re.M)[1] for start in ("INSERT INTO evercore_append", "SELECT evercore_event_type"))
    events = events.replace(" WHERE aggregate_id = 1", "").replace(" LIMIT 1", "")
    _, script, declarations, _, shown = sqlite.run([Lines(DECLARE + EVENTS), Lines(events), Lines(types), Lines(APPEND), Lines(SHOW)])
    script = "\n".join(["BEGIN;", *script, "COMMIT;"])
    _, first, second, _, moved = postgres.run([Lines("\n".join(declarations)), Lines(script), Lines(script), Lines(APPEND), Lines(SHOW)])
    _, _, _, dumped = sqlite.run([Lines(DECLARE + EVENTS), Lines(DUMP), Lines(APPEND), Lines(SHOW)])
    return [(line, "psql") for line in first + second] + different(shown, moved, postgres) + different(shown, dumped, sqlite)


def different(lines, others, shell):
    return [pair for pair in zip(lines + [""] * len(others), others + [""] * len(lines)) if not shell.same([pair[0]], [pair[1]])]


class Lines:
    def __init__(self, text):
        self.sql = text.splitlines()
