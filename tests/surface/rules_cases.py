"""The cases of tests/rules_cases.tsv: a history by rules and the state that it must give, from the beginning and from
snapshots on the way; and declarations with one fault each."""

from engines import ROOT
from script import Block, canonical_json

CASES = ROOT / "tests" / "rules_cases.tsv"


def cases():
    """Name, rules, events and what is wanted of each case."""
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def elements(array):
    """The texts of an array's elements as they are spelled."""
    texts, depth, start, quoted, skip = [], 0, 1, False, False
    for at, c in enumerate(array):
        if skip:
            skip = False
        elif quoted:
            skip, quoted = c == "\\", c != '"'
        elif c == '"':
            quoted = True
        elif c in "[{":
            depth += 1
        elif c in "]}":
            depth -= 1
        if depth == 1 and c == "," and not quoted or depth == 0 and at:
            texts.append(array[start:at].strip())
            start = at + 1
    return [text for text in texts if text]


def blocks(_engine):
    """Blocks and expected lines."""
    setup = Block(["-- events of this type are the state that the others begin with"])
    setup.statements.append("""SELECT evercore_event_type('Begun', '[{"set":{"":""}}]');""")
    made, expected = [setup], {setup.title[0]: ["Begun"]}
    for number, (name, rules, *rest) in enumerate(cases()):
        block = Block([f"-- {name}"])
        declare = f"SELECT evercore_event_type('R{number}', {literal(rules)});"
        if len(rest) == 1:
            block.statements.append(declare)
            lines = [f"error {rest[0]}"]
        else:
            begin, events, wanted = rest
            block.statements += [declare, *history(number, begin, elements(events))]
            lines = [f"R{number}", canonical_json(wanted), *snapshots(len(elements(events))), "1"]
        made.append(block)
        expected[block.title[0]] = lines
    end = Block(["-- all is well with the store"])
    end.statements.append("SELECT * FROM evercore_check();")
    return [*made, end], {**expected, end.title[0]: ["(no rows)"]}


def history(number, begin, events):
    """The statements of one case: one aggregate at once, another with a snapshot after each event."""
    rows = [("Begun", begin)] + [(f"R{number}", data) for data in events]
    insert = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES "
    row = lambda key, event: f"('Case', '{key}', '{event[0]}', {literal(event[1])})"
    yield insert + ", ".join(row(number, event) for event in rows) + ";"
    yield f"SELECT evercore_state(evercore_find('Case', '{number}')) AS state;"
    for event in rows:
        yield insert + row(f"{number} by snapshots", event) + ";"
        yield f"SELECT evercore_snapshot(evercore_find('Case', '{number} by snapshots'));"
    yield (f"SELECT CAST(evercore_state(evercore_find('Case', '{number}')) AS text)"
           f" = CAST(evercore_state(evercore_find('Case', '{number} by snapshots')) AS text) AS active;")


def snapshots(count):
    return [str(sequence) for sequence in range(1, count + 2)]
