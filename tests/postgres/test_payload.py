"""The payload profile: every case of payload_cases.tsv says what it must, in data and in metadata."""
import json
import random

from harness import ROOT, equal, new_database, refused
from pq import Connection, Error


def cases():
    for line in (ROOT / "tests/payload_cases.tsv").read_text().splitlines():
        if line.startswith("#") or line.startswith("name\t"):
            continue
        name, document, says = line.split("\t")[:3]
        if document.startswith("depth:"):
            kind, depth = document.split()[-2:]
            depth = int(depth)
            if kind == "array":
                document = b'{"n":' + b"[" * depth + b"]" * depth + b"}"
            else:
                document = b'{"n":' * depth + b"1" + b"}" * depth
        else:
            document = bytes.fromhex(document)
        yield name, document, says


def said_of(connection, sql):
    try:
        connection.rows("BEGIN; " + sql)
        return "ok"
    except Error as error:
        return error.message if error.code.startswith("EV") else error.code
    finally:
        connection.rows("ROLLBACK")


def test_every_case_says_what_it_must():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T','a')")
    count = 0
    for name, document, says in cases():
        # The server refuses bad UTF-8 and raw NUL before any function runs (22021).
        hexed = f"convert_from('\\x{document.hex()}', 'UTF8')"
        for member in ("data", "metadata"):
            arguments = f"{hexed}" if member == "data" else f"'{{}}', NULL, {hexed}"
            expected = "ok" if says == "ok" else f"EV004: {member}: {says}"
            said = said_of(connection, f"SELECT evercore_append(1, NULL, 'E', {arguments})")
            if b"\0" in document or says == "not UTF-8":
                expected = "22021"
            equal(said, expected, name)
        count += 1
    assert count > 80, count


def test_every_case_says_the_same_in_the_other_forms():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T','a')")
    for name, document, says in cases():
        if b"\0" in document or says == "not UTF-8":
            continue
        text = document.decode()
        quoted = text.replace("'", "''")
        expected = "ok" if says == "ok" else f"EV004: data: {says}"
        equal(said_of(connection, f"INSERT INTO evercore_append (aggregate_id, event_type, data) VALUES (1, 'E', '{quoted}')"), expected, name)
        state = expected.replace("data:", "state:")
        equal(said_of(connection, "SELECT evercore_append(1, NULL, 'E', '{}'), evercore_save_snapshot(1, 1, '{}', 1)"), "ok")
        equal(said_of(connection, f"SELECT evercore_append(1, NULL, 'E', '{{}}'); SELECT evercore_save_snapshot(1, 1, '{quoted}', 1)"), state, name)
        many = said_of(connection, f"""SELECT evercore_append_many('[{{"aggregate_id":1,"events":[{{"event_type":"E","data":{quoted}}}]}}]')""")
        if says == "not JSON":
            expected = f"EV004: appends: {says}"
            if name in ("empty input", "whitespace only"):
                expected = "EV004: appends: not JSON"
        elif says == "not an object" and text.strip() == "null":
            expected = "EV009: data is NULL"
        elif says == "not an object" and text.strip().startswith('"'):
            expected = "EV004: data: not JSON"  # the document that the string holds
        if name == "array depth 20000":
            expected = "EV004: appends: too deep"
        if name in ("trailing text", "two documents", "trailing comma") and many.startswith("EV004: appends"):
            continue
        equal(many, expected, name + " in append_many")


def test_bytes_are_kept():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T','a')")
    kept = ['{"b" : 1,   "a":[1.0, 1e2, -0] }', ' \n{"x":"\\u00e9\\/"}\t', '{"big":9223372036854775807,"e":1E+2}']
    for document in kept:
        connection.rows("SELECT evercore_append(1, NULL, 'E', $1, NULL, $1)", document)
    for document in kept:
        connection.rows("INSERT INTO evercore_append (aggregate_id, event_type, data, metadata) VALUES (1, 'E', $1, $1)", document)
    equal([row[0] for row in connection.rows("SELECT data FROM evercore_log ORDER BY position")], kept * 2)
    equal([row[0] for row in connection.rows("SELECT metadata FROM evercore_log ORDER BY position")], kept * 2)
    connection.rows("""SELECT evercore_append_many('[{"aggregate_id":1,"events":[{"event_type":"E","data": {"b" : 1,   "a":1.0 } }]}]')""")
    equal(connection.value("SELECT data FROM evercore_log ORDER BY position DESC LIMIT 1"), '{"b" : 1,   "a":1.0 }')
    equal(connection.rows("SELECT pg_typeof(data), pg_typeof(metadata) FROM evercore_log LIMIT 1"), [("json", "json")])


