"""Every call that writes, by many clients at once. Single calls never deadlock; transactions here keep to the order of all locks, so
they do not either. At the end the store is whole, and every state is the fold of all that was written."""
import json
import os
import random

from harness import equal, new_database, together
from oracle import RECORD, faults
from pq import Connection, Error

WORKERS = 8
CALLS = int(os.environ.get("EVERCORE_STORM_CALLS", "250"))
KINDS = ("E", "F", "G")


class Worker:
    """One client."""

    def __init__(self, database, number, tagging=False):
        self.tagging = tagging
        self.dice = random.Random(number)
        self.number = number
        self.connection = Connection(database)
        self.ids = 0
        self.refusals = {}

    def key(self):
        return f"k{self.dice.randrange(8)}"

    def aggregate(self):
        return self.dice.randint(1, 10)

    def data(self):
        value = self.dice.choice([1, None, "text", {"a": self.dice.randrange(9)}, {"b": None}, {"c": {"d": 1}}])
        return json.dumps({self.dice.choice("xyz"): value, "n": self.dice.randrange(100)})

    def event(self):
        event = {"event_type": self.dice.choice(KINDS), "data": json.loads(self.data())}
        if self.dice.random() < 0.3:
            self.ids += 1
            event["event_id"] = f"{self.number} {self.ids}" if self.dice.random() < 0.8 else f"shared {self.dice.randrange(40)}"
        if self.tagging and self.dice.random() < 0.4:
            event["tags"] = [self.tag() for _ in range(self.dice.randint(1, 3))]
        return event

    def tag(self):
        return f"t{self.dice.randrange(6)}"

    def item(self):
        item = {}
        if self.dice.random() < 0.7:
            item["tags"] = [self.tag() for _ in range(self.dice.randint(1, 2))]
        if not item or self.dice.random() < 0.3:
            item["types"] = self.dice.sample(KINDS, 2)
        return item

    def place(self):
        return {"aggregate_id": self.aggregate()} if self.dice.random() < 0.5 else {"aggregate_type": "T", "natural_key": self.key()}

    # Each of these makes one single call.

    def append(self):
        event = self.event()
        self.connection.rows("SELECT evercore_append($1, NULL, $2, $3, NULL, NULL, NULL, $4, $5)", self.aggregate(), event["event_type"],
                             json.dumps(event["data"]), event.get("event_id"), json.dumps(event["tags"]) if "tags" in event else None)

    def append_many(self):
        appends = [{**self.place(), "events": [self.event() for _ in range(self.dice.randint(1, 3))]} for _ in range(self.dice.randint(1, 5))]
        condition, after = None, None
        if self.tagging and self.dice.random() < 0.5:
            condition = json.dumps([self.item() for _ in range(self.dice.choice([0, 1, 1, 2, 3]))])
            after = self.connection.value("SELECT coalesce(max(position), 0) FROM evercore_query($1)", condition)
        self.connection.rows("SELECT evercore_append_many($1, $2, $3)", json.dumps(appends), condition, after)

    def index_types(self):
        self.connection.rows("SELECT evercore_index_types($1)", self.dice.choice([0, 1, 1]))

    def insert(self):
        rows = []
        for _ in range(self.dice.randint(1, 6)):
            row = {**self.place(), **self.event()}
            rows.append({**row, "data": json.dumps(row["data"])})
        self.connection.rows(
            "INSERT INTO evercore_append (aggregate_type, natural_key, aggregate_id, event_type, data, event_id, tags)"
            " SELECT r.aggregate_type, r.natural_key, r.aggregate_id, r.event_type, r.data, r.event_id, r.tags FROM json_to_recordset($1)"
            " AS r (aggregate_type text, natural_key text, aggregate_id bigint, event_type text, data text, event_id text, tags text)", json.dumps(rows))

    def create(self):
        self.connection.rows("SELECT evercore_create($1, $2)", self.dice.choice(["T", "U", f"V{self.dice.randrange(50)}"]), self.key())

    def ensure(self):
        self.connection.rows("SELECT evercore_ensure($1, $2)", self.dice.choice(["T", "U", f"V{self.dice.randrange(50)}"]), self.key())

    def rekey(self):
        self.connection.rows("SELECT evercore_rekey($1, $2)", self.aggregate(), self.key())

    def event_type(self):
        self.connection.rows("SELECT evercore_event_type($1, $2)", self.dice.choice(KINDS), self.dice.choice(["merge", "patch", "custom"]))

    def snapshot(self):
        self.connection.rows("SELECT evercore_snapshot($1)", self.aggregate())

    def snapshot_policy(self):
        self.connection.rows("SELECT evercore_snapshot_policy($1, $2, $3)", self.dice.choice(["T", "U", f"V{self.dice.randrange(50)}"]),
                             self.dice.choice([0, 2, 5]), self.dice.randint(1, 2))

    def save_snapshot(self):
        self.connection.rows("SELECT evercore_save_snapshot($1, evercore_sequence($1), '{}', $2)", self.aggregate(), self.dice.randint(1, 2))

    def compact(self):
        self.connection.rows("SELECT evercore_compact($1, $2)", self.aggregate(), self.dice.choice([0, 3, 20, None]))

    def compact_type(self):
        self.connection.rows("SELECT evercore_compact_type('T', $1, $2)", self.dice.choice([2, 10, None]), self.dice.choice([1, 5, None]))

    def erase(self):
        self.connection.rows("SELECT evercore_erase($1)", self.dice.randint(8, 10))

    def subscribe(self):
        self.connection.rows("SELECT evercore_subscribe($1, $2, $3)", f"s{self.dice.randrange(3)}",
                             self.dice.choice([None, '{"aggregate_type":"U"}', '{"event_types":["G"]}']), self.dice.choice(["end", "beginning"]))

    def work(self):
        name = f"s{self.dice.randrange(3)}"
        token = self.connection.value("SELECT evercore_claim($1, $2, 0.01)", name, f"worker {self.number}")
        if token is None:
            return
        rows = self.connection.rows("SELECT position FROM evercore_fetch($1, $2, 50)", name, token)
        self.connection.rows("SELECT evercore_ack($1, $2, $3)", name, token, rows[-1][0] if rows else None)
        self.connection.rows("SELECT evercore_renew($1, $2, 0.01)", name, token)
        self.connection.rows("SELECT evercore_release($1, $2, 'done')", name, token)

    def manage(self):
        call = self.dice.choice(["evercore_pause($1)", "evercore_resume($1)", "evercore_resume($1)", "evercore_reset($1, 'end')",
                                 "evercore_unsubscribe($1)"])
        self.connection.rows(f"SELECT {call}", f"s{self.dice.randrange(3)}")

    def publish(self):
        self.connection.rows("SELECT evercore._evercore_publish_floor()")

    SINGLE = (append,) * 10 + (append_many,) * 4 + (insert,) * 4 + (create, ensure, rekey, rekey, rekey) + (snapshot, compact, compact_type) * 2 + (
        event_type, event_type, snapshot_policy, save_snapshot, subscribe, work, work, manage, publish)

    def transaction(self):
        """A declaration or none, then aggregates from the lowest id on."""
        self.connection.rows("BEGIN")
        try:
            if self.dice.random() < 0.2:
                self.event_type()
            for aggregate in sorted(self.dice.sample(range(1, 11), 2)):
                self.connection.rows("SELECT evercore_append($1, NULL, $2, $3)", aggregate, self.dice.choice(KINDS), self.data())
                if self.dice.random() < 0.2:
                    self.connection.rows("SELECT evercore_snapshot($1)", aggregate)
            self.connection.rows("ROLLBACK" if self.dice.random() < 0.2 else "COMMIT")
        except Error:
            self.connection.rows("ROLLBACK")
            raise

    def run(self):
        for turn in range(CALLS):
            call = self.dice.choice(self.SINGLE) if self.dice.random() < 0.9 else Worker.index_types if self.tagging else Worker.transaction
            if turn == CALLS * 9 // 10:
                call = Worker.erase
            try:
                call(self)
            except Error as error:
                if not error.code.startswith("EV") and "try again" not in error.message:
                    raise AssertionError(f"{call.__name__}: {error}") from error
                self.refusals[error.code] = self.refusals.get(error.code, 0) + 1
        self.connection.close()


def test_every_call_at_once():
    storm(tagging=False)


def test_every_single_call_at_once_with_tags_and_conditions():
    """Without transactions of several calls: their keys are not in the order of all locks."""
    storm(tagging=True)


def storm(tagging):
    database = new_database()
    admin = Connection(database)
    admin.rows(RECORD)
    admin.rows("SELECT evercore_create('T', 'k' || i) FROM generate_series(1, 6) i; SELECT evercore_create('U') FROM generate_series(7, 10)")
    workers = [Worker(database, number, tagging) for number in range(WORKERS)]
    together(*[worker.run for worker in workers])
    equal(list(faults(admin)), [])
    refused = sum(sum(worker.refusals.values()) for worker in workers)
    assert refused < WORKERS * CALLS // 2, [worker.refusals for worker in workers]
    equal(admin.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), "0")
    equal(admin.rows("SELECT position, aggregate_id, sequence FROM evercore_follow(0)"),
          admin.rows("SELECT position, aggregate_id, sequence FROM evercore_log ORDER BY position"))
