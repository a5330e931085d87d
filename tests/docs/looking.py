"""The ready queries: in docs/looking.md, in examples/looking.sql and as tabs in examples/looking.sqbpro they are the same, and
each runs with what the page says it needs."""

import re
import xml.etree.ElementTree as xml
from shlex import quote

import markdown

LINE = "-- -----"  # below it a query needs the extension
READER = "CREATE ROLE looker LOGIN IN ROLE evercore_reader;"


def queries(text):
    return dict(re.findall(r"^-- (.+)\n(SELECT(?:.|\n)*?;)\n", text, re.M))


def files(root):
    """Every query by name, and those that plain SQLite can run."""
    text = (root / "examples" / "looking.sql").read_text(encoding="utf-8")
    return queries(text), queries(text.split(LINE)[0])


def strangers(page, root):
    """Sentences, none where the three have the same."""
    known, _ = files(root)
    tabs = {tab.get("name"): tab.text for tab in xml.parse(root / "examples" / "looking.sqbpro").iter("sql")}
    shown = {name.lower(): sql for name, sql in re.findall(r"^\*\*(.+)\.\*\* .*\n\n```sql\n((?:.|\n)*?)\n```$", page, re.M)}
    return [f"{where}: {name} is not as in examples/looking.sql" for where, other in (("looking.sqbpro", tabs), ("looking.md", shown))
            for name in sorted(known.keys() | other.keys()) if known.get(name) != other.get(name)]


def faults_in_sqlite(page, engine):
    """Above the line, read-only and without the extension a query says the same as with it; below it, it does not run."""
    from shells import ROOT
    known, plain = files(ROOT)
    blocks = [first(page, engine)]
    for sql in known.values():
        blocks += [Commands(f"sqlite3 -readonly shop.db {quote(sql)}"),
                   Commands(f"sqlite3 -readonly -cmd '.load build/evercore' shop.db {quote(sql)}")]
    said = engine.run(blocks)[1:]
    faults = []
    for name, without, with_it in zip(known, said[::2], said[1::2]):
        if any("Error" in line for line in with_it):
            faults.append(f"{name}: {with_it}")
        elif (without == with_it) != (name in plain) or name not in plain and "no such" not in without[0]:
            faults.append(f"{name}, without the extension: {without}")
    return faults


def faults_in_postgres(page, engine):
    """The reader role may run them all, in a session that cannot write."""
    session = "-c role=looker -c search_path=evercore -c default_transaction_read_only=on"
    said = engine.run([first(page, engine), Commands(f'psql -X -q "$DATABASE" -c {quote(READER)}'),
                       Commands(f'PGOPTIONS={quote(session)} psql -X -q -v ON_ERROR_STOP=1 -At "$DATABASE" -f examples/looking.sql')])
    faults = [line for line in said[1] + said[2] if "ERROR" in line or "error" in line]
    return faults if faults or len(said[2]) > 20 else [f"psql printed {said[2]}"]


def first(page, engine):
    return next(block for block in markdown.stores(page)[0] if engine.name in block.engines)


class Commands:
    language = "sh"

    def __init__(self, command):
        self.sql = [command]
