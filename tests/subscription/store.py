"""A store in a directory of its own, and connections to it."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = os.environ.get("EVERCORE_EXTENSION", str(ROOT / "build" / "evercore.so"))


def connect(path, busy_timeout=10.0):
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(EXTENSION)
    connection.execute("PRAGMA synchronous = OFF")
    return Connection(connection)


class Connection:
    def __init__(self, connection):
        self.db = connection

    def rows(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def column(self, sql, *values):
        return [row[0] for row in self.rows(sql, *values)]

    def one(self, sql, *values):
        rows = self.rows(sql, *values)
        assert len(rows) == 1, f"{len(rows)} rows from {sql}"
        return rows[0][0]

    def refused(self, sql, *values):
        """The message of a statement that has to fail."""
        try:
            self.rows(sql, *values)
        except sqlite3.Error as error:
            return str(error)
        raise AssertionError(f"not refused: {sql}")

    def append(self, key, event_type="A", data="{}", aggregate_type="User"):
        self.rows("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)",
                  aggregate_type, key, event_type, data)

    def append_numbered(self, count, keys=10, types=1):
        """Events of aggregates 0 … keys-1 in turns, of types T0 … in turns."""
        self.rows("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)"
                  " INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data)"
                  " SELECT 'User', 'k' || (i % ?), 'T' || (i % ?), json_object('n', i) FROM n", count, keys, types)

    def claim(self, name="p", owner="w", lease=60):
        return self.one("SELECT evercore_claim(?, ?, ?)", name, owner, lease)

    def fetch(self, token, name="p", limit=None):
        """The positions."""
        return self.column("SELECT position FROM evercore_fetch(?, ?, ?)", name, token, limit)

    def ack(self, token, position, name="p"):
        return self.one("SELECT evercore_ack(?, ?, ?)", name, token, position)

    def cursor(self, name="p"):
        return self.one("SELECT position FROM evercore_subscriptions WHERE name = ?", name)

    def subscribe(self, name="p", *arguments):
        marks = ", ".join("?" * (1 + len(arguments)))
        return self.one(f"SELECT evercore_subscribe({marks})", name, *arguments)


class Store:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="evercore-subscription-")
        self.path = os.path.join(self.directory, "store.db")
        self.connections = []
        connection = self.connect()
        connection.rows("PRAGMA journal_mode = WAL")
        connection.rows("SELECT evercore_migrate()")
        self.main = connection

    def connect(self, busy_timeout=10.0):
        connection = connect(self.path, busy_timeout)
        self.connections.append(connection)
        return connection

    def remove(self):
        for connection in self.connections:
            connection.db.close()
        shutil.rmtree(self.directory, ignore_errors=True)
