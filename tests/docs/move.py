"""The guide's way from SQLite to PostgreSQL, done: its SELECT writes a script, psql runs it twice, both stores say the same."""

import re

EVENTS = r"""INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, reference, metadata, event_time, event_id) VALUES
  ('User', 'o''neil', 'UserCreated', '{"name":"O''Neil \\ \u00e9 é 🙂"}', NULL, '{"by":"import"}', '2026-01-01T00:00:00.000001Z', NULL),
  ('User', 'ann', 'UserCreated', '{ "name" : "Ann" }', 'it''s $1, %s', NULL, '1969-12-31T23:59:59Z', 'own-id'),
  ('User', 'o''neil', 'Moved', '{"city":null}', NULL, NULL, NULL, NULL);"""
SHOW = """SELECT aggregate_type, natural_key, sequence, event_type, data, reference, metadata, event_time, coalesce(event_id, '') = 'own-id'
  FROM evercore_log ORDER BY position;"""


def differences(guide, sqlite, postgres):
    """Lines that only one store has, as pairs; none where all was carried over."""
    select = re.search(r"^(SELECT printf\('INSERT INTO evercore_append.*?;)\n```", guide, re.S | re.M)[1]
    select = select.replace(" WHERE aggregate_id = 1", "").replace(" LIMIT 1", "")
    _, script, shown = sqlite.run([Lines(EVENTS), Lines(select), Lines(SHOW)])
    script = ["BEGIN;", *script, "COMMIT;"]
    first, second, arrived = postgres.run([Lines("\n".join(script))] * 2 + [Lines(SHOW)])
    return [(line, "psql") for line in first + second] + [
        pair for pair in zip(shown + [""] * len(arrived), arrived + [""] * len(shown)) if not postgres.same([pair[0]], [pair[1]])]


class Lines:
    def __init__(self, text):
        self.sql = text.splitlines()
