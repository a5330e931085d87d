"""What is refused first, in all three forms of append, repeats that are passed over, and limits, which are those of SQLite."""
import json
import re

from harness import ROOT, equal, new_database
from pq import Connection, Error

LONG = "x" * 2000
# What is wrong, one fault a step, and what is said where this fault and all after it are there.
STEPS = [
    ("data", '{"a":1e-20000}', "EV004: data: number out of range"),
    ("metadata", "[1]", "EV004: metadata: not an object"),
    ("event_type", "", "EV005: event_type is empty"),
    ("event_id", "", "EV005: event_id is empty"),
    ("expected", -1, "EV009: expected is out of range: -1"),
    ("reference", LONG, "EV009: reference is longer than 1000 characters"),
    ("event_time", "noon", 'EV009: event_time is not a time: "noon": write YYYY-MM-DD[Thh:mm[:ss[.ffffff]][Z|+hh:mm]]'),
    ("natural_key", "k", "EV009: aggregate_id is given together with a type or key"),
]
RIGHT = {"aggregate_id": 1, "data": "{}", "metadata": "{}", "event_type": "E", "event_id": "new", "expected": None, "reference": None, "event_time": None,
         "natural_key": None}


def said(connection, sql, *values):
    try:
        return connection.rows(sql, *values)
    except Error as error:
        assert error.message.startswith(error.code), error.message
        return error.message


def single(connection, event):
    return said(connection, "SELECT evercore_append($1,$2,$3,$4,$5,$6,$7,$8)", *(event[name] for name in
                ("aggregate_id", "expected", "event_type", "data", "reference", "metadata", "event_time", "event_id")))


def row(connection, event):
    return said(connection, "INSERT INTO evercore_append (aggregate_id, natural_key, expected, event_type, data, reference, metadata, event_time, event_id)"
                " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)", *(event[name] for name in
                ("aggregate_id", "natural_key", "expected", "event_type", "data", "reference", "metadata", "event_time", "event_id")))


def many(connection, event):
    texts = {name: json.dumps(event[name]) for name in ("event_type", "reference", "event_time", "event_id")}
    document = "{" + ",".join(f'"{name}":{text}' for name, text in {**texts, "data": event["data"], "metadata": event["metadata"]}.items()) + "}"
    header = ",".join(f'"{name}":{json.dumps(event[name])}' for name in ("aggregate_id", "natural_key", "expected"))
    return said(connection, "SELECT evercore_append_many($1)", f'[{{{header},"events":[{document}]}}]')


def store():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a'), evercore_create('T', 'gone'), evercore_erase(2)")
    connection.rows("SELECT evercore_append(1, 0, 'E', '{}', NULL, NULL, NULL, 'first')")
    return connection


def test_faults_of_an_event_are_named_in_one_order():
    connection = store()
    for form in (single, row, many):
        steps = [step for step in STEPS if form is not single or step[0] != "natural_key"]
        for at in range(len(steps)):
            event = {**RIGHT, **{name: value for name, value, _ in steps[at:]}}
            equal(form(connection, event), steps[at][2], f"{form.__name__} from {steps[at][0]}")
    equal(connection.value("SELECT evercore_sequence(1)"), "1")


def test_targets_then_repeats_then_versions():
    connection = store()
    for form in (single, row, many):
        refused = {**RIGHT, "event_id": "first", "data": '{"other":1}', "expected": 7}
        equal(form(connection, {**refused, "aggregate_id": 99}), "EV002: no aggregate 99", form.__name__)
        equal(form(connection, {**refused, "aggregate_id": 2}), "EV002: aggregate 2 was erased", form.__name__)
        equal(form(connection, refused), 'EV007: event_id "first" exists with other content', form.__name__)
        equal(form(connection, {**RIGHT, "expected": 7}), "EV001: conflict: aggregate 1 is at sequence 1, expected 7", form.__name__)
        repeated = form(connection, {**RIGHT, "event_id": "first", "expected": 7})
        assert not isinstance(repeated, str) or "EV" not in repeated, repeated
    equal(connection.value("SELECT evercore_append(1, 7, 'E', '{}', NULL, NULL, NULL, 'first')"), "1")
    equal(connection.value("SELECT evercore_sequence(1)"), "1")


def test_of_several_events_the_first_at_fault_is_named():
    connection = store()
    equal(said(connection, """SELECT evercore_append_many('[{"aggregate_id":1,"expected":-1,"events":[{"event_type":"E","data":{}},{"event_type":"E","data":[]}]}]')"""),
          "EV009: expected is out of range: -1")
    equal(said(connection, """SELECT evercore_append_many('[{"aggregate_id":99,"events":[{"event_type":"E","data":{}}]},{"aggregate_id":1,"events":[{"event_type":"","data":{}}]}]')"""),
          "EV005: event_type is empty")
    equal(said(connection, "INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', NULL), (1, 'E', '[]')"), "EV009: data is NULL (row 1)")


def append_many(connection, *appends):
    answer = said(connection, "SELECT evercore_append_many($1)", json.dumps(appends))
    return answer if isinstance(answer, str) else [(one["aggregate_id"], one["sequence"]) for one in json.loads(answer[0][0])]


def event(event_id, number=0):
    return {"event_type": "E", "data": {"n": number}, **({"event_id": event_id} if event_id else {})}


def skipping(*events, **more):
    return {"aggregate_id": 1, "repeats": "skip", "events": list(events), **more}


