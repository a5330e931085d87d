#!/usr/bin/python3
"""evercore beside a table by hand, both from Python as most people would write it: sqlite3 with synchronous=FULL, or psycopg2. The
questions are those of questions.mjs; the report has the shape of the other benchmarks (bench/harness.h): bench/plot draws it.

usage: bench/peers/python.py sqlite|postgres [ROUNDS]     (default 7; for postgres EVERCORE_TEST_POSTGRES names a server with a store)
"""
import json
import os
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid

STREAMS = 1000
LONG = 1000  # events of a stream that is read and folded


def event(number):
    """An event of about 120 bytes of data, as an application has them, with the id that makes it idempotent."""
    data = {"username": f"user-{number}", "email": f"user{number}@example.org", "is_active": True, "logins": number, "city": "Springfield"}
    return str(uuid.uuid4()), "UserChanged", data


def batch(stream, events, version):
    items = [{"event_id": id, "event_type": type, "data": data} for id, type, data in events]
    return json.dumps([{"aggregate_type": "User", "natural_key": stream, "expected": version, "events": items}])


def fold(documents):
    state = {}
    for document in documents:
        state.update(document)
    return state


class InSqlite:
    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")

    def all(self, sql, values=()):
        return self.db.execute(sql, values).fetchall()

    def each(self, sql, rows):
        if len(rows) == 1:
            return self.all(sql, rows[0])
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(sql, rows)
        return self.db.execute("COMMIT")


class InPostgres:
    """Placeholders are psycopg2's; a dict or list as data goes in as text, and comes back parsed."""

    def __init__(self, schema):
        import psycopg2
        self.db = psycopg2.connect(os.environ["EVERCORE_TEST_POSTGRES"])
        self.cursor = self.db.cursor()
        self.cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}, public")
        self.db.commit()
        self.db.autocommit = True

    def all(self, sql, values=()):
        self.cursor.execute(sql.replace("?", "%s"), values)
        return self.cursor.fetchall() if self.cursor.description else None

    def each(self, sql, rows):
        if len(rows) == 1:
            return self.all(sql, rows[0])
        self.cursor.execute("BEGIN")
        self.cursor.executemany(sql.replace("?", "%s"), rows)
        return self.cursor.execute("COMMIT")


def parsed(document):
    return json.loads(document) if isinstance(document, str) else document


def by_hand(base, table):
    class ByHand(base):
        name = "by hand"

        def open(self):
            self.all(table)
            return self

        def append(self, stream, events, version):
            rows = [(stream, version + i, id, type, json.dumps(data)) for i, (id, type, data) in enumerate(events, 1)]
            self.each("INSERT INTO event (stream, version, id, type, data) VALUES (?, ?, ?, ?, ?)", rows)

        def events(self, stream):
            rows = self.all("SELECT version, id, type, data, time FROM event WHERE stream = ? ORDER BY version", (stream,))
            return [parsed(row[3]) for row in rows]

        def state(self, stream):
            return fold(self.events(stream))

    return ByHand


def evercore(base):
    class Evercore(base):
        name = "evercore"

        def open(self):
            if base is InSqlite:
                self.db.enable_load_extension(True)
                self.db.load_extension(os.path.abspath("build/evercore"))
                self.all("SELECT evercore_migrate()")
            return self

        def append(self, stream, events, version):
            if len(events) > 1:
                return self.all("SELECT evercore_append_many(?)", (batch(stream, events, version),))
            (id, type, data), = events
            values = (stream, version, type, json.dumps(data), id)
            if base is InPostgres:
                return self.all("SELECT evercore_append(evercore_ensure('User', ?), ?, ?, ?, NULL, NULL, NULL, ?)", values)
            return self.all("INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data, event_id)"
                            " VALUES ('User', ?, ?, ?, ?, ?)", values)

        def events(self, stream):
            rows = self.all("SELECT sequence, event_id, event_type, data, event_time FROM evercore_events(evercore_find('User', ?))", (stream,))
            return [parsed(row[3]) for row in rows]

        def state(self, stream):
            return parsed(self.all("SELECT evercore_state(evercore_find('User', ?))", (stream,))[0][0])

    return Evercore


TABLES = {
    "sqlite": "CREATE TABLE event (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, version INTEGER NOT NULL,"
              " id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, data TEXT NOT NULL,"
              " time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), UNIQUE (stream, version))",
    "postgres": "CREATE TABLE event (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL,"
                " id uuid NOT NULL UNIQUE, type text NOT NULL, data jsonb NOT NULL, time timestamptz NOT NULL DEFAULT now(),"
                " UNIQUE (stream, version))",
}


