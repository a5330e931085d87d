"""The two shells, and one form for what they print.

What a page shows is what sqlite3 prints by itself: rows without a header, columns parted by `|`, NULL as nothing.
psql -At prints the same but for four things, made alike here: its word for an error, times, booleans, and the order of
members in JSON that it computed.
"""

import json
import os
import re
import subprocess
import tempfile
import urllib.parse
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = "\x1d"
PARTS = ("docs", "examples", "sql", "tools", "VERSION", "migrations")  # what a page's commands find beside build/
TIMEOUT = 300
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
ROLES = [f"{store}_{word}" for store in ("evercore", "tenant_a", "tenant_b") for word in ("owner", "writer", "reader")] + ["looker"]


class Unavailable(Exception):
    """The engine cannot be reached here; the message says what is missing."""


def pour(command, text, environment, directory):
    """What a shell prints, errors in their place: stdbuf makes it write line by line."""
    done = subprocess.run(["stdbuf", "-o0", *command], input=text.encode("utf-8"), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False, env=environment, cwd=directory)
    return done.stdout.decode("utf-8", "replace")


def chunks(text, count):
    """One list of lines a block; a shell that died leaves the rest without."""
    parts = [part.removeprefix("\n").splitlines() for part in text.split(MARK)]
    parts = parts[:-1] if len(parts) == count + 1 else parts
    return parts + [["the shell ended"]] * (count - len(parts))


def furnish(home, extension=None):
    """A directory in which the project's parts are found: pages say `.load build/evercore`, `sql/install`."""
    for part in PARTS:
        (Path(home) / part).symlink_to(ROOT / part)
    (Path(home) / "build").mkdir()
    if extension:
        (Path(home) / "build" / "evercore.so").symlink_to(extension)


def source(home, blocks, run, mark):
    """The blocks as one text for a shell, each followed by a mark; commands go by the shell's own word for running them."""
    text = ""
    for number, block in enumerate(blocks):
        lines = block.sql
        if getattr(block, "language", "sql") == "sh":
            script = Path(home) / f".block-{number}"
            script.write_text("\n".join([*lines, "exit 0", ""]), encoding="utf-8")
            lines = [f"{run} bash {script} 2>&1"]
        text += "\n".join([*lines, mark, ""])
    return text


class Sqlite:
    """A directory of its own, with the store shop.db."""

    name = "sqlite"

    def __init__(self):
        self.extension = Path(os.environ.get("EVERCORE_EXTENSION", ROOT / "build" / "evercore.so"))
        if not self.extension.exists():
            raise Unavailable(f"{self.extension} is not built: make loadable")

    def run(self, blocks):
        with tempfile.TemporaryDirectory(prefix="evercore-docs-") as home:
            furnish(home, self.extension)
            text = ""
            if not any(".load" in line for line in blocks[0].sql):
                text = ".load build/evercore\n.output /dev/null\nSELECT evercore_migrate();\n.output\n"
            text += source(home, blocks, ".system", '.print "\\035"')
            out = pour(["sqlite3", "-batch", "-init", "/dev/null", "shop.db"], text, dict(os.environ, TZ="UTC"), home)
        return [[re.sub(r"^(Runtime error|Parse error) near line \d+: ", r"\1: ", line) for line in lines]
                for lines in chunks(out, len(blocks))]

    def same(self, expected, actual):
        return len(expected) == len(actual) and all(map(same_line, expected, actual))

    def close(self):
        pass


class Postgres:
    """A database of its own, with a store in the schema evercore."""

    name = "postgres"

    def __init__(self):
        self.server = os.environ.get("EVERCORE_TEST_POSTGRES")
        if not self.server:
            raise Unavailable("EVERCORE_TEST_POSTGRES is not set")
        self.environment = dict(os.environ, PGCLIENTENCODING="UTF8", PGTZ="UTC", PGCONNECT_TIMEOUT="10",
                                PGOPTIONS="-c search_path=evercore -c client_min_messages=warning -c datestyle=ISO")
        self.strangers = self.psql(self.server, "SELECT rolname FROM pg_roles;\n").split()  # not ours to drop

    def run(self, blocks):
        database = "evercore_docs"
        self.psql(self.server, f"DROP DATABASE IF EXISTS {database};\nCREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8';\n")
        done = subprocess.run([ROOT / "sql" / "install", self.address(database)], capture_output=True, check=False,
                              timeout=TIMEOUT, env=self.environment)
        if done.returncode:
            raise Unavailable("sql/install: " + done.stderr.decode("utf-8", "replace"))
        with tempfile.TemporaryDirectory(prefix="evercore-docs-") as home:
            furnish(home)
            text = source(home, blocks, "\\!", f"\\echo {MARK}")
            out = self.psql(self.address(database), text, home)
        self.psql(self.server, f"DROP DATABASE IF EXISTS {database};\n")
        return chunks(out, len(blocks))

    def psql(self, address, text, directory=ROOT):
        return pour(["psql", "-X", "-q", "-At", "-v", "SHOW_CONTEXT=never", "-v", "VERBOSITY=terse", "-d", address],
                    text, dict(self.environment, DATABASE=address), directory)

    def address(self, database):
        if "://" not in self.server:
            return f"{self.server} dbname={database}"
        parts = urllib.parse.urlsplit(self.server)
        return f"{parts.scheme}://{parts.netloc}/{database}" + (f"?{parts.query}" if parts.query else "")

    def same(self, expected, actual):
        expected = [alike(line) for line in expected]
        actual = [alike(line) for line in actual]
        return len(expected) == len(actual) and all(map(same_line, expected, actual))

    def close(self):
        for role in set(ROLES) - set(self.strangers):
            self.psql(self.server, f"DROP ROLE IF EXISTS {role};\n")


def same_line(expected, actual):
    """Whether a line is as the page shows it; any time will do for one of the last hour."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)

    def pattern(match):
        then = datetime.fromisoformat(match[0][:-1])
        return "\0" if abs(now - then) < timedelta(hours=1) else match[0]

    parts = re.sub(TIME, pattern, actual).split("\0")
    return re.fullmatch(TIME.join(map(re.escape, parts)), expected) is not None


def alike(line):
    """A line of either shell in the form that both can be brought to."""
    line = re.sub(r"^(?:Runtime error|Parse error|Error|ERROR): +(.*?)(?: \(\d+\))?(?: at byte \d+)?$", r"error: \1", line)
    line = re.sub(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00)",
                  lambda m: f"{m[1]}T{m[2]}.{(m[3] or '').ljust(6, '0')}Z", line)
    return "|".join(map(cell, line.split("|")))


def cell(text):
    if text in ("t", "f"):
        return "1" if text == "t" else "0"
    if text[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
        except ValueError:
            return text
    return text
