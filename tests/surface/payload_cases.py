"""The documents of tests/payload_cases.tsv, each offered to every place that takes a payload."""

from engines import ROOT
from script import Block

CASES = ROOT / "tests" / "payload_cases.tsv"
PLACES = {
    "data": "SELECT evercore_append(1, NULL, 'Case', {document});",
    "metadata": "SELECT evercore_append(2, NULL, 'Case', '{{}}', NULL, {document});",
    "data of the INSERT form": "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (3, 'Case', {document});",
    "state": "SELECT evercore_save_snapshot(1, 1, {document}, 1);",
}


def cases():
    """Name, bytes and verdict of each case."""
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", "name\t")):
            continue
        name, document, verdict = line.split("\t")[:3]
        yield name, nested(document) if document.startswith("depth:") else bytes.fromhex(document), verdict


def nested(document):
    """A spelled-out depth: `depth:array depth 2000` is {"n":[[…]]} with as many brackets as it says."""
    kind, depth = document.split()[0].removeprefix("depth:"), int(document.split()[-1])
    if kind == "array":
        return b'{"n":' + b"[" * depth + b"]" * depth + b"}"
    return b'{"n":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def literal(engine, document):
    if engine == "sqlite":
        return f"CAST(x'{document.hex()}' AS TEXT)"
    return f"convert_from('\\x{document.hex()}', 'UTF8')"


def server_refuses(engine, name, document):
    """PostgreSQL's server takes neither bad UTF-8 nor a raw NUL as text: 22021, before a function runs."""
    if engine != "postgres":
        return False
    try:
        return "\0" in document.decode("utf-8")
    except UnicodeDecodeError:
        return True


def blocks(engine):
    """Blocks and expected lines: the word of EV004, or the bytes that come out as they went in."""
    setup = Block(["-- the aggregates of the cases"])
    setup.statements += ["SELECT evercore_create('Case');"] * 3 + ["SELECT evercore_append(1, 0, 'Case', '{}');"]
    made, expected = [setup], {setup.title[0]: ["1", "2", "3", "1"]}
    sequences = {"data": 1, "metadata": 0}
    for place, call in PLACES.items():
        for name, document, verdict in cases():
            block = Block([f"-- {place}: {name}"])
            block.statements.append(call.format(document=literal(engine, document)))
            lines = []
            if server_refuses(engine, name, document):
                lines.append("error 22021")
            elif verdict != "ok":
                lines.append(f"error EV004: {place.split()[0]}: {verdict}")
            elif place == "state":
                lines.append("1")
            elif place in sequences:
                sequences[place] += 1
                lines.append(str(sequences[place]))
                column, aggregate = place, list(PLACES).index(place) + 1
                block.statements.append(came_out(engine, column, aggregate, sequences[place]))
                lines.append(document.hex())
            made.append(block)
            expected[block.title[0]] = lines
    return made, expected


def came_out(engine, column, aggregate, sequence):
    """The stored bytes of a payload, in hex."""
    spelled = {"sqlite": f"lower(hex({column}))", "postgres": f"encode(convert_to({column}::text, 'UTF8'), 'hex')"}
    return f"SELECT {spelled[engine]} AS bytes FROM evercore_events({aggregate}, {sequence - 1}, 1);"
