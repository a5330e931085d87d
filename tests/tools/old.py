"""A database of the Go evercore: rows made here, written with the tables that it has."""

import json
import random
import sqlite3
from datetime import datetime, timedelta, timezone

TABLES = {
    "aggregate_types": "id {id}, name varchar(64) NOT NULL UNIQUE",
    "event_types": "id {id}, name varchar(64) NOT NULL UNIQUE",
    "aggregates": "id {id}, aggregate_type_id {int} NOT NULL, natural_key varchar(64) UNIQUE",
    "events": "id {id}, aggregate_id {int} NOT NULL, sequence {int} NOT NULL, event_type_id {int} NOT NULL, state text NOT NULL,"
              " event_time {time} NOT NULL, reference text NOT NULL DEFAULT '', UNIQUE (aggregate_id, sequence)",
    "snapshots": "id {id}, aggregate_id {int} NOT NULL, sequence {int} NOT NULL, state text NOT NULL, UNIQUE (aggregate_id, sequence)",
}
WORDS = {
    "sqlite": {"id": "INTEGER PRIMARY KEY", "int": "INTEGER", "time": "DATETIME"},
    "postgres": {"id": "bigserial PRIMARY KEY", "int": "bigint", "time": "timestamp"},
}
TYPES = ["User", "Order", "Sitzung"]
EVENTS = ["UserCreated", "UserUpdated", "UserLoggedIn", "Geändert"]
START = datetime(2025, 1, 31, 23, 59, 58, tzinfo=timezone.utc)


class Old:
    """Rows by table, each a dict; ids ascend, with holes where a transaction was rolled back."""

    def __init__(self, events, aggregates, seed=1):
        self.random = random.Random(seed)
        self.tables = {name: [] for name in TABLES}
        self.sequences = {}
        for kind, names in (("aggregate_types", TYPES), ("event_types", EVENTS)):
            for name in names:
                self.add(kind, name=name)
        for number in range(aggregates):
            self.aggregate(number % len(TYPES) + 1, None if number % 4 == 3 else f"key-{number}-é🙂" if number % 5 else f"o'{number}")
        while len(self.tables["events"]) < events:
            # One in seven aggregates never gets an event.
            self.event(self.random.choice([row["id"] for row in self.tables["aggregates"] if row["id"] % 7]))

    def add(self, table, **row):
        rows = self.tables[table]
        row = {"id": rows[-1]["id"] + (3 if len(rows) % 50 == 49 else 1) if rows else 1, **row}
        rows.append(row)
        return row

    def aggregate(self, kind, key):
        return self.add("aggregates", aggregate_type_id=kind, natural_key=key)

    def event(self, aggregate, **other):
        """The next event of an aggregate; every tenth stores a snapshot, as the Go library does."""
        sequence = self.sequences[aggregate] = self.sequences.get(aggregate, 0) + 1
        number = len(self.tables["events"])
        kind = 1 if sequence == 1 else self.random.choice([2, 2, 3, 4])
        state = {1: {"Username": f"n{number}", "Email": None, "IsActive": True}, 2: {"Username": None, "Email": f"e{number}@x.org"},
                 3: {"At": number, "Tags": ["a", {"b": 1.5}]}, 4: {"Ort": "Zürich \\ \"☃\"\n", "N": number}}[kind]
        text = json.dumps(state, ensure_ascii=number % 2 == 0, separators=(",", ":") if number % 3 else None)
        row = self.add("events", **{"aggregate_id": aggregate, "sequence": sequence, "event_type_id": kind, "state": text,
                                    "event_time": START + timedelta(microseconds=number * 1_234_567),
                                    "reference": ["", "web", "it's $1, %s\t\\"][number % 3], **other})
        if sequence % 10 == 0:
            self.add("snapshots", aggregate_id=aggregate, sequence=sequence, state=json.dumps({"Username": f"s{number}"}))
        return row

    def name(self, table, number):
        return next((row["name"] for row in self.tables[table] if row["id"] == number), None)

    def write_sqlite(self, path):
        """The file as it is now, made anew; times as mattn/go-sqlite3 spells them."""
        path.unlink(missing_ok=True)
        database = sqlite3.connect(path)
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({columns.format(**WORDS['sqlite'])})")
            for row in self.tables[table]:
                values = [spelled(value) if isinstance(value, datetime) else value for value in row.values()]
                database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", values)
        database.commit()
        database.close()

    def postgres_script(self, schema):
        lines = [f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};"]
        for table, columns in TABLES.items():
            lines.append(f"CREATE TABLE {schema}.{table} ({columns.format(**WORDS['postgres'])});")
            rows = self.tables[table]
            if rows:
                lines += [f"COPY {schema}.{table} ({', '.join(rows[0])}) FROM stdin;",
                          *("\t".join(copied(value) for value in row.values()) for row in rows), "\\."]
        return "\n".join(lines) + "\n"


def spelled(moment):
    """As the driver's format 2006-01-02 15:04:05.999999999-07:00 gives it."""
    digits = f"{moment.microsecond:06d}".rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{digits}" if digits else "") + "+00:00"


def copied(value):
    if value is None:
        return "\\N"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond:06d}"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