def test_a_batch_that_has_grown_is_sent_again():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T', 'a'), evercore_create('T', 'b')")
    batch = [event("d:1", 1), event("d:2", 2)]
    equal(append_many(connection, skipping(*batch, expected=0)), [(1, 2)])
    equal(append_many(connection, skipping(*batch, expected=0)), [(1, 2)])
    batch.append(event("d:3", 3))
    equal(append_many(connection, {"aggregate_id": 1, "events": batch}), 'EV007: event_id "d:1" exists: one call cannot mix repeats and new events')
    equal(append_many(connection, skipping(*batch, expected=1)), "EV001: conflict: aggregate 1 is at sequence 2, expected 3")
    equal(append_many(connection, skipping(*batch, expected=0)), [(1, 3)])
    # Where all are repeats, expected is not looked at; an answer is that of the last event, passed over or new.
    equal(append_many(connection, skipping(*batch, expected=77)), [(1, 3)])
    equal(append_many(connection, skipping(event("d:4", 4), event("d:1", 1))), [(1, 1)])
    equal(connection.value("SELECT evercore_sequence(1)"), "4")
    # The same id twice in one append: the second is a repeat of the first.
    equal(append_many(connection, skipping(event("d:5", 5), event(None), event("d:5", 5), expected=4), {"aggregate_id": 1, "events": [event(None, 6)]}),
          [(1, 5), (1, 7)])
    equal(append_many(connection, skipping(event("d:6", 6), event("d:6", 7))), 'EV007: event_id "d:6" exists with other content')
    equal(append_many(connection, skipping(event("d:1", 9))), 'EV007: event_id "d:1" exists with other content')
    equal(append_many(connection, {**skipping(event("d:1", 1)), "aggregate_id": 2}), 'EV007: event_id "d:1" exists with other content')
    # Beside an append without skip: repeats that are passed over take no part, new ones count.
    equal(append_many(connection, skipping(event("d:1", 1)), {"aggregate_id": 2, "events": [event(None)]}), [(1, 1), (2, 1)])
    equal(append_many(connection, skipping(event("d:1", 1)), {"aggregate_id": 1, "events": [event("d:2", 2)]}), [(1, 1), (1, 2)])
    equal(append_many(connection, skipping(event("d:9", 1)), {"aggregate_id": 1, "events": [event("d:2", 2)]}),
          'EV007: event_id "d:2" exists: one call cannot mix repeats and new events')
    # Compacted events are known as well.
    connection.rows("SELECT evercore_compact(1, 1)")
    equal(append_many(connection, skipping(*batch, event("d:7", 7), expected=0)), "EV001: conflict: aggregate 1 is at sequence 7, expected 3")
    equal(append_many(connection, skipping(*batch, event("d:7", 7))), [(1, 8)])
    equal(append_many(connection, {**skipping(event("d:7")), "repeats": "all"}), 'EV009: repeats is not "skip"')
    equal(append_many(connection, {**skipping(event(None)), "repeats": None}), [(1, 9)])
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_numbers_are_integers_however_they_are_spelled():
    connection = store()
    for number, fine in (("1e0", True), ("1.0", True), ("10e-1", True), ("0.1e1", True), ("1.5", False), ("1e-20000", False), ("1e19", False), ('"1"', True), ('" +1 "', True), ('"1.0"', False), ('"one"', False)):
        for member in ("aggregate_id", "expected"):
            version = "1" if member == "aggregate_id" else number
            answer = said(connection, "BEGIN; SELECT evercore_append_many('[{\"aggregate_id\":%s,\"expected\":%s,\"events\":[{\"event_type\":\"E\",\"data\":{}}]}]')"
                          % (number if member == "aggregate_id" else "1", version))
            connection.rows("ROLLBACK")
            if not fine:
                equal(answer, f"EV009: {member} is not an integer", number)
            else:
                assert not str(answer).startswith("EV"), (number, member, answer)


# The macro of sql/macros.txt, and what it is called in ext/.
LIMITS = {"max_name": ("max_type_name", "max_natural_key", "max_event_id", "max_subscription_name"), "max_reference": ("max_reference",),
          "max_payload": ("max_payload_bytes",), "max_depth": ("max_depth",), "max_partitions": ("max_partitions",), "max_lease": ("longest_lease",),
          "jump": ("jump",), "max_examined": ("most_examined",)}


def test_limits_are_those_of_sqlite_and_stand_in_one_place():
    macros = dict(re.findall(r"^(\w+) =\n  (\d+)\n(?!  )", (ROOT / "sql/macros.txt").read_text(), re.M))
    constants = {}
    for path in sorted((ROOT / "ext").glob("**/*.*")):
        for name, number, shift in re.findall(r"constexpr [\w:]+ (\w+) = ([0-9']+)u?(?: << ([0-9]+))?;", path.read_text()):
            constants[name] = int(number.replace("'", "")) << int(shift or 0)
    for macro, names in LIMITS.items():
        equal({name: constants.get(name) for name in names}, dict.fromkeys(names, int(macros[macro])), f"{macro} of sql/macros.txt beside ext/")
    text = "".join(path.read_text() for path in sorted((ROOT / "sql").glob("*.sql")))
    equal(re.findall(r"_evercore_(?:filter_)?name\([^;@]*?, \d+\)|BETWEEN 1 AND \d{3,}|\b(?:16777216|17592186044415|86400)\b", text), [],
          "limits as numbers in sql/")
