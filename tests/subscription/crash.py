"""Projections that are exactly-once: the shell's script killed at every step, and a trigger."""

import subprocess

from store import EXTENSION

TOKEN = "(SELECT token FROM evercore_subscriptions WHERE name = 'p')"
SCRIPT = [
    "BEGIN IMMEDIATE;",
    f"INSERT INTO proj SELECT position, aggregate_id, data FROM evercore_fetch('p', {TOKEN}, 4);",
    f"SELECT evercore_ack('p', {TOKEN}, (SELECT max(position) FROM proj));",
    "COMMIT;",
]


class Shell:
    """The real sqlite3 shell, fed one statement at a time."""

    def __init__(self, path):
        self.process = subprocess.Popen(["sqlite3", "-batch", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.run(f".load {EXTENSION}")

    def run(self, statement):
        self.process.stdin.write(f"{statement}\n.print done\n")
        self.process.stdin.flush()
        while (line := self.process.stdout.readline()) != "done\n":
            assert line and "rror" not in line, line

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def projected(db):
    """The projection, which must hold each event up to the cursor once."""
    positions = db.column("SELECT position FROM proj ORDER BY rowid")
    assert positions == list(range(1, db.cursor() + 1)), (positions, db.cursor())
    return positions


def test_the_script_of_the_shell_killed_at_every_step_has_each_effect_once(store):
    db = store.main
    db.append_numbered(20)
    db.subscribe()
    db.rows("CREATE TABLE proj (position INTEGER, aggregate_id INTEGER, data TEXT)")
    db.claim(lease=3600)
    for steps in range(len(SCRIPT) + 1):
        before = len(projected(db))
        shell = Shell(store.path)
        for statement in SCRIPT[:steps]:
            shell.run(statement)
        shell.kill()
        after = len(projected(db))
        assert after == (before + 4 if steps == len(SCRIPT) else before), steps
    shell = Shell(store.path)
    for _ in range(5):
        for statement in SCRIPT:
            shell.run(statement)
    shell.kill()
    assert len(projected(db)) == 20


def test_a_failure_between_effect_and_ack_leaves_neither(store):
    db = store.main
    db.append_numbered(6)
    db.subscribe()
    db.rows("CREATE TABLE proj (position INTEGER CHECK (position < 6))")
    token = db.claim()
    db.rows("BEGIN IMMEDIATE")
    assert "CHECK" in db.refused("INSERT INTO proj SELECT position FROM evercore_fetch('p', ?)", token)
    db.rows("ROLLBACK")
    assert (db.cursor(), db.column("SELECT position FROM proj")) == (0, [])
    db.rows("BEGIN IMMEDIATE")
    db.rows("INSERT INTO proj SELECT position FROM evercore_fetch('p', ?, 5)", token)
    assert db.refused("SELECT evercore_ack('p', ?, 7)", token) == "EV009: position is out of range: 7"
    assert db.ack(token, 5) == 5  # the refused call has done nothing and spoilt nothing
    db.rows("COMMIT")
    assert len(projected(db)) == 5


def test_a_projection_may_append_to_the_store_it_reads(store):
    db = store.main
    db.append_numbered(10)
    db.subscribe("p", '{"event_types":["T0"]}')
    token = db.claim()
    db.rows("BEGIN IMMEDIATE")
    db.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
            " SELECT 'Echo', natural_key, 'T0', data FROM evercore_fetch('p', ?)", token)
    db.ack(token, 10)
    db.rows("COMMIT")
    assert db.fetch(token) == list(range(11, 21))


def test_a_trigger_on_events_is_a_projection_in_the_transaction_of_the_append(store):
    db = store.main
    db.rows("CREATE TABLE total (aggregate_id INTEGER PRIMARY KEY, events INTEGER)")
    db.rows("CREATE TRIGGER total AFTER INSERT ON evercore_event BEGIN"
            " INSERT INTO total VALUES (NEW.aggregate_id, 1)"
            " ON CONFLICT (aggregate_id) DO UPDATE SET events = events + 1; END")
    db.append_numbered(50, keys=5)
    db.rows("SELECT evercore_append(1, 10, 'T0', '{}')")
    assert db.refused("SELECT evercore_append(1, 3, 'T0', '{}')")[:5] == "EV001"
    db.rows("BEGIN")
    db.append("k0")
    db.rows("ROLLBACK")
    db.rows("SELECT evercore_append_many(?)",
            '[{"aggregate_id":2,"events":[{"event_type":"T0","data":{}},{"event_type":"T0","data":{}}]}]')
    assert db.rows("SELECT aggregate_id, events FROM total") == [(1, 11), (2, 12), (3, 10), (4, 10), (5, 10)]
    assert db.rows("SELECT aggregate_id, events FROM total EXCEPT"
                   " SELECT aggregate_id, sequence FROM evercore_aggregates") == []
