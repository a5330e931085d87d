"""Documents offered to every place that takes one, on both engines, and judged by the oracle.

What is taken must come out byte for byte and fold; what is refused must be refused with a word that the oracle knows.
"""

import hashlib
import json
import re

import fold
import stores
from documents import Documents
from rule import MOST_BYTES, Scan

DATA, METADATA, MANY, MANY_METADATA, INSERT, INSERT_METADATA, STATE = PLACES = (
    "data", "metadata", "data of append_many", "metadata of append_many", "data of the INSERT form", "metadata of the INSERT form", "state")
# What each place does with a document $1 and a number $2 that no other document has.
CALLS = {
    DATA: "SELECT evercore_append(1, NULL, 'E', $1)",
    METADATA: "SELECT evercore_append(1, NULL, 'E', '{}', NULL, $1)",
    MANY: """SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":' || $1 || '}]}]')""",
    MANY_METADATA: """SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data":{},"metadata":' || $1 || '}]}]')""",
    INSERT: "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('D', $2, CASE CAST($2 AS bigint) % 2 WHEN 0 THEN 'Merge' ELSE 'Patch' END, $1)",
    INSERT_METADATA: "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data, metadata) VALUES ('D', $2, 'E', '{}', $1)",
    STATE: "SELECT evercore_save_snapshot(2, 1, $1, CAST($2 AS bigint))",
}
FOLDS = ("merge", "patch")  # of the INSERT form's events, by turns
ARGUMENT = {place: place.split()[0] for place in PLACES}
# Every document at every place: '' where it was taken, else code and message; bytes that are no text are refused as the server does.
POSTGRES_OFFER = """
CREATE FUNCTION public.offer(documents bytea[], base bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  document text;
BEGIN
  FOR i IN 1 .. cardinality(documents) LOOP
    {calls}
  END LOOP;
END $$"""
POSTGRES_CALL = """
    BEGIN
      document := convert_from(documents[i], 'UTF8');
      {call};
      RETURN NEXT '';
    EXCEPTION WHEN OTHERS THEN
      RETURN NEXT SQLSTATE || '|' || SQLERRM;
    END;"""
POSTGRES_STATE = """
CREATE FUNCTION public.state_of(id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN evercore_state(id)::text;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || '|' || SQLERRM;
END $$"""


class Answers:
    """What one engine said to a batch: `verdicts` (document, place) → '' or "code|message"; `stored` the digests of what was
    taken, in order; `states` natural key → state."""

    def __init__(self, verdicts, stored, states, snapshots):
        self.verdicts = verdicts
        self.stored = stored
        self.states = states
        self.snapshots = snapshots


class SqliteSide:
    def __init__(self):
        self.store = stores.Sqlite()
        prepare(self.store)

    def offer(self, documents, base):
        self.store.rows("BEGIN IMMEDIATE")
        before = self.store.value("SELECT max(position) FROM evercore_log")
        verdicts = {(i, place): self.attempt(place, document, base + i) for i, document in enumerate(documents) for place in PLACES}
        stored = [hashlib.md5(data if metadata is None else metadata).hexdigest() for data, metadata in self.store.rows(
            "SELECT CAST(data AS BLOB), CAST(metadata AS BLOB) FROM evercore_log WHERE position > $1 ORDER BY position", before)]
        keys = [f"{base + i}" for i in range(len(documents))]
        states = {key: self.state(key) for key in keys}
        snapshots = [hashlib.md5(self.store.value("SELECT CAST(data AS BLOB) FROM evercore_replay(2, $1)", base + i)).hexdigest()
                     for i in range(len(documents)) if not verdicts[i, STATE]]
        self.store.rows("COMMIT")
        return Answers(verdicts, stored, states, snapshots)

    def attempt(self, place, document, number):
        try:
            self.store.rows(CALLS[place].replace("$1", "CAST($1 AS TEXT)"), document, f"{number}") if "$2" in CALLS[place] \
                else self.store.rows(CALLS[place].replace("$1", "CAST($1 AS TEXT)"), document)
            return ""
        except stores.Refused as refused:
            return f"{refused.code}|{refused.message}"

    def state(self, key):
        try:
            id = self.store.value("SELECT evercore_find('D', $1)", key)
            return None if id is None else self.store.value("SELECT evercore_state($1)", id)
        except stores.Refused as refused:
            return f"{refused.code}|{refused.message}"

    def close(self):
        self.store.close()


