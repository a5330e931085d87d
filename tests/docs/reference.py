"""docs/reference.md against the extension: no function, argument, column or error code in one of them alone.

An entry is a heading `### `evercore_x(a [, b])``, or `### relation `evercore_x``; the paragraph `Columns: …` under it
names what a relation or a table function gives, or the entry that has the same.
"""

import re
import subprocess

HEADING = re.compile(r"### (relation )?`(evercore_\w+)(?:\((.*)\))?`")
CODE = re.compile(r"\| (EV\d{3}) \|")
LISTS = {
    "functions": r"SELECT name, narg FROM pragma_function_list WHERE name LIKE 'evercore\_%' ESCAPE '\' ORDER BY 1, 2;",
    "modules": r"SELECT name FROM pragma_module_list WHERE name LIKE 'evercore\_%' ESCAPE '\' AND name <> 'evercore_append';",
    "relations": r"SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'evercore\_%' ESCAPE '\' UNION SELECT 'evercore_append';",
}


def documented(text):
    """What the page says: entries by kind and name, as a set of facts."""
    facts, columns, current = set(), {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            heading = HEADING.fullmatch(line)
            current = heading and heading[2]
            if heading and heading[1]:
                facts.add(("relation", current))
            elif heading:
                facts |= {("call", current, *words) for words in calls(heading[3])}
        elif code := CODE.match(line):
            facts.add(("error code", code[1]))
        elif current and line.startswith("Columns: "):
            columns[current] = re.findall(r"`(\w+)`", line.split(". ")[0])
    for name, found in columns.items():
        while len(found) == 1 and found[0] in columns:
            found = columns[found[0]]
        facts.add(("columns", name, ", ".join(found)))
    return facts


def calls(signature):
    """(`id [, a [, b]]`) as the lists of argument names that a call may have."""
    least = signature.split("[")[0].strip(" ,")
    required = [word.strip() for word in least.split(",") if word.strip()]
    optional = [word.strip(" ,[]") for word in signature.split("[")[1:]]
    return [tuple(required + optional[:count]) for count in range(len(optional) + 1)]


def registered(root, extension):
    """What the extension registers, what its schema shows, and the codes of ext/error.h."""

    def ask(sql):
        text = f".load {extension}\n.output /dev/null\nSELECT evercore_migrate();\n.output\n{sql}\n"
        done = subprocess.run(["sqlite3", "-batch", "-init", "/dev/null", ":memory:"], input=text, capture_output=True,
                              text=True, timeout=60, check=True)
        return [line.split("|") for line in done.stdout.splitlines()]

    def columns(name, hidden):
        return [row[0] for row in ask(f"SELECT name FROM pragma_table_xinfo('{name}') WHERE hidden = {hidden};")]

    facts = {("error code", code) for code in re.findall(r'\{"(EV\d{3})"', (root / "ext" / "error.h").read_text())}
    facts |= {("arity", name, int(count)) for name, count in ask(LISTS["functions"])}
    for (name,) in ask(LISTS["relations"]):
        facts |= {("relation", name), ("columns", name, ", ".join(columns(name, 0)))}
    for (name,) in ask(LISTS["modules"]):
        facts |= {("rows", name, tuple(columns(name, 1))), ("columns", name, ", ".join(columns(name, 0)))}
    return facts


def differences(text, root, extension):
    """Sentences, none where page and code agree."""
    code, page = registered(root, extension), documented(text)
    giving_rows = {fact[1]: fact[2] for fact in code if fact[0] == "rows"}
    said = {fact for fact in page if fact[0] != "call"}
    for fact in page:
        if fact[0] != "call":
            continue
        _, name, *arguments = fact
        if name not in giving_rows:
            said.add(("arity", name, len(arguments)))
        elif len(arguments) == max(len(other) - 2 for other in page if other[:2] == ("call", name)):
            said.add(("rows", name, tuple(arguments)))
    return sorted([f"not in docs/reference.md: {fact}" for fact in code - said]
                  + [f"in docs/reference.md alone: {fact}" for fact in said - code])
