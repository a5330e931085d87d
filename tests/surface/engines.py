"""The two engines, each through its own shell: the real sqlite3 and the real psql.

A store is fresh for every script: a file on SQLite, a database on PostgreSQL. Statements go in one at a
time with a mark between them, so that what is printed can be told apart.
"""

import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from script import Result

ROOT = Path(__file__).resolve().parents[2]
CELL, ROW, MARK = "\x1f", "\x1e", "\x1d"
TIMEOUT = 300
ROLES = {word.upper(): f"evercore_surface_{word}" for word in ("owner", "writer", "reader")}  # removed at the end
CONSTRAINTS = {"EV001", "EV003", "EV007", "EV011"}  # what SQLite must report as a constraint


class Unavailable(Exception):
    """The engine cannot be reached here; the message says what is missing."""


def shell(command, text, environment=None):
    try:
        done = subprocess.run(command, input=text.encode("utf-8"), capture_output=True, timeout=TIMEOUT, check=False,
                              env=environment)
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"{command[0]} did not end within {TIMEOUT} s") from late
    return done, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def table(text):
    """The rows that a shell printed, the header first."""
    text = text[:-1]  # sqlite3 ends with a row separator, psql with a newline
    return [row.split(CELL) for row in text.split(ROW)] if text else []


def results(done, chunks, errors, count):
    """One result a statement; a shell that died says so at the statement that killed it."""
    for i in range(count):
        if i < len(chunks) - 1:
            yield Result(table(chunks[i]), errors.get(i))
        else:
            yield Result([], f"the shell ended with {done.returncode}")


class Sqlite:
    name = "sqlite"

    def __init__(self):
        self.extension = Path(os.environ.get("EVERCORE_EXTENSION", ROOT / "build" / "evercore.so"))
        if not self.extension.exists():
            raise Unavailable(f"{self.extension} is not built: make")
        self.directory = tempfile.mkdtemp(prefix="evercore-surface-")

    def create(self, name):
        store = os.path.join(self.directory, name + ".db")
        result = self.run(store, ["SELECT evercore_migrate();"])[0]
        if result.error:
            raise Unavailable(result.error)
        return store

    def run(self, store, statements):
        # Newer shells trust no schema, and then no view may call what reads the store (docs/operations.md).
        text = f'PRAGMA trusted_schema = ON;\n.load {self.extension}\n.headers on\n.mode list\n.separator "\\037" "\\036"\n.nullvalue NULL\n'
        owner = {}
        for i, statement in enumerate(statements):
            owner[text.count("\n") + 1] = i
            text += statement + '\n.print "\\035"\n'
        done, out, err = shell(["sqlite3", "-batch", "-init", "/dev/null", store], text)
        chunks = [chunk.removeprefix("\n") for chunk in out.split(MARK)]
        return list(results(done, chunks, self.errors(err, owner), len(statements)))

    @staticmethod
    def errors(text, owner):
        """The error of each statement, told by the line it began on."""
        found = {}
        for line, message in re.findall(r"^(?:Runtime error|Parse error|Error):? near line (\d+): (.*)$", text, re.M):
            message, code = re.fullmatch(r"(.*?)(?:(?<!evercore knows) \(([4-9]|\d\d+)\))?", message).groups()
            if message[:5] in CONSTRAINTS and code != "19":
                message += f" (result code {code})"
            found[owner.get(int(line), -1)] = message
        if -1 in found or not owner:
            raise Unavailable(found.get(-1, text))
        return found

    def drop(self, store):
        for path in Path(store).parent.glob(Path(store).name + "*"):
            path.unlink()

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Postgres:
    name = "postgres"

    def __init__(self):
        self.server = os.environ.get("EVERCORE_TEST_POSTGRES")
        if not self.server:
            raise Unavailable("neither EVERCORE_TEST_POSTGRES nor tests/postgres/with_server")
        self.install = ROOT / "sql" / "install"
        if not self.install.exists():
            raise Unavailable("sql/install is missing")
        self.environment = dict(os.environ, PGCLIENTENCODING="UTF8", PGTZ="UTC", PGCONNECT_TIMEOUT="10",
                                PGOPTIONS="-c search_path=evercore -c client_min_messages=error -c datestyle=ISO")

    def create(self, name):
        database = f"evercore_surface_{name}"
        self.server_says(f"DROP DATABASE IF EXISTS {database};")
        # A collation that is not by code point, where there is one, shows who relies on the database's own.
        icu = f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en';"
        plain = f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8';"
        if self.server_says(icu) and (fault := self.server_says(plain)):
            raise Unavailable(fault)
        done, out, err = shell([str(self.install), self.address(database), "evercore"], "", {**self.environment, **ROLES})
        if done.returncode:
            raise Unavailable("sql/install: " + (err or out).strip())
        if command := os.environ.get("EVERCORE_AFTER_INSTALL"):  # tests/native/run puts its functions in
            subprocess.run([*command.split(), self.address(database)], check=True)
        return database

    def server_says(self, statement):
        """The error of a statement given to the server, outside any store."""
        return self.psql(self.server, [statement])[0].error

    def address(self, database):
        if "://" not in self.server:
            return f"{self.server} dbname={database}"
        parts = urllib.parse.urlsplit(self.server)
        return f"{parts.scheme}://{parts.netloc}/{database}" + (f"?{parts.query}" if parts.query else "")

    def run(self, store, statements):
        return self.psql(self.address(store), statements)

    def psql(self, address, statements):
        lines = []
        for statement in statements:
            lines += [statement, "\\echo :mark", "\\warn :mark"]
        done, out, err = shell(
            ["psql", "-X", "-q", "-A", "-F", CELL, "-R", ROW, "-P", "footer=off", "-P", "null=NULL", "-v", "mark=" + MARK,
             "-v", "VERBOSITY=verbose", "-v", "SHOW_CONTEXT=never", "-d", address], "\n".join(lines) + "\n",
            self.environment)
        chunks = [chunk.removeprefix("\n") for chunk in out.split(MARK)]
        if len(chunks) == 1 and done.returncode == 2 and "connection to server" in err:
            raise Unavailable(err.strip())
        errors = {i: self.error(chunk) for i, chunk in enumerate(err.split(MARK)) if "ERROR: " in chunk}
        return list(results(done, chunks, errors, len(statements)))

    @staticmethod
    def error(text):
        """evercore's own errors whole, with a remark if the SQLSTATE is another; of the server's the SQLSTATE."""
        state, message = re.search(r"ERROR: +(\w{5}): (.*)", text).groups()
        if re.match(r"EV\d{3}: ", message):
            return message if message[:5] == state else f"{message} (SQLSTATE {state})"
        return f"{state}: {message}" if state.startswith("EV") else state

    def drop(self, store):
        if command := os.environ.get("EVERCORE_BEFORE_DROP"):  # tests/coverage/sql counts there
            subprocess.run([*command.split(), self.address(store)], check=True)
        self.server_says(f"DROP DATABASE IF EXISTS {store};")

    def close(self):
        for role in ROLES.values():
            self.server_says(f"DROP ROLE IF EXISTS {role};")