class PostgresSide:
    def __init__(self):
        self.store = stores.Postgres()
        prepare(self.store)
        spelled = {"$1": "document", "$2": "(base + i - 1)::text"}
        calls = [POSTGRES_CALL.format(call=re.sub(r"\$\d", lambda found: spelled[found[0]], CALLS[place])
                                      .replace("SELECT", "PERFORM", 1)) for place in PLACES]
        self.store.rows(POSTGRES_OFFER.format(calls="".join(calls)))
        self.store.rows(POSTGRES_STATE)

    def offer(self, documents, base):
        before = self.store.value("SELECT max(position) FROM evercore_log")
        array = "{" + ",".join(f'"\\\\x{document.hex()}"' for document in documents) + "}"
        answers = [row[0] for row in self.store.rows("SELECT public.offer($1, $2)", array, base)]
        verdicts = {(i, place): answers[i * len(PLACES) + at] for i in range(len(documents)) for at, place in enumerate(PLACES)}
        stored = [row[0] for row in self.store.rows(
            "SELECT md5(convert_to(coalesce(metadata, data)::text, 'UTF8')) FROM evercore_log WHERE position > $1 ORDER BY position", before)]
        states = dict(self.store.rows("SELECT n::text, public.state_of(evercore_find('D', n::text)) FROM generate_series($1::bigint, $2::bigint) n"
                                      " WHERE evercore_find('D', n::text) IS NOT NULL", base, base + len(documents) - 1))
        taken = "{" + ",".join(str(base + i) for i in range(len(documents)) if not verdicts[i, STATE]) + "}"
        snapshots = [row[0] for row in self.store.rows(
            "SELECT md5(convert_to(r.data::text, 'UTF8')) FROM unnest($1::bigint[]) n, evercore_replay(2, n) r ORDER BY n", taken)]
        return Answers(verdicts, stored, states, snapshots)

    def close(self):
        self.store.close()


def prepare(store):
    for sql in ("SELECT evercore_create('T')", "SELECT evercore_create('T')", "SELECT evercore_append(2, 0, 'E', '{}')",
                "SELECT evercore_event_type('Patch', 'patch')"):
        store.rows(sql)


class Engines:
    """Both engines, open for any number of batches."""

    def __init__(self):
        self.sides = [SqliteSide(), PostgresSide()]
        self.base = 1

    def judge(self, documents):
        """The faults of a batch: document → what is wrong about the answers to it."""
        scans = [Scan(document) for document in documents]
        base, self.base = self.base, self.base + len(documents)
        faults = {}
        for side in self.sides:
            answers = side.offer(documents, base)
            for document, fault in judged(side.store.name, documents, scans, answers, base):
                faults.setdefault(document, f"{side.store.name}: {fault}")
        return faults

    def close(self):
        for side in self.sides:
            side.close()


def judged(engine, documents, scans, answers, base):
    stored, snapshots = iter(answers.stored), iter(answers.snapshots)
    for i, (document, scan) in enumerate(zip(documents, scans)):
        for place in PLACES:
            verdict = answers.verdicts[i, place]
            came_out = next(snapshots if place == STATE else stored, None) if not verdict else None
            held = held_in_string(document, scan) if place in (MANY, MANY_METADATA) else None
            words = scan.words if held is None else Scan(held).words
            if held is not None and verdict not in ({f"EV004|EV004: {ARGUMENT[place]}: {word}" for word in words} or {""}):
                yield document, f"{place}: said {verdict or 'taken'!r} of a string, the oracle {sorted(words) or 'legal'}"
            elif held is None and not allowed(engine, document, scan, place, verdict):
                yield document, f"{place}: said {verdict or 'taken'!r}, the oracle {sorted(words) or 'legal'}"
            elif came_out and not words and came_out != (digest(document, place) if held is None else digest(held, DATA)):
                yield document, f"{place}: other bytes came out"
        if not scan.words and (fault := folded_wrongly(FOLDS[(base + i) % 2], scan.value, answers.states.get(f"{base + i}"))):
            yield document, fault


