"""A store to carry into and the script that does it, on each engine, through the real shells."""

import os
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CELL, ROW = "\x1f", "\x1e"


class Unavailable(Exception):
    pass


def run(command, text="", environment=None):
    """Exit code and all that was said; `text` goes in."""
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
                          env=environment, cwd=ROOT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def table(text):
    return [row.split(CELL) for row in text.removesuffix("\n").removesuffix(ROW).split(ROW)] if text.strip("\n") else []


class Sqlite:
    name = "sqlite"

    def __init__(self):
        self.extension = Path(os.environ.get("EVERCORE_EXTENSION", ROOT / "build" / "evercore.so"))
        if not self.extension.exists():
            raise Unavailable(f"{self.extension} is not built: make loadable")
        self.home = Path(tempfile.mkdtemp(prefix="evercore-tools-"))
        self.file, self.old = self.home / "new.db", self.home / "old.db"

    def fresh(self, old):
        for path in self.home.glob("new.db*"):
            path.unlink()
        self.rows("SELECT evercore_migrate()")
        self.put(old)

    def put(self, old):
        old.write_sqlite(self.old)

    def carry(self, **settings):
        command = ["sqlite3", "-batch", "-init", "/dev/null", str(self.file), "-cmd", f".load {self.extension}",
                   "-cmd", f"ATTACH 'file:{self.old}?mode=ro' AS old"]
        for name, value in settings.items():
            command += ["-cmd", f".parameter set @{name} {value}"]
        return run(command, (ROOT / "tools" / "from_go_sqlite.sql").read_text(encoding="utf-8"))

    def rows(self, sql):
        code, said = run(["sqlite3", "-batch", "-bail", "-init", "/dev/null", "-cmd", f".load {self.extension}", "-separator", CELL,
                          "-newline", ROW, str(self.file)], sql + ";\n")
        if code:
            raise AssertionError(said)
        return table(said)

    def time(self, column):
        return column

    def has_map(self):
        return bool(self.rows("SELECT 1 FROM sqlite_schema WHERE name = 'from_go_aggregate'"))

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)


class Postgres:
    name = "postgres"
    database = "evercore_tools"
    roles = {word.upper(): f"evercore_tools_{word}" for word in ("owner", "writer", "reader")}

    def __init__(self):
        self.server = os.environ.get("EVERCORE_TEST_POSTGRES")
        if not self.server:
            raise Unavailable("EVERCORE_TEST_POSTGRES is not set")
        self.environment = dict(os.environ, PGCLIENTENCODING="UTF8", PGTZ="Asia/Kolkata", PGCONNECT_TIMEOUT="10")
        parts = urllib.parse.urlsplit(self.server)
        self.address = f"{parts.scheme}://{parts.netloc}/{self.database}" + (f"?{parts.query}" if parts.query else "")

    def fresh(self, old):
        self.say(self.server, f"DROP DATABASE IF EXISTS {self.database}", f"CREATE DATABASE {self.database} TEMPLATE template0 ENCODING 'UTF8'")
        code, said = run([ROOT / "sql" / "install", self.address, "events"], environment={**self.environment, **self.roles})
        if code:
            raise Unavailable("sql/install: " + said)
        self.put(old)

    def put(self, old):
        code, said = run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.address], old.postgres_script("old"), self.environment)
        if code:
            raise AssertionError(said)

    def carry(self, **settings):
        command = ["psql", "-X", "-d", self.address, "-v", "old=old", "-v", "new=events"]
        for name, value in settings.items():
            command += ["-v", f"{name}={value}"]
        return run([*command, "-f", "tools/from_go_postgres.sql"], environment=self.environment)

    def rows(self, sql):
        return self.say(self.address, "SET search_path TO events", "SET datestyle TO ISO", sql)

    def say(self, address, *statements):
        command = ["psql", "-X", "-q", "-A", "-t", "-F", CELL, "-R", ROW, "-v", "ON_ERROR_STOP=1", "-d", address]
        for statement in statements:
            command += ["-c", statement]
        code, said = run(command, environment=dict(self.environment, PGOPTIONS="-c client_min_messages=warning"))
        if code:
            raise AssertionError(said)
        return table(said)

    def time(self, column):
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

    def has_map(self):
        return self.rows("SELECT to_regclass('events.from_go_aggregate') IS NOT NULL") == [["t"]]

    def close(self):
        self.say(self.server, f"DROP DATABASE IF EXISTS {self.database}", "DROP ROLE IF EXISTS evercore_tools_carrier",
                 *(f"DROP ROLE IF EXISTS {role}" for role in self.roles.values()))
