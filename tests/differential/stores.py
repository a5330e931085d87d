"""The two engines side by side, each in a fresh store: SQLite in this process, PostgreSQL through libpq.

Both take one text of SQL with $1… bound, and give rows or raise Refused.
"""

import os
import re
import sqlite3
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "postgres"))
import harness  # noqa: E402
import pq  # noqa: E402

EXTENSION = os.environ.get("EVERCORE_EXTENSION", str(ROOT / "build" / "evercore.so"))
ENGINES = ("sqlite", "postgres")


class Refused(Exception):
    """An error of an engine: its code (of SQLite's own errors the words) and its message, alike on both."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = re.sub(r" at byte \d+$", "", message)


class Sqlite:
    """A store in memory."""

    name = "sqlite"

    def __init__(self):
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        self.connection.enable_load_extension(True)
        self.connection.load_extension(EXTENSION)
        self.rows("SELECT evercore_migrate()")

    def rows(self, sql, *parameters):
        try:
            return self.connection.execute(re.sub(r"\$(\d+)", r"?\1", sql), parameters).fetchall()
        except sqlite3.Error as error:
            message = str(error)
            raise Refused(message[:5] if message.startswith("EV") else message, message) from None

    def value(self, sql, *parameters):
        rows = self.rows(sql, *parameters)
        return rows[0][0] if rows else None

    def close(self):
        self.connection.close()


class Postgres:
    """A store in a database of its own, read in UTC."""

    name = "postgres"

    def __init__(self):
        self.uri = harness.new_database()
        self.connection = pq.Connection(self.uri)
        self.rows("SET timezone = 'UTC'")

    def rows(self, sql, *parameters):
        try:
            return self.connection.rows(sql, *parameters)
        except pq.Error as error:
            raise Refused(error.code, error.message) from None

    def value(self, sql, *parameters):
        rows = self.rows(sql, *parameters)
        return rows[0][0] if rows else None

    def close(self):
        self.connection.close()
        harness.before_drop(self.uri)
        admin = pq.Connection(harness.SERVER, None)
        admin.rows(f"DROP DATABASE IF EXISTS {self.uri.split('?')[0].rsplit('/', 1)[1]} WITH (FORCE)")
        admin.close()


def both():
    return [Sqlite(), Postgres()]


class Engines:
    """Both, open for any number of cases."""

    def __init__(self):
        self.both = both()

    def close(self):
        for engine in self.both:
            engine.close()