def test_size_counts_data_and_metadata_together():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_create('T','a')")
    half = '{"x":"' + "y" * (8 * 1024 * 1024 - 8) + '"}'
    connection.rows("SELECT evercore_append(1, NULL, 'E', $1, NULL, $1)", half)
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', $1, NULL, $1)", half.replace("yy", "yyy", 1)),
            "EV004", "EV004: data: too large")
    refused(lambda: connection.rows("SELECT evercore_append(1, NULL, 'E', $1)", half.replace("y", "yyy")), "EV004", "EV004: data: too large")


def test_numbers_at_the_edges():
    connection = Connection(new_database())
    largest = "1.7976931348623158e308"
    edge = str(2 ** 1024 - 2 ** 970)
    for number, fine in ((largest, True), ("1.7976931348623159e308", False), ("-" + largest, True), (edge + ".0", False),
                         (str(2 ** 1024 - 2 ** 970 - 1) + ".0", True), ("0." + "0" * 400 + "1e700", True),
                         ("0." + "0" * 400 + "1e710", False), ("1" + "0" * 400 + ".0e-200", True), ("1" + "0" * 400 + ".0", False),
                         ("0e99999999999", False), ("0.000e999", True), ("1e-17000", False), ("1e99999999999999999999", False),
                         ("1e-99999999999999999999", False), ("0." + "3" * 20000, False), ("0." + "3" * 16383, True),
                         ("1" + "0" * 300000 + "e-300000", False), ("1" + "0" * 16000 + "e-16000", True), ("0." + "0" * 9000 + "1e9000", True), ("123456789012345678.5e291", True), ("123456789012345678.5e292", False),
                         ("1e00001", True), ("1e000001", False), ("9223372036854775807", True), ("-9223372036854775809", False)):
        said = connection.value("SELECT _evercore_payload_fault($1)", '{"n":' + number + "}")
        equal(said, None if fine else "number out of range", number[:60])


OLD_DOCUMENTS = {  # what evercore 0.1 took, and what it folds as
    '{"a":1e-20000,"s":"1e-20000\\""}': {"a": 0, "s": '1e-20000"'},
    '{"b":0.' + "3" * 20000 + "}": {"b": 1 / 3},
    '{"c":[0.0e9999999999,-1e-99999999999999999999,12.50,1e-300]}': {"c": [0, 0, 12.5, 1e-300]},
    '{"d":1' + "0" * 300000 + "e-300000}": {"d": 1},
    "[1e-20000]": {},
    "1e-20000": {},
    '[1e-20000,"\\u0000"]': {},
}


