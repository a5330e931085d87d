"""Blocks of SQL and of shell commands in a page, and what the page says they print.

A fence ```sql is run on both engines, ```sql sqlite and ```sql postgres on that engine alone, and ```sh the same by bash
in between, in the directory of shop.db or with $DATABASE. The fence ```text right after it is what it prints; without one
it prints nothing. `<!-- fresh store -->` begins a new store.
"""

import re
from dataclasses import dataclass, field

FENCE = re.compile(r"(?P<indent> *)```(?P<info>.*)$")
FRESH = "<!-- fresh store -->"


@dataclass
class Block:
    line: int
    engines: tuple
    sql: list
    output: list = field(default_factory=list)
    language: str = "sql"


def stores(text):
    """The page's blocks, as one list a store."""
    found = [[]]
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        fence = FENCE.fullmatch(line)
        if line.strip() == FRESH:
            found.append([])
        if not fence:
            number += 1
            continue
        info, start = fence["info"].split(), number + 1
        body, number = fenced(lines, start)
        if info[:1] in (["sql"], ["sh"]):
            block = Block(start, engines(info[1:], start), body, language=info[0])
            following = number
            while following < len(lines) and not lines[following].strip():
                following += 1
            if following < len(lines) and lines[following].strip() == "```text":
                block.output, number = fenced(lines, following + 1)
            found[-1].append(block)
    return [blocks for blocks in found if blocks]


def fenced(lines, start):
    """The lines of a fence that begins at `start`, and the number of the line after it."""
    end = start
    while lines[end].strip() != "```":
        end += 1
    return lines[start:end], end + 1


def engines(words, line):
    if not words:
        return ("sqlite", "postgres")
    if len(words) == 1 and words[0] in ("sqlite", "postgres"):
        return tuple(words)
    raise SystemExit(f"line {line}: no engine {' '.join(words)}")