class Load:
    """The load of others since this was asked last, in processors: what neither this process nor a PostgreSQL server kept busy."""

    def __init__(self):
        self.before = self.now()

    @staticmethod
    def now():
        ticks = os.sysconf("SC_CLK_TCK")
        with open("/proc/stat", encoding="ascii") as file:
            busy = sum(map(int, file.readline().split()[1:4])) / ticks
        own = resource.getrusage(resource.RUSAGE_SELF)
        ours = own.ru_utime + own.ru_stime
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                    name, _, rest = file.read().rpartition(")")
            except OSError:
                continue
            if name.endswith("(postgres"):
                ours += sum(map(int, rest.split()[11:13])) / ticks
        return time.monotonic(), busy, ours

    def since_last(self):
        then, self.before = self.before, self.now()
        clock, busy, ours = (now - before for now, before in zip(self.before, then))
        return max(0.0, (busy - ours) / max(0.01, clock))


class Report:
    def __init__(self, title, keepers, rounds):
        self.title, self.keepers, self.rounds = title, keepers, rounds
        self.questions, self.load = [], Load()
        self.versions = {keeper: {} for keeper in keepers}
        print(f"{title:<40} {'by hand/s':>12} {'evercore/s':>12} {'ratio':>6} {'lowest':>6} {'highest':>7} {'others':>6}")

    def append(self, keeper, stream, events):
        version = self.versions[keeper].get(stream, 0)
        keeper.append(stream, events, version)
        self.versions[keeper][stream] = version + len(events)

    def measure(self, name, units, work):
        rates = {keeper: [] for keeper in self.keepers}
        for turn in range(self.rounds + 1):
            for keeper in self.keepers:
                started = time.perf_counter()
                work(keeper, turn)
                if turn > 0:
                    rates[keeper].append(units / (time.perf_counter() - started))
        theirs, ours = rates.values()
        ratios = [mine / other for mine, other in zip(ours, theirs)]
        row = {"name": name, "ratio": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios),
               "baseline_per_second": statistics.median(theirs), "evercore_per_second": statistics.median(ours),
               "foreign_load": self.load.since_last()}
        self.questions.append(row)
        print(f"{name:<40} {row['baseline_per_second']:>12.0f} {row['evercore_per_second']:>12.0f} {row['ratio']:>6.2f}"
              f" {row['lowest']:>6.2f} {row['highest']:>7.2f} {row['foreign_load']:>6.2f}", flush=True)

    def finish(self):
        os.makedirs("bench/out", exist_ok=True)
        with open(f"bench/out/{self.title}.json", "w", encoding="utf-8") as out:
            json.dump({"title": self.title, "questions": self.questions, "figures": []}, out, indent=1)


def ask(report):
    singles, calls, reads = 1000, 30, 20

    def append_singles(keeper, _):
        for i in range(singles):
            report.append(keeper, f"user-{i % STREAMS}", [event(i)])

    def append_batches(keeper, turn):
        for i in range(calls):
            report.append(keeper, f"batch-{turn}-{i}", [event(n) for n in range(100)])

    def read(keeper, _):
        for _ in range(reads):
            assert len(keeper.events("long-1")) == LONG

    def state(keeper, _):
        for _ in range(reads):
            assert keeper.state("long-1")["logins"] == 99

    report.measure("one event a call", singles, append_singles)
    report.measure("100 events a call", calls * 100, append_batches)
    for keeper in report.keepers:
        for _ in range(LONG // 100):
            report.append(keeper, "long-1", [event(n) for n in range(100)])
    report.measure("events read, 1,000 a stream", reads * LONG, read)
    report.measure("states of 1,000 events", reads, state)


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in TABLES:
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    engine, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7
    base = InSqlite if engine == "sqlite" else InPostgres
    with tempfile.TemporaryDirectory() as folder:
        places = [os.path.join(folder, "hand.db"), os.path.join(folder, "evercore.db")] if engine == "sqlite" else ["hand", "evercore"]
        kinds = [by_hand(base, TABLES[engine]), evercore(base)]
        report = Report(f"python_{engine}", [kind(place).open() for kind, place in zip(kinds, places)], rounds)
        ask(report)
        report.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