def held_in_string(document, scan):
    """The document that a JSON string holds: in an array of appends it stands for that."""
    if not document.strip(b" \t\r\n").startswith(b'"') or not scan.words <= {"not an object", "NUL"}:
        return None
    return json.loads(document).encode()


def digest(document, place):
    """Of the bytes that must come out; blanks around a member of append_many's array are not the document's."""
    return hashlib.md5(document.strip(b" \t\r\n") if place in (MANY, MANY_METADATA) else document).hexdigest()


def allowed(engine, document, scan, place, verdict):
    """Whether an answer is one of those that the profile allows."""
    if engine == "postgres" and ("not UTF-8" in scan.words or b"\0" in document):
        return verdict.startswith("22021|")
    many = place in (MANY, MANY_METADATA)
    if many and "not JSON" in scan.words and "not JSON" not in Scan(b'{"data":' + document + b"}").words:
        return True  # it closes the member that it was put into: another call than was meant
    if many and document.strip(b" \t\r\n") == b"null":
        return place == MANY_METADATA or verdict == "EV009|EV009: data is NULL"
    if not scan.words:
        return not verdict
    words, arguments = scan.words, {ARGUMENT[place]}
    if many and "not JSON" in words:  # where a piece of it would do, the piece or the whole array is at fault
        words, arguments = Scan(b'[{"events":[{"data":' + document + b"}]}]").words | {"not an object"}, {ARGUMENT[place], "appends"}
    return verdict in {f"EV004|EV004: {argument}: {word}" for argument in arguments for word in words}


def folded_wrongly(kind, document, state):
    """What is wrong with the state of an aggregate whose one event is this document."""
    if state is None:
        return "no state"
    expected = fold.step(kind, {}, document)
    try:
        actual = fold.parse(state)
    except ValueError:
        return f"the state is {state[:200]!r}"
    return None if actual == expected else f"the state is {state[:200]!r}"


def literal(engine, document):
    """A document as it can be pasted into a shell of that engine."""
    try:
        text = document.decode("utf-8")
        if text.isprintable():
            return "'" + text.replace("'", "''") + "'"
    except UnicodeDecodeError:
        pass
    return f"CAST(x'{document.hex()}' AS TEXT)" if engine == "sqlite" else f"convert_from('\\x{document.hex()}', 'UTF8')"


def sized(size):
    return '{"a":"' + "x" * (size - 8) + '"}'


# Data, metadata, and what is said of them: the one limit that is dear to try.
SIZES = [
    (MOST_BYTES, None, None),
    (MOST_BYTES + 1, None, "EV004: data: too large"),
    (8, MOST_BYTES + 1, "EV004: metadata: too large"),
    (MOST_BYTES // 2, MOST_BYTES // 2, None),
    (MOST_BYTES // 2, MOST_BYTES // 2 + 1, "EV004: data: too large"),
]


def sizes(without):
    """What each engine says about documents of about 16 MiB, where it is wrong."""
    for store in stores.both():
        store.rows("SELECT evercore_create('T')")
        for data, metadata, expected in SIZES:
            if "order" in without and data < MOST_BYTES // 2:
                continue
            try:
                store.rows("SELECT evercore_append(1, NULL, 'E', $1, NULL, $2)", sized(data), metadata and sized(metadata))
                said = None
            except stores.Refused as refused:
                said = refused.message
            if said != expected:
                yield f"{store.name}: data of {data} bytes, metadata of {metadata}: {said}"
        store.close()