def test_what_an_older_profile_took_is_read_folded_and_compacted():
    connection = Connection(new_database())
    for fold in ("merge", "patch"):
        connection.rows("SELECT evercore_event_type($1, $2)", "E" + fold, fold)
        aggregate = connection.value("SELECT evercore_create('T', $1)", fold)
        for sequence, document in enumerate(OLD_DOCUMENTS, 1):
            connection.rows("SELECT evercore_append($1, NULL, $2, '{\"x\":1}')", aggregate, "E" + fold)
            connection.rows("ALTER TABLE evercore_event DISABLE TRIGGER evercore_append_only")
            connection.rows("UPDATE evercore_event SET data = $1 WHERE aggregate_id = $2 AND sequence = $3", document, aggregate, sequence)
            connection.rows("ALTER TABLE evercore_event ENABLE ALWAYS TRIGGER evercore_append_only")
        expected, states = {}, []
        for part in OLD_DOCUMENTS.values():
            expected = {**expected, **part}
            states.append(expected)
        rounded = lambda state: json.loads(json.dumps(json.loads(state), sort_keys=True))
        equal(rounded(connection.value("SELECT evercore_state($1)", aggregate)), expected, fold)
        equal([rounded(row[0]) for row in connection.rows("SELECT state FROM evercore_history($1) ORDER BY sequence", aggregate)], states, fold)
        named = connection.rows("SELECT problem FROM evercore_check() WHERE aggregate_id = $1 ORDER BY position", aggregate)
        equal([row[0] for row in named], ["payload: number out of range"] * 4 + ["payload: not an object"] * 3)
        connection.rows("SELECT evercore_snapshot($1)", aggregate)
        equal(connection.value("SELECT evercore_compact($1, 1)", aggregate), str(len(OLD_DOCUMENTS) - 1))
        equal(rounded(connection.value("SELECT evercore_state($1)", aggregate)), expected, fold)
        equal(connection.value("SELECT evercore_compact_type('T', 0)"), "1")
        equal(rounded(connection.value("SELECT evercore_state($1)", aggregate)), expected, fold)
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def merge_patch(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def test_random_patches_are_applied_as_the_standard_says():
    connection = Connection(new_database())
    dice = random.Random(7)
    for _ in range(1500):
        target, patch = ({key: random_value(dice, 1) for key in dice.sample(["a", "b", "a:b", "", '"\\', "k\u00e9", "0"], 4)} for _ in "ab")
        # From level 17 on there is no recursion.
        done = connection.value("SELECT _evercore_merge_patch($1, $2, $3)", json.dumps(target), json.dumps(patch), dice.choice([1, 16, 17]))
        equal(json.loads(done, parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits)), merge_patch(target, patch), f"{patch} on {target}")


def test_many_patches_at_once_give_what_one_after_the_other_gives():
    connection = Connection(new_database())
    dice = random.Random(11)
    keys = ["a", "b", "a:b", "", '"\\', "null"]

    def value(depth):
        if depth > 4 or dice.random() < 0.4:
            return dice.choice([1, None, None, "x", "null", True, [1, {"n": None}], {}])
        return {dice.choice(keys): value(depth + 1) for _ in range(dice.randint(0, 3))}
    for _ in range(1500):
        target, *patches = ({dice.choice(keys): value(1) for _ in range(dice.randint(0, 4))} for _ in range(dice.randint(1, 7)))
        whole = [dice.random() < 0.3 for _ in patches]
        expected = target
        for patch, as_whole in zip(patches, whole):
            expected = {**expected, **{k: v for k, v in patch.items() if v is not None}} if as_whole else merge_patch(expected, patch)
        listed = "(SELECT coalesce(array_agg(v::{} ORDER BY no), '{{}}') FROM jsonb_array_elements(${}) WITH ORDINALITY AS l (v, no))"
        done = connection.value(f"SELECT _evercore_apply($1, {listed.format('jsonb', 2)}, {listed.format('boolean', 3)})",
                                json.dumps(target), json.dumps(patches), json.dumps(whole))
        equal(json.loads(done), expected, f"{patches} on {target}, as a whole: {whole}")


