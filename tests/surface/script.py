"""A script of the suite: blocks of SQL, and what each engine's shell said, in one comparable form.

A block is a comment that states a sentence of the contract, and the statements under it. The expected
file repeats the comment and gives the lines the statements print. A comment that a blank line follows
is a heading, and belongs to no block.
"""

import json
import re
from datetime import datetime, timedelta, timezone

TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|;|[^'\";]+")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?(?:Z|\+00)")
READS = re.compile(r"(SELECT|WITH|VALUES)\b", re.IGNORECASE)
JSON_COLUMNS = {"state", "appends", "today"}
BOOLEAN_COLUMNS = {"active", "erased", "filled"}


class Block:
    def __init__(self, title):
        self.title = title
        self.statements = []


def parse(text):
    """The blocks of a script."""
    blocks, comment, pending = [], [], ""
    for line in text.splitlines():
        if not pending and line.startswith("--"):
            comment.append(line)
        elif not pending and not line.strip():
            comment = []
        else:
            if comment:
                blocks.append(Block(comment))
                comment = []
            statements, pending = split(pending + line + "\n")
            blocks[-1].statements += statements
    if pending:
        raise SystemExit(f"a statement without its semicolon: {pending.strip()}")
    return blocks


def split(text):
    """The finished statements of a text, and the unfinished rest."""
    statements, current = [], ""
    tokens = TOKEN.findall(text)
    if len("".join(tokens)) != len(text):  # a quote is still open
        return [], text
    for token in tokens:
        if token == ";":
            statements.append(current.strip() + ";")
            current = ""
        else:
            current += token
    return statements, current if current.strip() else ""


def parse_expected(text, engine):
    """Expected lines by block title; a line that begins with [sqlite] or [postgres] counts on that engine only."""
    blocks, in_title = [], False
    for line in text.splitlines():
        if line.startswith("-- "):
            if not in_title:
                blocks.append(([], []))
            blocks[-1][0].append(line)
            in_title = True
            continue
        in_title = False
        tag = re.match(r"\[(sqlite|postgres)\] ", line)
        if line and (not tag or tag.group(1) == engine):
            blocks[-1][1].append(line[tag.end():] if tag else line)
    return {"\n".join(title): lines for title, lines in blocks}


class Result:
    """What a shell said to one statement: a header and rows, or an error, or nothing."""

    def __init__(self, rows, error):
        self.header = rows[0] if rows else []
        self.rows = rows[1:]
        self.error = error


def render(statement, result, started):
    """The lines of a result, alike on both engines."""
    lines = ["|".join(row) for row in normalised(result, started)]
    if result.error:
        return lines + ["error " + re.sub(r" at byte \d+$", "", result.error)]
    if not lines and READS.match(statement):
        return ["(no rows)"]
    return lines


def normalised(result, started):
    names = {name: i for i, name in enumerate(result.header)}
    base_row = "event_type" in names and "data" in names
    for row in result.rows:
        cells = []
        for name, cell in zip(result.header, row):
            if name in JSON_COLUMNS or base_row and name == "data" and row[names["event_type"]] == "NULL":
                cell = canonical_json(cell)
            elif name in BOOLEAN_COLUMNS:
                cell = {"t": "1", "f": "0"}.get(cell, cell)
            elif TIME.fullmatch(cell):
                cell = canonical_time(cell, started)
            cells.append(cell.replace("\n", "\\n"))
        yield cells


def canonical_json(text):
    """JSON in one spelling: members sorted, 7.0 as 7, what is beyond int64 as a double."""
    def number(spelled):
        value = float(spelled)
        return int(value) if value.is_integer() and abs(value) < 2**63 else value

    def integer(spelled):
        return int(spelled) if -2**63 <= int(spelled) < 2**63 else float(spelled)

    try:
        value = json.loads(text, parse_float=number, parse_int=integer)
    except ValueError:
        return text
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_time(text, started):
    day, clock, fraction = TIME.fullmatch(text).groups()
    fraction = (fraction or ".").ljust(7, "0")
    moment = f"{day}T{clock}{fraction}"
    read = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)
    if started - timedelta(seconds=1) <= read <= datetime.now(timezone.utc):
        return "<now>"
    return moment + "Z"
