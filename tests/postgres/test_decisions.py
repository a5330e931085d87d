"""A plain decision goes a short way in the first statement of its transaction (sql/append_tagged.sql), and later in it the long one. Documents of
any shape, spelled in any way: both ways give the same answer, fault and rows."""
import json
import random

from harness import equal, new_database
from pq import Connection, Error

TEXTS = ["E", "F", "t0", "t1", "tx", "course:c1", "types", "tags", "é", "a b", "%", ", ", "", 'a"b', "a\\b", "\n", "\u0001", "n" * 255, "n" * 256, "é" * 200]
PLAIN = TEXTS[:6]
VALUES = [None, True, 0, 1, 2, 99, -1, 1.5, 10**18, "1", " 1", "+1", [], {}, ["E"], [[]], [1], [{}], {"0": "E"}, *TEXTS]
DATA = ['{}', '{"a":1}', '{"a": 1.50, "b": [1, {"tags":["t0"]}]}', '{"a":1,"a":2}', '[1]', '1', '{"a":1e3}', '{"a":1e400}', '{"a":12345678901234567890}', '{"x":"\\u0041"}',
        '{"x":"\\u0000"}', '{"b":"}],\\"tags\\":[\\"q\\"]"}', '{"a":-0}', '{"a":' + "[" * 511 + "]" * 511 + "}", '{"s":"' + "y" * 1500 + '"}']
LONG_WAYS = ("SELECT sum(coalesce(pg_stat_get_xact_function_calls(f::regprocedure), 0)) FROM (VALUES ('_evercore_append_under(text,text,bigint)'),"
             " ('_evercore_append_document(text,jsonb,bigint)')) AS v (f)")


def plain(dice):
    event = {"event_type": dice.choice(PLAIN), "data": "DATA", "tags": dice.sample(PLAIN, dice.randint(1, 3))}
    append = {"aggregate_id": dice.randint(1, 3), "events": [event]}
    if dice.random() < 0.2:
        append["expected"] = dice.choice([0, 1, 2, 7])
    condition = None if dice.random() < 0.2 else [{"types": [dice.choice(PLAIN)], "tags": [dice.choice(PLAIN)]}]
    return [append], condition


def bent(dice, node):
    """Now and then another value in the place of one, a member more or less, an element twice."""
    if dice.random() < 0.06:
        return dice.choice(VALUES)
    if isinstance(node, list):
        return [bent(dice, one) for one in node for _ in range(2 if dice.random() < 0.04 else 1)]
    if not isinstance(node, dict):
        return node
    members = [(name, bent(dice, value)) for name, value in node.items() if dice.random() > 0.03]
    if dice.random() < 0.05:
        members.append((dice.choice(["zz", "event_id", "reference", "repeats", "after"]), dice.choice(VALUES)))
    return dict(members)


def spelled(dice, node):
    """JSON in any order and spacing, some members twice, some letters escaped."""
    loose = dice.random() < 0.3

    def space():
        return dice.choice(["", "", "", "", " ", "\n"]) if loose else ""
    if isinstance(node, list):
        return "[" + space() + ("," + space()).join(spelled(dice, one) for one in node) + space() + "]"
    if isinstance(node, dict):
        members = [f"{json.dumps(name)}:{space()}{spelled(dice, value)}" for name, value in node.items()]
        dice.shuffle(members)
        return "{" + ("," + space()).join(members + members[: dice.random() < 0.02]) + space() + "}"
    if node == "DATA":
        return dice.choice(DATA if dice.random() < 0.3 else DATA[:2])
    text = json.dumps(node, ensure_ascii=dice.random() < 0.1)
    return text.replace("E", "\\u0045") if dice.random() < 0.03 else text


def outcome(connection, call, arguments, later):
    """What a call says and leaves, without positions, and whether it went the long way; None: it was refused."""
    connection.rows("BEGIN")
    if later:
        connection.rows("SELECT pg_current_xact_id()")
    before = connection.value(LONG_WAYS)
    long = None
    try:
        said = connection.value(call, *arguments)
        said = json.loads(said)
        for one in said:  # positions are drawn anew by each call; they are those of the log
            log = connection.value("SELECT position FROM evercore_log WHERE aggregate_id = $1 AND sequence = $2", one["aggregate_id"], one["sequence"])
            equal((str(one.pop("position")), one.pop("first_position") <= int(log)), (log, True), f"{arguments}")
        left = [connection.rows("SELECT aggregate_id, sequence, event_type, data::text, tags::text, event_id FROM evercore_log ORDER BY position DESC LIMIT 3"),
                connection.rows("SELECT t.tag, t.event_type, e.data::text FROM evercore_event_tag t JOIN evercore_event e USING (position) ORDER BY 1, 2, 3"),
                connection.rows("SELECT aggregate_id, sequence FROM evercore_aggregate ORDER BY 1")]
        long = connection.value(LONG_WAYS) != before
    except Error as error:
        equal(error.code[:2], "EV", f"{error} of {arguments}")
        said, left = str(error), None
    connection.rows("ROLLBACK")
    return (said, left), long


def test_a_decision_says_the_same_first_and_later_in_its_transaction():
    connection = Connection(new_database())
    connection.rows("SET track_functions = 'all'; SELECT evercore_create('T', 'k' || i) FROM generate_series(1, 3) i")
    for i in range(4):
        connection.rows("SELECT evercore_append($1, NULL, 'E', '{}', tags => $2)", 1 + i % 3, json.dumps([f"t{i}"]))
    dice = random.Random(11)
    went = {"short": 0, "long": 0, "refused": 0}
    for _ in range(600):
        appends, condition = plain(dice)
        if dice.random() < 0.6:
            appends, condition = bent(dice, appends), bent(dice, condition)
        texts = [spelled(dice, appends), None if condition is None else spelled(dice, condition), dice.choice([None, 0, 2, 4, 4, 4, 99, -1])]
        call = "SELECT evercore_append_many($1, $2, $3)"
        outcomes = {later: outcome(connection, call, texts, later) for later in dice.sample([False, True], 2)}  # so that both come by every position
        first, long = outcomes[False]
        equal(first, outcomes[True][0], f"{texts}")
        went["refused" if long is None else "long" if long else "short"] += 1
    equal([way for way, times in went.items() if times < 60], [], f"ways {went}")