def test_events_of_all_kinds_fold_alike_one_by_one_and_many_at_once():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_event_type('P', 'patch'), evercore_event_type('C', 'custom'), evercore_create('T', 'small'), evercore_create('T', 'large')")
    dice = random.Random(12)
    for id, padding in ((1, 0), (2, 20000)):  # the large go beyond what is folded at once
        events = [{"event_type": dice.choice("MPPPC"), "data": {
            dice.choice("abc"): dice.choice([None, 1, {dice.choice("xyz"): dice.choice([None, 2, {"n": i, "pad": "x" * padding}])}])}} for i in range(150)]
        connection.rows("SELECT evercore_append_many($1)", json.dumps([{"aggregate_id": id, "events": events}]))
        for sequence, state in connection.rows("SELECT sequence, state FROM evercore_history($1)", id):
            equal(json.loads(connection.value("SELECT evercore_state($1, $2)", id, sequence)), json.loads(state), f"the state of {id} at {sequence}")
        connection.rows("SELECT evercore_snapshot($1)", id)
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def test_patches_of_any_depth_and_breadth_fold():
    connection = Connection(new_database())
    connection.rows("SELECT evercore_event_type('P', 'patch'), evercore_create('T', 'deep'), evercore_create('T', 'broad')")
    nested = lambda depth, leaf: '{"a":' * depth + leaf + "}" * depth
    for document in (nested(511, '{"x":1}'), nested(511, '{"y":2}'), nested(511, '{"x":null}')):
        connection.rows("SELECT evercore_append(1, NULL, 'P', $1)", document)
    equal(connection.value("SHOW max_stack_depth"), "2MB")
    equal(json.loads(connection.value("SELECT evercore_state(1)")), json.loads(nested(511, '{"y":2}')))
    equal(connection.value("SELECT count(*) FROM evercore_history(1)"), "3")
    connection.rows("SELECT evercore_snapshot(1), evercore_compact(1, 0)")
    # 300 million comparisons of keys, or copies of the state, would take minutes.
    connection.rows("SET statement_timeout = '60s'")
    state = {f"k{i}": {"v": i} for i in range(60000)}
    patch = {f"k{i}": dice for i, dice in enumerate([None, {"v": None, "w": {"x": 1}}, 7] * 1700)}
    connection.rows("SELECT evercore_append(2, NULL, 'P', $1)", json.dumps(state))
    connection.rows("SELECT evercore_append(2, NULL, 'P', $1)", json.dumps(patch))
    equal(json.loads(connection.value("SELECT evercore_state(2)")), merge_patch(state, patch))
    equal(connection.rows("SELECT * FROM evercore_check()"), [])


def random_value(dice, depth):
    kind = dice.random()
    if depth > 4 or kind < 0.5:
        return dice.choice([1, -5, 2 ** 63 - 1, 0.25, 1e300, "x", "a:b", "\u00e9\U0001f600", "", True, False, None, "1234567890123456789", '"\\'])
    if kind < 0.7:
        return [random_value(dice, depth + 1) for _ in range(dice.randint(0, 3))]
    return {dice.choice(["a", "b", "a:b", "k\u00e9", ""]): random_value(dice, depth + 1) for _ in range(dice.randint(0, 3))}


def spell(dice, value, doubled):
    """JSON as no printer writes it: blanks and escapes at random, and now and then a member twice."""
    blank = lambda: dice.choice(["", "", " ", "\n\t"])
    if isinstance(value, dict):
        members = list(value.items())
        if members and dice.random() < 0.15:
            members.append(members[0])
            doubled.append(members[0][0])
        return "{" + ",".join(blank() + spell(dice, k, doubled) + blank() + ":" + blank() + spell(dice, v, doubled) for k, v in members) + blank() + "}"
    if isinstance(value, list):
        return "[" + ",".join(blank() + spell(dice, v, doubled) for v in value) + blank() + "]"
    if isinstance(value, str) and dice.random() < 0.3:
        return '"' + "".join("\\u%04x" % ord(c) if ord(c) < 0xD800 and c not in "\U0001f600" and dice.random() < 0.5 else json.dumps(c, ensure_ascii=False)[1:-1] for c in value) + '"'
    return json.dumps(value, ensure_ascii=dice.random() < 0.5)


def test_random_documents_are_judged_by_their_members():
    connection = Connection(new_database())
    dice = random.Random(3)
    seen = {True: 0, False: 0}
    for _ in range(3000):
        doubled = []
        text = spell(dice, {"root": random_value(dice, 0)}, doubled)
        said = connection.value("SELECT _evercore_payload_fault($1)", text)
        if doubled:
            equal(said in [f'duplicate key "{key}"' for key in doubled], True, f"{said} of {text}")
        else:
            equal(said, None, text)
        seen[bool(doubled)] += 1
    assert min(seen.values()) > 100, seen
